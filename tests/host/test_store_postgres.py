"""What only a server can do to the store: refuse, go away, throw out, and outlive a killed client."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import StoreError, TransientError
from apollo_component.host.store import Store, StoreAwayError
from apollo_component.host.tables import leases


@pytest.fixture
def url(postgres, postgres_template):
    made = postgres.database(postgres_template)
    yield made
    postgres.drop(made)


@pytest.fixture
def stored(url):
    made = Store(url, busy_seconds=10)
    yield made
    made.close()


def add(connection, name):
    connection.execute(sa.insert(leases).values(name=name, owner="", version=0, until=0))


def test_a_server_that_is_not_there_is_temporary(tmp_path):
    """Without a server at the start the error says to look whether it runs, and shows no address."""
    with pytest.raises(TransientError, match="doesn't answer") as caught:
        Store.open(f"postgresql://canary@/none?host={tmp_path}")
    assert "canary" not in str(caught.value)
    assert caught.value.exit_code == 6


def test_a_database_that_does_not_exist_is_told(postgres):
    """A wrong name in the address is an error of the store that says what to make."""
    with pytest.raises(StoreError, match="doesn't exist"):
        Store.open(postgres.url("nowhere"))


def test_a_user_without_rights_is_told(postgres):
    """A role that may connect but not make tables is told which right is missing."""
    url = postgres.database()
    postgres.execute("CREATE ROLE weak LOGIN")
    with pytest.raises(StoreError, match="may not do this"):
        Store.open(url.replace("postgres@", "weak@"))
    postgres.drop(url)
    postgres.execute("DROP ROLE weak")


def test_connections_that_the_server_ended_are_replaced(stored, postgres):
    """After a restart of the server the next use works: broken connections of the pool are noticed before."""
    with stored.write() as connection:
        add(connection, "before")
    _end_sessions(postgres, stored)
    with stored.write() as connection:
        add(connection, "after")
    assert len(stored.rows(sa.select(leases))) == 2


def test_a_server_that_goes_away_within_a_transaction_is_temporary(stored, postgres):
    """What was under way is undone and told as temporary; the next use works."""
    with pytest.raises(TransientError), stored.write() as connection:  # noqa: PT012  # the whole write is meant
        add(connection, "lost")
        _end_sessions(postgres, stored)
        add(connection, "lost, too")
    assert stored.rows(sa.select(leases)) == []


def test_one_that_stands_still_in_a_transaction_is_thrown_out(stored, url):
    """A stopped process that holds everything up loses its transaction, and learns it when it goes on."""
    still = Store(url, idle_seconds=0.2)
    with pytest.raises(TransientError), still.write() as connection:  # noqa: PT012
        with stored.write() as other:
            add(other, "other")
        add(connection, "still")
    assert [row["name"] for row in stored.rows(sa.select(leases))] == ["other"]
    still.close()


def test_a_lock_held_too_long_is_temporary(stored, url):
    """Somebody else's long write gives an error to try again later, on SQLite and here."""
    impatient = Store(url, busy_seconds=0.1)
    with stored.write("run:1"), pytest.raises(TransientError, match="locked") as caught, impatient.write("run:1"):
        pass
    assert not caught.value.worked
    impatient.close()


HOLDER = """
import sys, time, sqlalchemy as sa
from apollo_component.host.store import Store, StoreAwayError
from apollo_component.host.tables import leases
with Store(sys.argv[1]).write() as connection:
    connection.execute(sa.insert(leases).values(name="half", owner="", version=0, until=0))
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.mark.real
def test_a_process_killed_within_a_transaction_holds_nothing_up(stored, url):
    """The lock of a killed process ends with it, and nothing of its transaction is there."""
    holder = subprocess.Popen([sys.executable, "-W", "ignore", "-c", HOLDER, url], stdout=subprocess.PIPE, text=True)
    with holder.stdout:
        assert holder.stdout.readline() == "in\n"
        os.kill(holder.pid, signal.SIGKILL)
    holder.wait(10)
    with stored.write() as connection:
        add(connection, "next")
    assert [row["name"] for row in stored.rows(sa.select(leases))] == ["next"]


def test_a_process_has_no_more_connections_than_it_is_told(stored, postgres):
    """However many threads write at once, the store keeps within its eight connections."""
    most = 0

    def write(number):
        with stored.write(f"run:{number}"):
            time.sleep(0.01)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(_sessions(postgres, stored)))
    assert 1 <= most <= 8


def _sessions(postgres, store):
    name = store.url.database
    return postgres.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}'")


def _end_sessions(postgres, store):
    name = store.url.database
    postgres.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


def test_a_server_that_takes_too_long_to_answer_is_away():
    """A connection that can't be made in time is told as temporary, not as a fault of the host."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreAwayError, match="doesn't answer"):
            Store.open(f"postgresql://nobody@127.0.0.1:{port}/nothing?connect_timeout=2")
