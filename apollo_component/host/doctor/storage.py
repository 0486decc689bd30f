"""Checks of what is stored: the database and the key to its secrets. Nothing is made, upgraded or changed."""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ...contract.errors import StoreError
from ..connections import credential_place
from ..key_files import KEY_FILE
from ..store import Store, put, worded
from ..tables import HEAD, connections, journal, keys, leases, records, runs
from ..vault import Vault, open_vault
from ..workflow.sqlite_time import keeps_time
from .findings import Examined, Finding, Verdict, worst

BUSY_SECONDS = 3.0
FREE_BYTES = 500 * 1024**2
LOG_BYTES = 256 * 1024**2
"""A write-ahead log this long means that somebody reads for so long that it can't be folded in."""
WRITE_SECONDS = 1.0
FULL = 0.8
OPENED = 1000
"""Stored secrets that are tried."""
_PROBE = "doctor"


def database(examined: Examined) -> Finding:
    """Reachable, of our schema, with room, and how long a durable write takes. Opens `examined.store`."""
    assert examined.settings  # noqa: S101  # checks run only with settings
    store = Store(examined.settings.database_url, busy_seconds=BUSY_SECONDS)
    if store.is_sqlite and not Path(store.url.database or "").exists():
        return Finding(
            "ok", "There is no database yet; the first command that needs it makes it.", "", {"kind": "sqlite"}
        )
    with contextlib.ExitStack() as refused, worded():
        refused.callback(store.close)
        revision = store.revision()
        refused.pop_all()
    examined.store = store
    facts: dict[str, Any] = {"kind": "sqlite" if store.is_sqlite else "postgresql", "schema": revision, "head": HEAD}
    if revision != HEAD:
        return _unready(examined, revision, facts)
    examined.unready = ""
    said = list(_sqlite(store, facts) if store.is_sqlite else _postgres(store, facts))
    facts["rows"] = {table.name.removeprefix("host_"): _count(store, table) for table in (runs, journal, records)}
    facts["write_ms"] = took = round(_write_seconds(store) * 1000, 1)
    if took > WRITE_SECONDS * 1000:
        said.append(("warning", f"A write took {took:,.0f} ms.", "The disk is slow or busy."))
    good = f"{facts['kind']}, schema {revision}, {facts['bytes']:,} bytes; a write took {took:g} ms."
    verdict, text, hint = worst(*said, ("ok", good, ""))
    return Finding(verdict, text, hint, facts)


def _unready(examined: Examined, revision: str | None, facts: dict[str, Any]) -> Finding:
    examined.unready = "the database has another schema"
    if revision is None or revision < HEAD:
        text = (
            "The database is empty." if revision is None else f"The database's schema is {revision}, older than {HEAD}."
        )
        return Finding("warning", text, "The next command that needs it brings it up to date.", facts)
    text = f"The database's schema {revision} is not known here; it was made by a newer version."
    return Finding("problem", text, "Install the newer version again.", facts)


def _sqlite(store: Store, facts: dict[str, Any]) -> list[tuple[Verdict, str, str]]:
    file = Path(store.url.database or "")
    log = Path(f"{file}-wal")
    facts |= {"bytes": file.stat().st_size, "free_bytes": shutil.disk_usage(file.parent).free}
    facts["wal_bytes"] = log.stat().st_size if log.exists() else 0
    facts["version"] = sqlite3.sqlite_version
    said: list[tuple[Verdict, str, str]] = []
    with worded():
        if not keeps_time(store.url, BUSY_SECONDS):
            text = f"SQLite {sqlite3.sqlite_version} stores no durable run: the time of its rows comes out empty."
            said.append(("problem", text, "Report it; until then use a Python whose SQLite is 3.42 or newer."))
    if facts["free_bytes"] < FREE_BYTES:
        said.append(
            ("warning", f"The disk has {facts['free_bytes']:,} bytes left.", "Free some space; `runs purge` helps.")
        )
    if facts["wal_bytes"] > LOG_BYTES:
        said.append(
            ("warning", f"The write-ahead log has {facts['wal_bytes']:,} bytes.", "End what has read for hours.")
        )
    return said


def _postgres(store: Store, facts: dict[str, Any]) -> list[tuple[Verdict, str, str]]:
    asked = {
        "version": "SHOW server_version",
        "bytes": "SELECT pg_database_size(current_database())",
        "connections": "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
        "max_connections": "SELECT current_setting('max_connections')::int",
    }
    with store.read() as connection:
        facts |= {name: connection.execute(sa.text(query)).scalar() for name, query in asked.items()}
    used, most = facts["connections"], facts["max_connections"]
    if used > most * FULL:
        hint = "Raise max_connections or run fewer workers: each keeps up to 16."
        return [("warning", f"{used} of {most} connections are in use.", hint)]
    return []


def _count(store: Store, table: sa.Table) -> int:
    with store.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0


def _write_seconds(store: Store) -> float:
    """A row that comes and goes in one durable write."""
    begun = time.monotonic()
    with store.write(_PROBE) as connection:
        put(connection, leases, {"name": _PROBE}, {"owner": "", "version": 0, "until": 0})
        connection.execute(sa.delete(leases).where(leases.c.name == _PROBE))
    return time.monotonic() - begun


def key(examined: Examined) -> Finding:
    """That the key is the database's, and opens what is stored. No key is made here."""
    assert examined.settings and examined.store  # noqa: S101, PT018  # asked only when there is a database
    source = "WORKFLOW_HOST_KEY" if examined.settings.key else "file"
    known = [row["id"] for row in examined.store.rows(sa.select(keys.c.id))]
    facts: dict[str, Any] = {"source": source, "database": known}
    if not known:
        return Finding("ok", "The database has no key yet; the first command that needs one makes it.", "", facts)
    vault = open_vault(examined.settings, examined.store)
    facts["key"] = vault.key_id
    tried = examined.store.rows(sa.select(connections).order_by(connections.c.name).limit(OPENED))
    closed = [row["id"] for row in tried if not _opens(vault, row)]
    facts |= {"tried": len(tried), "not_opened": closed}
    if closed:
        text = f"{len(closed)} of {len(tried)} stored secrets can't be opened."
        return Finding("problem", text, "Link those accounts again; `doctor --json` lists their ids.", facts)
    file = examined.settings.home / KEY_FILE
    if source == "file" and file.stat().st_mode & 0o077:
        return Finding("warning", "Others may read the key file.", f"chmod 600 {file}", facts)
    return Finding("ok", f"Key {vault.key_id} ({source}) opens all {len(tried)} stored secrets.", "", facts)


def _opens(vault: Vault, row: Mapping[str, Any]) -> bool:
    try:
        vault.open(row["secret"], *credential_place(row))
    except StoreError:
        return False
    return True


def connection_rows(store: Store) -> list[dict[str, Any]]:
    """What is open of the connections; no secret is read."""
    return store.rows(sa.select(*(column for column in connections.c if column.name != "secret")))
