"""The whole examination: every check in its order, none hidden by another."""

import os
import time
from collections.abc import Callable, Mapping

from ..registry import Registry
from ..settings import Settings
from . import machine, storage, work
from .findings import SECONDS, Check, Examined, Finding, bounded

MACHINE: Mapping[str, Check] = {
    "environment": machine.environment,
    "plugins": machine.plugins,
    "servers": machine.servers,
    "log": machine.log,
    "service": machine.service,
}
STORED: Mapping[str, Check] = {"home": machine.home, "database": storage.database, "clock": machine.clock}
READ: Mapping[str, Check] = {
    "key": storage.key,
    "connections": work.connections,
    "quotas": work.quotas,
    "workflows": work.workflows,
    "runs": work.unfinished,
    "errors": work.errors,
}
"""These read tables, so they are left out while there are none."""


def examine(
    environ: Mapping[str, str] = os.environ,
    *,
    offline: bool = False,
    named: bool = True,
    registry: Registry | None = None,
    clock: Callable[[], float] = time.time,
    seconds: float = SECONDS,
) -> tuple[list[Finding], Examined]:
    """Every finding in order, and what was looked at; close its store. Raises nothing."""
    examined = Examined(environ, clock, offline, named, registry=registry)

    def run(checks: Mapping[str, Check]) -> list[Finding]:
        return [bounded(name, check, examined, seconds) for name, check in checks.items()]

    found = run({"settings": _settings}) + run(MACHINE)
    if examined.settings is None:
        return found, examined
    found += run(STORED)
    if examined.unready:
        return [*found, *(Finding("skipped", f"Not looked at: {_why(found)}.", name=name) for name in READ)], examined
    return found + run(READ), examined


def _settings(examined: Examined) -> Finding:
    examined.settings = Settings.from_environment(examined.environ)
    days = examined.settings.retention.total_seconds() / 86400
    return Finding("ok", f"The environment can be used; data of ended runs is kept for {days:g} days.")


def _why(found: list[Finding]) -> str:
    database = next(item for item in found if item.name == "database")
    return "the database can't be used" if database.verdict == "problem" else "the database has nothing to read"
