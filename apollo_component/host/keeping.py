"""Refreshes what nobody uses right now, so that no connection dies of age, and settles refreshes that are unknown."""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contract.errors import ConnectorError, ReauthorizationError
from .connections import Connection
from .refreshing import Need

if TYPE_CHECKING:
    from .host import Host

KEEP_SECONDS = 600.0
"""How often a worker looks."""
CONCURRENCY = 4
"""Connections refreshed at one time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one connection. Without an error and not refreshed: settled, or left for later as it is good."""

    connection: Connection
    refreshed: bool = False
    error: ConnectorError | None = None

    @property
    def text(self) -> str:
        if self.error:
            return f"{self.error.message} {self.error.hint}".rstrip()
        return "refreshed" if self.refreshed else "good as it is"

    def as_dict(self) -> dict[str, Any]:
        told = {"connection": self.connection.as_dict(), "refreshed": self.refreshed}
        return told | ({"error": self.error.as_dict()} if self.error else {})


def keep(host: "Host") -> list[Kept]:
    """Refresh all that are due: from 80 % of a token's life on, or with an open question. Trouble is told, not raised;
    connections that wait for a person are left alone."""
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="keep") as pool:
        return list(pool.map(functools.partial(kept, host), due(host)))


def due(host: "Host") -> Iterator[Connection]:
    for connection in host.connections.all():
        try:
            if host.refresher.need(connection) is not Need.NONE:
                yield connection
        except ReauthorizationError:
            continue


def kept(host: "Host", connection: Connection, *, now: bool = False) -> Kept:
    """One connection; `now` refreshes it although it isn't due."""
    try:
        found, _ = host.refresher.usable(connection.id, rejected=connection.version if now else None)
    except ConnectorError as error:
        return Kept(connection, error=error)
    return Kept(found, refreshed=found.version > connection.version)
