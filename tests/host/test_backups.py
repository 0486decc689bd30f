"""Backups: whole although others write, never in place of anything, and honest about what they don't know."""

import sqlite3
import threading
from contextlib import closing

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, NotFoundError, StoreError
from apollo_component.host import tables
from apollo_component.host.backups import back_up, put_back, settle
from apollo_component.host.host import Host
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store

from .stored import make

HUNDRED = [{"id": str(number)} for number in range(100)]


def test_a_backup_taken_under_load_is_whole(host, settings, tmp_path):
    """While four threads write, a copy is a moment of the database: sound, and each transaction in it or not."""
    runs = [host.runs.create("action", "test").id for _ in range(4)]
    over = threading.Event()

    def write(run):
        place = 0
        while not over.is_set():
            host.runs.save_records(run, "run", place, HUNDRED)
            place += 10_000

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for number in range(5):
        back_up(host.store, tmp_path / f"{number}.db")
    over.set()
    for thread in threads:
        thread.join()
    counts = []
    for number in range(5):
        assert (tmp_path / f"{number}.db").stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counts.append(copy.execute("SELECT count(*) FROM host_records").fetchone()[0])
    assert counts == sorted(counts)
    assert all(count % 100 == 0 for count in counts)


def test_a_backup_put_back_has_everything_and_asks_for_decisions(tmp_path, registry, clock):
    """Connections open with the key; a run that hadn't ended fails with words, and an enabled workflow is paused."""
    url = f"sqlite:///{tmp_path / 'old' / 'host.db'}"
    (tmp_path / "old").mkdir()
    made = Store(url)
    make.fill(made, tables.HEAD)
    back_up(made, tmp_path / "copy.db")
    made.close()
    place = f"sqlite:///{tmp_path / 'new' / 'host.db'}"
    put_back(tmp_path / "copy.db", sa.make_url(place))
    assert (tmp_path / "new" / "host.db").stat().st_mode & 0o777 == 0o600
    host = Host.open(make.settings(tmp_path / "new", place), registry, clock=clock)
    assert host.connections.current("c1")[1].access_token == "canary-access"
    found = settle(host.store, clock)
    assert (found.runs, found.workflows) == (("run1",), ("follow",))
    report = host.runs.report("run1")
    assert (report["status"], report["detail"]["error"]["code"]) == ("failed", "restored")
    assert report["credits"]["reserved"] == 2.0
    assert host.runs.started_by_subscriptions(10) == []
    assert host.runs.resume("run1").status == "running"
    assert settle(host.store, clock).workflows == ()
    host.close()


def test_nothing_is_overwritten(host, settings, tmp_path):
    """A backup never takes the place of a file, nor a backup put back that of a database or of what is left of one."""
    (tmp_path / "there").write_text("mine")
    with pytest.raises(InputError, match="Nothing was written"):
        back_up(host.store, tmp_path / "there")
    back_up(host.store, tmp_path / "copy.db")
    (tmp_path / "half.db-wal").write_text("")
    for place in (tmp_path / "there", tmp_path / "half.db"):
        with pytest.raises(InputError, match="already"):
            put_back(tmp_path / "copy.db", sa.make_url(f"sqlite:///{place}"))
    assert (tmp_path / "there").read_text() == "mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "half.db-wal", "there"]


def test_what_is_no_backup_is_refused(tmp_path):
    """A file of another kind, a missing one and a folder that isn't there are told, and nothing is left behind."""
    place = sa.make_url(f"sqlite:///{tmp_path / 'home' / 'host.db'}")
    (tmp_path / "letter").write_text("Dear friend, " * 999)
    sqlite3.connect(tmp_path / "other.db").close()
    for name, kind in (("letter", StoreError), ("other.db", StoreError), ("none", NotFoundError)):
        with pytest.raises(kind):
            put_back(tmp_path / name, place)
    made = Store.open(f"sqlite:///{tmp_path / 'host.db'}")
    with pytest.raises(StoreError, match="can't be written"):
        back_up(made, tmp_path / "nowhere" / "copy.db")
    made.close()
    assert list((tmp_path / "home").glob("*")) == []


def test_a_dump_of_postgresql_is_restored_with_its_tools(postgres, tmp_path, registry, clock):
    """pg_dump and pg_restore give the whole database back; this host's commands say so for PostgreSQL."""
    made = Store(old := postgres.database())
    make.fill(made, tables.HEAD)
    with pytest.raises(InputError) as caught:
        back_up(made, tmp_path / "copy")
    assert "pg_dump" in caught.value.hint
    made.close()
    postgres.tool("pg_dump", "--format=custom", f"--file={tmp_path / 'copy'}", old)
    new = postgres.database()
    postgres.tool("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={new}", str(tmp_path / "copy"))
    with pytest.raises(InputError) as caught:
        put_back(tmp_path / "copy", sa.make_url(new))
    assert "pg_restore" in caught.value.hint
    host = Host.open(Settings(tmp_path, new, make.KEY_TEXT), registry, clock=clock)
    assert host.connections.current("c1")[1].refresh_token == "canary-refresh"
    assert settle(host.store, clock).runs == ("run1",)
    host.close()
    for url in (old, new):
        postgres.drop(url)
