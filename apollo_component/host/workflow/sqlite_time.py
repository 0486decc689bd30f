"""The time that DBOS reads from a SQLite database, on SQLite older than 3.42.

On Python 3.12 and newer DBOS (3.4.0) writes `unixepoch('subsec')` into its statements and into the defaults of its
tables. SQLite knows `subsec` since 3.42 (https://www.sqlite.org/releaselog/3_42_0.html) and answers NULL before, so
that every insert breaks a NOT NULL constraint, also from Python 3.11 when 3.12 made the tables. Here DBOS's
connections get a `unixepoch` that knows `subsec`. Statements and defaults are then right as they stand, so a database
that 3.12 made needs no change; it holds no row without a time, as none could be stored. Goes when DBOS goes.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import IntegrityError

KNOWS_SUBSEC = (3, 42)
_NAME = "workflow_host"


class Dialect(SQLiteDialect_pysqlite):
    """SQLAlchemy's own for SQLite, but for `unixepoch('subsec')`."""

    supports_statement_cache = True

    def on_connect(self) -> Callable[[Any], None]:
        prepare = super().on_connect()

        def connected(connection: Any) -> None:
            if prepare is not None:
                prepare(connection)
            connection.create_function("unixepoch", 1, _unixepoch)
            # Some builds let no function of a program into the defaults of tables.
            connection.execute("PRAGMA trusted_schema=ON")

        return connected


registry.register(f"sqlite.{_NAME}", __name__, Dialect.__name__)


def durable_url(url: sa.URL, sqlite_version: tuple[int, ...] = sqlite3.sqlite_version_info) -> sa.URL:
    """The address to give to DBOS: the same database, on an old SQLite through the dialect above."""
    if url.get_backend_name() != "sqlite" or sqlite_version >= KNOWS_SUBSEC:
        return url
    return url.set(drivername=f"sqlite+{_NAME}")


def keeps_time(url: sa.URL, busy_seconds: float) -> bool:
    """Whether DBOS's tables in this SQLite database take a row, which is not kept; True before DBOS has made them.

    Raises sqlalchemy's OperationalError for a database that can't be written.
    """
    engine = sa.create_engine(durable_url(url), poolclass=sa.NullPool, connect_args={"timeout": busy_seconds})
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("queues"):
            return True
        try:
            connection.execute(sa.text("INSERT INTO queues (name) VALUES ('doctor')"))
        except IntegrityError:
            return False
        finally:
            connection.rollback()
        return True


def _unixepoch(modifier: str) -> float:
    """Whole milliseconds, as SQLite 3.42 has them. DBOS asks for nothing else; an error is better than a wrong time."""
    if modifier != "subsec":
        raise ValueError(modifier)
    return time.time_ns() // 1_000_000 / 1000
