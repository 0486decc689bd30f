"""The host's database: SQLite (WAL) or PostgreSQL through SQLAlchemy.

A write is a transaction that nobody else's write on the same thing can come between: on SQLite there is one writer at
a time, on PostgreSQL an advisory lock for what the write is `on` does the same and lets others go on beside it.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..contract.errors import ConnectorError, StoreError, TransientError
from .tables import HEAD

BUSY_SECONDS = 15
IDLE_SECONDS = 10
"""A process that was stopped in the middle of a transaction is thrown out of it by PostgreSQL after this, so that the
others can go on."""
CONNECTIONS = 8
"""To PostgreSQL, for each process at most; the engine of durable runs has as many again, and two."""
_ALL = 0x776F726B


class StoreAwayError(TransientError):
    """The database doesn't answer, or is locked by others: nothing was decided, and it may be there again soon."""

    code = "store_away"


class StoreFullError(StoreError):
    """There is no room to write. Nothing that was saved is lost, and there may be room again."""


PASSING = (StoreAwayError, StoreFullError)
"""Trouble with the database that passes: whoever works for long rests until then."""


class Store:
    """One engine per process. `read()` and `write()` are transactions; a write has the database to itself."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self.url = parsed_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._busy_seconds, self._idle_seconds = busy_seconds, idle_seconds
        with worded():
            self.engine = sa.create_engine(self.url, **_options(self.url, busy_seconds))
        sa.event.listen(self.engine, "connect", self._pragmas if self.is_sqlite else self._timeouts)
        if self.is_sqlite:
            sa.event.listen(self.engine, "begin", _begin)

    @classmethod
    def open(cls, url: str) -> "Store":
        """Make or upgrade the schema as needed. Raises StoreError for a newer, read-only or unusable database."""
        store = cls(url)
        try:
            with worded():
                store._prepare_file()
                store._upgrade()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees the database as it was at one moment."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with worded(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, on: str = "", *, durable: bool = True) -> Iterator[sa.Connection]:
        """`on` names the one thing that is read and changed, such as `run:1f`; without it the write has the database
        to itself.

        A durable write is on disk when it returns. One that isn't may be lost with the machine, not with a process:
        right for what is learnt anew, such as quotas.
        """
        options = {"write": "FULL" if durable else "NORMAL"}
        with worded(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(_locked(on, durable=durable))
            yield connection

    def also(self, connection: sa.Connection, on: str) -> None:
        """Inside a write on one thing: nobody writes on this second one either. Always taken in the same order."""
        if not self.is_sqlite:
            connection.execute(sa.select(_lock(on)))

    def rows(self, query: sa.Executable) -> list[dict[str, Any]]:
        """One statement sees one moment by itself: PostgreSQL needs no transaction around it."""
        options = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with worded(), self.engine.connect().execution_options(**options) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def row(self, query: sa.Select[Any]) -> dict[str, Any] | None:
        found = self.rows(query)
        return found[0] if found else None

    def close(self) -> None:
        self.engine.dispose()

    def _pragmas(self, connection: Any, _record: Any) -> None:
        """WAL lets readers go on beside the writer."""
        connection.isolation_level = None
        _use_wal(connection, self._busy_seconds)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _timeouts(self, connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(self._busy_seconds * 1000)}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = {int(self._idle_seconds * 1000)}")
        connection.commit()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for one in memory or on a server."""
        named = self.url.database or ""
        is_file = self.is_sqlite and named and named != ":memory:" and not named.startswith("file:")
        return Path(named) if is_file else None

    def _prepare_file(self) -> None:
        """A new SQLite file belongs to its owner alone."""
        if self.file is not None:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.file.exists():
                self.file.touch(mode=0o600)

    def _upgrade(self) -> None:
        if self.revision() != HEAD:
            from .migrations import upgrade

            upgrade(self)

    def revision(self) -> str | None:
        """The schema's version, None for a database without one."""
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("host_schema"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM host_schema")).scalar()


def _options(url: sa.URL, busy_seconds: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        arguments: dict[str, Any] = {"timeout": busy_seconds, "check_same_thread": False}
        return {"connect_args": arguments, "pool_size": 16, "max_overflow": 48, "pool_timeout": 60}
    alive = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    arguments = {name: value for name, value in alive.items() if name not in url.query}
    pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": 60, "pool_pre_ping": True}
    return {"connect_args": {"application_name": "workflow-host", **arguments}, **pool}


def _locked(on: str, *, durable: bool) -> sa.Select[Any]:
    """All that a write begins with, in one statement: who writes on one thing shares the database with the others."""
    commit = sa.func.set_config("synchronous_commit", "on" if durable else "off", True)
    if not on:
        return sa.select(commit, sa.func.pg_advisory_xact_lock(_ALL))
    return sa.select(commit, sa.func.pg_advisory_xact_lock_shared(_ALL), _lock(on))


def _lock(on: str) -> sa.ColumnElement[Any]:
    return sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(on, 0))


def put(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Update the row with this primary key, or insert it. Safe inside `write()`: there is one writer."""
    where = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if not connection.execute(sa.update(table).where(where).values(**values)).rowcount:
        connection.execute(sa.insert(table).values(**key, **values))


def insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), list(rows))


@contextmanager
def worded() -> Iterator[None]:
    """Database trouble as an error of ours that says what to do; statements and values stay out of it."""
    try:
        yield
    except ConnectorError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        raise _error_for(error) from None
    except PoolTimeoutError:
        raise _worded_error("busy") from None
    except ImportError:
        raise StoreError(
            "The driver for PostgreSQL is not installed.", hint='Install it: pip install "psycopg[binary]"'
        ) from None
    except SQLAlchemyError as error:
        raise StoreError(f"The database can't be used ({type(error).__name__}).", hint="Check its address.") from None
    except psycopg_errors() as error:
        raise _error_for(error) from None
    except OSError:
        raise StoreError(
            "The folder of the database can't be made or written.",
            hint="Give the user the right, or set WORKFLOW_HOST_HOME.",
        ) from None


def psycopg_errors() -> tuple[type[Exception], ...]:
    """The driver's own class, if it was loaded: the engine of durable runs lets some through as they are."""
    driver = sys.modules.get("psycopg")
    return () if driver is None else (driver.Error,)


def _error_for(error: Exception) -> ConnectorError:
    """The drivers' own errors come bare while a connection is being opened."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None) or ""
    kind = _KINDS.get(state) or _KINDS.get(state[:2]) or _kind_of(str(origin).lower())
    if kind:
        return _worded_error(kind)
    if _is_operational(origin) and not isinstance(origin, sqlite3.Error):
        return _worded_error("away")
    name = type(origin).__name__
    return StoreError(f"The database refused a statement ({name}).", hint="This is a fault of the host; report it.")


def _is_operational(error: BaseException | None) -> bool:
    """The driver's class for what isn't the statement's fault, such as a connection that can't be made in time."""
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)


_KINDS = {
    "25006": "read only", "25P03": "away", "25P02": "away", "53100": "full", "55P03": "busy", "08": "away",
    "57": "away", "53": "away", "40": "busy", "28": "refused", "3D000": "missing", "42501": "forbidden",
}  # fmt: skip
"""PostgreSQL's codes, whole or their first two characters."""


def _kind_of(text: str) -> str:
    """SQLite has no codes in its words."""
    marks = {
        "read only": ("readonly", "read-only", "unable to open"), "busy": ("locked", "busy"), "full": ("is full",),
        "damaged": ("not a database", "malformed"), "refused": ("authentication failed",),
        "missing": ("does not exist",),
    }  # fmt: skip
    return next((kind for kind, words in marks.items() if any(word in text for word in words)), "")


def _worded_error(kind: str) -> ConnectorError:
    return _WORDED[kind]()


_WORDED: dict[str, Callable[[], ConnectorError]] = {
    "read only": lambda: StoreError(
        "The database is read-only.", hint="Give the user the right to write it, on SQLite its file and folder."
    ),
    "busy": lambda: StoreAwayError(
        f"The database has been locked by another process for {BUSY_SECONDS} s.", hint="Try again.", worked=False
    ),
    "full": lambda: StoreFullError("The disk is full.", hint="Free some space; nothing that was saved is lost."),
    "damaged": lambda: StoreError("The file is not a database, or is damaged.", hint="Restore it from a backup."),
    "refused": lambda: StoreError("The database refuses the user or password.", hint="Check its address."),
    "missing": lambda: StoreError("The database that the address names doesn't exist.", hint="Make it first."),
    "forbidden": lambda: StoreError(
        "The database's user may not do this.", hint="Give it the right to make and change tables."
    ),
    "away": lambda: StoreAwayError(
        "The database doesn't answer.", hint="Check that it runs and its address.", worked=False
    ),
}


def parsed_url(url: str) -> sa.URL:
    """`postgres://`, as hosting services write it, and `postgresql://` mean the one driver we use."""
    try:
        parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except SQLAlchemyError:
        raise _wrong_url() from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise _wrong_url()
    return parsed.set(drivername="postgresql+psycopg") if parsed.get_backend_name() == "postgresql" else parsed


def _wrong_url() -> StoreError:
    return StoreError(
        "WORKFLOW_HOST_DATABASE_URL is not a database URL of a kind that is supported.",
        hint="Such as sqlite:////path/host.db or postgresql://user@host/name",
    )


def _use_wal(connection: Any, seconds: float) -> None:
    """SQLite doesn't wait when two switch a new file to WAL at one moment, so that is tried again here."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.02)


def _begin(connection: sa.Connection) -> None:
    synchronous = connection.get_execution_options().get("write")
    if synchronous:
        connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if synchronous else "BEGIN")


def stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def moment(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def iso(value: float | None) -> str | None:
    """The same moment in ISO 8601, to the second."""
    return None if value is None else datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")


def dumps(value: Any) -> str:
    """JSON text; halves of surrogate pairs, which no database keeps, are escaped by JSON's own means."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isascii() or _encodes(text):
        return text
    return json.dumps(value, separators=(",", ":"))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
