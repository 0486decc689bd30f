"""Which servers a credential belongs to: those it was linked at. Elsewhere it is refused before anything is sent."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..contract.errors import WrongServerError
from ..contract.servers import is_loopback, origin
from .registry import Registry

Servers = Mapping[str, str]
"""Server name → scheme, host and port, such as `{"api": "https://api.example.com"}`."""


def servers_of(row: Mapping[str, Any]) -> Servers | None:
    """The servers of a stored row; None for one from before servers were stored."""
    found: Servers | None = json.loads(row["servers_json"]) if row["servers_json"] else None
    return found


def is_sandbox(servers: Servers | None) -> bool:
    """Whether any of the servers is this computer, which is not the service itself."""
    return any(is_loopback(urlsplit(address).hostname or "") for address in (servers or {}).values())


def told(servers: Servers | None) -> str:
    """For people: `https://api.example.com and https://login.example.com`."""
    return " and ".join(dict.fromkeys((servers or {}).values())) or "a server that isn't known"


def check_servers(registry: Registry, connector: str, what: str, linked_at: Servers | None, unknown: str) -> None:
    """Refuse what doesn't belong to the servers that requests go to now. `what` names it: `The connection 'work'`;
    `unknown` says what to do when it isn't stored where it belongs.

    Raises WrongServerError, and InputError for an address that can't be used.
    """
    now = registry.servers(connector)
    if linked_at is None:
        message = f"{what} was stored before its server was; requests go to {told(now)}. Nothing was sent."
        raise WrongServerError(message, linked_at=None, now=now, hint=unknown)
    if dict(linked_at) != now:
        message = f"{what} belongs to {told(linked_at)}, but requests go to {told(now)}. Nothing was sent."
        hint = f"{_variables(registry, connector, linked_at)} Or link the account again, at the server it is wanted at."
        raise WrongServerError(message, linked_at=linked_at, now=now, hint=hint)


def _variables(registry: Registry, connector: str, linked_at: Servers) -> str:
    """What to set so that requests go where they went at linking."""
    now = registry.servers(connector)
    wrong = {
        server.variable: "" if linked_at[name] == origin(server.url) else linked_at[name]
        for name, server in registry.manifest(connector).servers.items()
        if name in linked_at and linked_at[name] != now[name]
    }
    ways = [
        f"set {name} to its address at {address}" if address else f"unset {name}" for name, address in wrong.items()
    ]
    return f"To use it, {' and '.join(ways)}." if ways else "The connector has other servers than before."
