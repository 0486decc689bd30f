"""Databases of every schema there was are brought to the newest one with all that is in them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import StoreError, WrongServerError
from apollo_component.host import linking, migrations, tables
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.store import Store
from apollo_component.host.workflow.subscriptions import Subscriptions

from .stored import make

REVISIONS = sorted(file.name[:4] for file in make.HERE.glob("*.sqlite.sql"))
VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.fixture(params=REVISIONS)
def revision(request):
    return request.param


@pytest.fixture
def stored(revision, database_url, request):
    """The address of a stored database of that schema."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        file.parent.mkdir()
        with closing(sqlite3.connect(file)) as database:
            database.executescript((make.HERE / f"{revision}.sqlite.sql").read_text())
    else:
        dump = str(make.HERE / f"{revision}.postgres.sql")
        used = "SELECT setval('public.host_history_id_seq', 1)"  # by the row that the dump has
        psql = ("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", dump, "-c", used)
        request.getfixturevalue("postgres").tool(*psql, database_url)
    return database_url


def test_every_schema_is_stored():
    """No schema has been released without a database of it to try migrations on."""
    assert sorted(file.name[:4] for file in VERSIONS.glob("0*.py")) == REVISIONS
    assert REVISIONS[-1] == tables.HEAD


def test_an_old_database_is_upgraded_with_everything_in_it(stored, revision, tmp_path, registry):
    """Connections open with their key once their server is named; runs, journal, records, and cursors are as they were; quotas from before 0003 are learnt anew."""
    host = Host.open(make.settings(tmp_path, stored), registry)
    assert host.store.revision() == tables.HEAD
    assert host.connections.get("c1").version == 3
    if revision < "0005":
        with pytest.raises(WrongServerError):
            host.connections.current("c1")
        linking.move(host, "c1")
    connection, credential = host.connections.current("c1")
    assert (credential.access_token, credential.refresh_token) == ("canary-access", "canary-refresh")
    assert connection.account.name == "Zoë"
    assert host.apps.get("team")[1].client_secret == "canary-client-secret"
    events = [row["event"] for row in host.connections.history(connection)]
    assert events == (["moved", "linked"] if revision < "0005" else ["linked"])
    report = host.runs.report("run1")
    assert (report["status"], report["inputs"]) == ("waiting_for_budget", {"place": "Zoë"})
    assert report["credits"] == {"spent": 2.0, "reserved": 2.0, "paid_twice": 0.0}
    assert [(row["item"], row["outcome"]) for row in report["in_doubt"]] == [("1", "lost")]
    assert host.journal.last(Key("run1", "enrich", "0")).reply.body == b'{"records":[1]}'
    assert list(host.runs.records("run1", "enrich")) == [{"id": "p1"}]
    assert [row["left"] for row in host.limits.of("team:t1")] == ([599] if revision >= "0003" else [])
    assert "run:run1" in [row["name"] for row in host.store.rows(sa.select(tables.leases))]
    if revision >= "0002":
        found = Subscriptions(host.store).get("follow")
        assert (json.loads(found.cursor), found.sweep, found.enabled) == ({"at": 7}, 9, True)
        assert [row["version"] for row in host.store.rows(sa.select(tables.seen))] == ["v1"]
        assert host.deliveries.of(Key("run1", "enrich", "0"))[0].body == b"{}"
    host.close()


@pytest.mark.parametrize("unknown", ["9999", "a1b2c3"])
def test_a_schema_that_is_not_known_is_refused(database_url, unknown):
    """A database of a newer version, or of none of ours, is left as it is, in words that name its schema."""
    made = Store.open(database_url)
    with made.write() as connection:
        connection.execute(sa.text("UPDATE host_schema SET version_num = :it"), {"it": unknown})
    with pytest.raises(StoreError, match=unknown) as caught:
        Store.open(database_url)
    assert "newer version" in caught.value.hint
    assert caught.value.exit_code == 2
    assert made.revision() == unknown
    made.close()


BROKEN = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9000", "{head}"
def upgrade():
    op.create_table("host_half", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("host_runs", sa.Column("half", sa.Text()))
    op.execute("DELETE FROM host_leases")
    op.execute("INSERT INTO host_nothing VALUES (1)")
"""


def test_a_migration_that_fails_leaves_the_database_as_it_was(database_url, tmp_path):
    """Whatever a migration had done before it failed is undone, and the old version goes on with the database."""
    scripts = tmp_path / "scripts"
    shutil.copytree(VERSIONS.parent, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "9000_broken.py").write_text(BROKEN.format(head=tables.HEAD))
    made = Store.open(database_url)
    with made.write() as connection:
        connection.execute(sa.insert(tables.leases).values(name="n", owner="", version=1, until=0))
    with pytest.raises(StoreError):
        migrations.upgrade(made, scripts=scripts)
    assert made.revision() == tables.HEAD
    assert len(made.rows(sa.select(tables.leases))) == 1
    with made.read() as connection:
        found = sa.inspect(connection)
        assert not found.has_table("host_half")
        assert "half" not in {column["name"] for column in found.get_columns("host_runs")}
    made.close()
