"""The store: its schema, what it says when it can't be used, and writers side by side."""

import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from apollo_component.contract.errors import StoreError, TransientError
from apollo_component.host import tables
from apollo_component.host.host import Host
from apollo_component.host.store import Store, dumps, insert_many, put, worded

from .conftest import in_threads


def test_the_migrations_make_the_tables(store):
    """A migrated database is exactly what tables.py declares, with the newest schema and no key yet."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "host_schema", "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    assert store.revision() == tables.HEAD
    assert store.rows(sa.select(tables.keys)) == []


@pytest.mark.sqlite
def test_the_file_belongs_to_its_owner_and_is_in_wal_mode(tmp_path):
    """A new database file is the owner's alone, readers go on beside a writer, and a commit is on disk."""
    file = tmp_path / "new" / "host.db"
    made = Store.open(f"sqlite:///{file}")
    assert file.stat().st_mode & 0o777 == 0o600
    with made.read() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    made.close()


@pytest.mark.sqlite
def test_a_read_only_database_says_so(settings):
    """Writing to a read-only database is an error of the store that tells what to do."""
    Host.open(settings).close()
    opened = Store.open(f"sqlite:///file:{settings.home / 'host.db'}?mode=ro&uri=true")
    assert opened.rows(sa.select(tables.keys))
    with pytest.raises(StoreError, match="read-only"), opened.write() as connection:
        connection.execute(sa.delete(tables.keys))
    opened.close()


@pytest.mark.sqlite
def test_a_database_named_by_a_uri_makes_no_folder(settings, monkeypatch, tmp_path):
    """The address of a database by URI isn't taken for a path."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    Store.open(f"sqlite:///file:{settings.home / 'host.db'}?mode=rw&uri=true").close()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "content", [b"this is not a database, it is a letter to a friend. " * 99, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    """Garbage in place of the database is told and left alone."""
    file = tmp_path / "host.db"
    file.write_bytes(content)
    with pytest.raises(StoreError):
        Store.open(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_a_home_that_is_a_file_is_refused(tmp_path):
    """A folder that can't be made is an error of the store, not a trace."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError):
        Store.open(f"sqlite:///{tmp_path / 'home' / 'host.db'}")


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "sqlite+nosuch:///x"])
def test_an_address_that_names_no_database_is_refused(url):
    """A wrong WORKFLOW_HOST_DATABASE_URL is an error of the store."""
    with pytest.raises(StoreError):
        Store.open(url)


def test_a_database_locked_too_long_is_temporary(settings, store):
    """Somebody else's long transaction gives an error to try again later, with exit code 6."""
    impatient = Store(settings.database_url, busy_seconds=0.1)
    with store.write(), pytest.raises(TransientError) as caught, impatient.write():
        pass
    assert caught.value.exit_code == 6
    assert not caught.value.worked
    impatient.close()


@pytest.mark.sqlite
def test_a_database_locked_at_the_very_start_is_temporary(tmp_path):
    """A lock met while opening is as temporary as one met later."""
    file = tmp_path / "host.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    waiting = Store(f"sqlite:///{file}", busy_seconds=0.05)
    with pytest.raises(TransientError), worded():
        waiting._upgrade()
    holder.close()
    waiting.close()


def test_no_statement_and_no_value_is_in_an_error(store):
    """What the database refuses is told without the statement or what was to be written."""
    with pytest.raises(StoreError) as caught, store.write() as connection:
        connection.exec_driver_sql("INSERT INTO host_nothing VALUES ('canary')")
    assert "canary" not in str(caught.value)
    assert "INSERT" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_threads_that_write_together_lose_nothing(store):
    """Twenty threads that each count up twenty-five times reach five hundred."""
    with store.write() as connection:
        connection.execute(sa.insert(tables.leases).values(name="n", owner="", version=0, until=0))

    def go(_number):
        for _ in range(25):
            with store.write() as connection:
                seen = connection.execute(sa.select(tables.leases.c.version)).scalar_one()
                connection.execute(sa.update(tables.leases).values(version=seen + 1))

    in_threads(20, go)
    assert store.rows(sa.select(tables.leases))[0]["version"] == 500


def test_a_reader_goes_on_beside_a_writer(store):
    """An open write keeps nobody from reading what was there before."""
    with store.write() as connection:
        connection.execute(sa.insert(tables.leases).values(name="n", owner="", version=0, until=0))
        assert store.rows(sa.select(tables.leases)) == []
    assert len(store.rows(sa.select(tables.leases))) == 1


def test_a_write_that_fails_leaves_nothing(store):
    """An error inside a write undoes all of it."""

    def failing():
        with store.write() as connection:
            connection.execute(sa.insert(tables.leases).values(name="n", owner="", version=0, until=0))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        failing()
    assert store.rows(sa.select(tables.leases)) == []


def test_put_updates_or_inserts_and_nothing_may_be_many(store):
    """One row for one key, however often it is put; inserting no rows is fine."""
    for version in (1, 2):
        with store.write() as connection:
            put(connection, tables.leases, {"name": "n"}, {"owner": "", "version": version, "until": 0})
            insert_many(connection, tables.leases, [])
    assert [row["version"] for row in store.rows(sa.select(tables.leases))] == [2]


@pytest.mark.real
@pytest.mark.full
def test_processes_that_start_together_in_a_new_home_all_start(tmp_path, database_url):
    """Six first starts at one moment make one database and one key."""
    code = (
        "import sys, pathlib, time; from apollo_component.host.host import Host; "
        "from apollo_component.host.settings import Settings; from apollo_component.host.vault import open_vault; "
        "home = pathlib.Path(sys.argv[1]); time.sleep(max(0, float(sys.argv[2]) - time.time())); "
        "host = Host.open(Settings(home, sys.argv[3])); print(host.connections.vault.key_id)"
    )
    begin = str(time.time() + 2)
    command = [sys.executable, "-c", code, str(tmp_path / "home"), begin, database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    ended = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert [code for *_, code in ended] == [0] * 6, ended
    assert len({out for out, *_ in ended}) == 1


def test_writes_on_one_thing_wait_and_on_another_do_not(database_url):
    """On PostgreSQL a write on one thing waits for its like, goes on beside others, and lets a write on all wait."""
    made = Store.open(database_url)
    order: list[str] = []

    def write(on: str) -> threading.Thread:
        def go() -> None:
            with made.write(on):
                order.append(on)

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    with made.write("run:1"):
        if not made.is_sqlite:
            write("run:2").join(10)
            assert order == ["run:2"]
        others = [write("run:1"), write("")]
        time.sleep(0.3)
        order.append("first")
    for other in others:
        other.join()
    assert sorted(order[-2:]) == ["", "run:1"]
    made.close()


@pytest.mark.parametrize("text", ["n" * 5000, "with\0nul", "half \ud83d pair", "Zo\u00eb \U0001f600"])
def test_what_is_stored_under_a_name_is_found_under_it(store, text):
    """Any text is stored, as it is or written out, and found again by the same; a different one isn't."""
    with store.write() as connection:
        put(connection, tables.leases, {"name": text}, {"owner": "", "version": 1, "until": 0})
        put(connection, tables.leases, {"name": text}, {"owner": "", "version": 2, "until": 0})
        put(connection, tables.leases, {"name": text + "x"}, {"owner": "", "version": 3, "until": 0})
    mine = store.rows(sa.select(tables.leases).where(tables.leases.c.name == text))
    assert [row["version"] for row in mine] == [2]
    assert len(store.rows(sa.select(tables.leases))) == 2


def test_json_of_any_text_is_stored(store):
    """Texts that no database can keep as they are come back from JSON unchanged."""
    text = "half \ud83d pair, nul \0, Zo\u00eb"
    with store.write() as connection:
        connection.execute(sa.insert(tables.records).values(run="r", step="s", seq=2**40, json=dumps(text)))
    assert json.loads(store.rows(sa.select(tables.records))[0]["json"]) == text
