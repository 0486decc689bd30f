"""The host's database: SQLite (WAL) or PostgreSQL through SQLAlchemy, one writer at a time on either."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from ..contract.errors import ConnectorError, StoreError, TransientError
from .tables import HEAD

BUSY_SECONDS = 15
_WRITER_LOCK = 0x776F726B


class Store:
    """One engine per process. `read()` and `write()` are transactions; a write has the database to itself."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = _parsed(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        arguments = {"timeout": busy_seconds, "check_same_thread": False} if self.is_sqlite else {}
        pool: dict[str, Any] = {"pool_size": 16, "max_overflow": 48, "pool_timeout": 60}
        with worded():
            self.engine = sa.create_engine(self.url, connect_args=arguments, **pool)
        if self.is_sqlite:
            self._busy_seconds = busy_seconds
            sa.event.listen(self.engine, "connect", self._pragmas)
            sa.event.listen(self.engine, "begin", _begin)

    @classmethod
    def open(cls, url: str) -> "Store":
        """Make or upgrade the schema as needed. Raises StoreError for a newer, read-only or unusable database."""
        store = cls(url)
        with worded():
            store._prepare_file()
            store._upgrade()
        return store

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with worded(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A durable write is on disk when it returns. One that isn't may be lost with the machine, not with a
        process: right for what is learnt anew, such as quotas."""
        options = {"write": "FULL" if durable else "NORMAL"}
        with worded(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))
            yield connection

    def rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self.read() as connection:
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

    def _prepare_file(self) -> None:
        """A new SQLite file belongs to its owner alone."""
        named = self.url.database or ""
        if self.is_sqlite and named and named != ":memory:" and not named.startswith("file:"):
            file = Path(named)
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                file.touch(mode=0o600)

    def _upgrade(self) -> None:
        revision = self.revision()
        if revision != HEAD:
            from .migrations import upgrade

            upgrade(self.engine, revision)

    def revision(self) -> str | None:
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("host_schema"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM host_schema")).scalar()


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
    except SQLAlchemyError as error:
        raise StoreError(f"The database can't be used ({type(error).__name__}).", hint="Check its address.") from None
    except OSError:
        raise StoreError(
            "The folder of the database can't be made or written.",
            hint="Give the user the right, or set WORKFLOW_HOST_HOME.",
        ) from None


def _error_for(error: DBAPIError | sqlite3.Error) -> ConnectorError:
    """SQLite's own errors come bare while a connection is being opened."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    text = str(origin).lower()
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StoreError(
            "The database is read-only.", hint="Give the user the right to write the file and its folder."
        )
    if "locked" in text or "busy" in text:
        return TransientError(
            f"The database has been locked by another process for {BUSY_SECONDS} s.",
            hint="Try again.",
            worked=False,
        )
    if "full" in text:
        return StoreError("The disk is full.", hint="Free some space; nothing that was saved is lost.")
    if "not a database" in text or "malformed" in text:
        return StoreError("The file is not a database, or is damaged.", hint="Restore it from a backup.")
    if isinstance(error, OperationalError) and not isinstance(origin, sqlite3.Error):
        return TransientError("The database doesn't answer.", hint="Check that it runs and its address.", worked=False)
    kind = type(origin).__name__
    return StoreError(f"The database refused a statement ({kind}).", hint="This is a fault of the host; report it.")


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except SQLAlchemyError:
        raise StoreError(
            "WORKFLOW_HOST_DATABASE_URL is not a database URL.", hint="Such as sqlite:////path/host.db"
        ) from None


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


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
