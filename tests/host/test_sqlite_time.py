"""Durable runs on a SQLite older than 3.42, whatever Python made or uses the database."""

import sqlite3
import time
from contextlib import closing

import pytest
import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from apollo_component.host.store import Store
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.sqlite_time import durable_url, keeps_time

WORKFLOW = """
name: test
connections: {apollo: {connector: apollo, use: mine}}
budget: 1
steps:
  - id: enrich
    action: people_bulk_match
    with: {details: [{email: one@example.com}, {email: two@example.com}]}
"""
OLD, KNOWING = (3, 40, 1), (3, 42, 0)
DEFAULT_3_11, DEFAULT_3_12 = "strftime('%s','now')", "unixepoch('subsec')"


def with_default(file, default):
    """DBOS's tables as another Python would have made them: with its default for the time of a row."""
    DBOS.migrate(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA writable_schema=ON")
        for known in (DEFAULT_3_11, DEFAULT_3_12):
            database.execute("UPDATE sqlite_master SET sql = replace(sql, ?, ?)", (known, default))


@pytest.fixture
def url(tmp_path):
    return sa.make_url(f"sqlite:///{tmp_path / 'host.db'}")


@pytest.mark.parametrize("default", [DEFAULT_3_11, DEFAULT_3_12])
def test_tables_of_either_python_take_rows(url, default):
    """DBOS stores a row with its time in tables that Python 3.11 or 3.12 made, and nothing in them is changed."""
    with_default(url.database, default)
    address = durable_url(url, OLD).render_as_string(hide_password=False)
    client = DBOSClient(system_database_url=address, application_name="workflow-host")
    client.register_queue("mine")
    client.destroy()
    with closing(sqlite3.connect(url.database)) as database:
        [(name, made)] = database.execute("SELECT name, created_at FROM queues").fetchall()
        [(table,)] = database.execute("SELECT sql FROM sqlite_master WHERE name = 'queues'").fetchall()
    assert name == "mine"
    assert made / 1000 == pytest.approx(time.time(), abs=60)
    assert default in table


def test_statements_have_milliseconds(url):
    """`unixepoch('subsec')` in a statement is the time now, in seconds and whole thousandths."""
    engine = sa.create_engine(durable_url(url, OLD), poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.execute(sa.select(sa.func.unixepoch("subsec"))).scalar()
    assert found == pytest.approx(time.time(), abs=60)
    assert found == round(found, 3)


def test_no_other_time_is_made_up(url):
    """What only SQLite's own `unixepoch` could answer is an error instead of a wrong time."""
    engine = sa.create_engine(durable_url(url, OLD), poolclass=sa.NullPool)
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError):
        connection.execute(sa.select(sa.func.unixepoch("2026-01-01")))


@pytest.mark.parametrize(
    ("address", "version"),
    [
        ("postgresql+psycopg://user@host/name", OLD),
        ("postgresql+psycopg://user@host/name", KNOWING),
        ("sqlite:////path/host.db", KNOWING),
    ],
)
def test_others_are_left_alone(address, version):
    """PostgreSQL's address, and that of a SQLite which knows milliseconds, goes to DBOS as it is."""
    assert durable_url(sa.make_url(address), version) == sa.make_url(address)


def test_looking_at_the_tables_keeps_nothing(url):
    """Before DBOS has made its tables nothing is wrong with them; a look at them leaves no row in them."""
    Store.open(str(url)).close()
    assert keeps_time(url, 1)
    with_default(url.database, DEFAULT_3_12)
    assert keeps_time(url, 1)
    with closing(sqlite3.connect(url.database)) as database:
        assert database.execute("SELECT count(*) FROM queues").fetchone() == (0,)


def test_tables_that_take_no_row_are_noticed(url):
    """A default that comes out empty is told, whatever it is."""
    with_default(url.database, "nullif(1, 1)")
    assert not keeps_time(url, 1)


@pytest.mark.real
@pytest.mark.sqlite
def test_a_run_goes_on_in_tables_of_another_python(live, sandbox):
    """A run that was stored beside tables which Python 3.12 made waits and goes on there, and pays once."""
    with_default(live.store.file, DEFAULT_3_12)
    run = engine.start(live, parse_workflow(WORKFLOW, live.registry.manifests), {}, {}).id
    assert engine.drive(live, run)["status"] == "waiting_for_budget"
    live.runs.resume(run, 10)
    assert engine.drive(live, run)["status"] == "done"
    assert sandbox.count("people_bulk_match") == 1
