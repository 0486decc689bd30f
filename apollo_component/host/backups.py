"""A copy of the database while others go on writing, and a database that was put back.

Copying is SQLite's; PostgreSQL has its own tools for it. A database put back is one of the past: what it doesn't know
any more is left to a person's decision.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ..contract.errors import InputError, NotFoundError, Problem, StoreError
from .runs import ENDED, FAILED
from .store import Store, dumps, worded
from .tables import runs, subscriptions

RESTORED = {
    "code": "restored",
    "message": "The database was restored from a backup; what this run sent after the backup is not known any more.",
    "hint": "Look at the service what it did. Resume it only when a repeat does no harm; else start a new run.",
    "exit_code": 7,
}
BESIDE = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a database; with another database in its place they would damage it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What waits for a decision after a database was put back: ids of runs, names of workflows that were paused."""

    runs: tuple[str, ...]
    workflows: tuple[str, ...]


def back_up(store: Store, file: Path) -> None:
    """Copy a SQLite database as it is at one moment; the copy is whole and its owner's alone.

    Raises InputError when the file is there already or the database is PostgreSQL, StoreError when it can't be written.
    """
    if not store.is_sqlite:
        raise InputError(
            "Only a SQLite database is copied by this command; nothing was written.",
            hint="For PostgreSQL: pg_dump --format=custom --file=FILE URL (the same URL, beginning with postgresql://).",
        )
    with _new(file) as draft, worded(), store.read() as connection:
        source = connection.connection.driver_connection
        assert source is not None  # noqa: S101  # an open connection has one
        with closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            _check(target)
            target.execute("PRAGMA journal_mode=DELETE")


def put_back(file: Path, url: sa.URL) -> None:
    """Put a copy where a SQLite database belongs. Raises InputError when there is one, StoreError for another file."""
    if url.get_backend_name() != "sqlite":
        raise InputError(
            "Only a SQLite database is put back by this command; nothing was changed.",
            hint="For PostgreSQL: pg_restore into an empty database, then this command without a file.",
        )
    place = Path(url.database or "")
    there = [name for name in (place, *(Path(f"{place}{end}") for end in BESIDE)) if name.exists()]
    if there:
        names = ", ".join(str(name) for name in there)
        raise InputError(
            "There is a database already; nothing was changed.",
            [Problem(f"must be moved away first, while no process uses it: {names}", path="database")],
        )
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}.")
    with worded():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _new(place) as draft, closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
            _check(source)
            with closing(sqlite3.connect(draft)) as target:
                source.backup(target)


def settle(store: Store, clock: Callable[[], float]) -> Settled:
    """Leave to a person what a database put back can't know: runs that hadn't ended fail, workflows are paused."""
    now = clock()
    with store.write() as connection:
        open_ = list(connection.scalars(sa.select(runs.c.id).where(runs.c.status.not_in(ENDED)).order_by(runs.c.id)))
        failed = {"status": FAILED, "detail_json": dumps({"error": RESTORED}), "updated_at": now, "ended_at": now}
        connection.execute(sa.update(runs).where(runs.c.status.not_in(ENDED)).values(**failed))
        on = sa.select(subscriptions.c.name).where(subscriptions.c.enabled.is_(True)).order_by(subscriptions.c.name)
        names = list(connection.scalars(on))
        connection.execute(sa.update(subscriptions).values(enabled=False))
    return Settled(tuple(open_), tuple(names))


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A draft, owner-only, that gets its name when it is whole, and never in place of another file."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        raise StoreError(f"The folder of {file} can't be written.", hint="Choose another place.") from None
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.link(draft, file)
    except FileExistsError:
        problem = Problem("is there already; choose another name", file=str(file))
        raise InputError("Nothing was written.", [problem]) from None
    finally:
        draft.unlink(missing_ok=True)


def _check(database: sqlite3.Connection) -> None:
    """Raises StoreError unless it is a whole database of a host."""
    found = database.execute("PRAGMA integrity_check").fetchone()[0]
    ours = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'host_schema'").fetchone()
    if found != "ok" or not ours:
        raise StoreError("The file is not a database of this host, or is damaged.", hint="Choose another backup.")
