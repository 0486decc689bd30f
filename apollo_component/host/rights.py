"""What is known to keep a connection from running an action or a trigger, without asking the service.

A key doesn't tell what it may do: of keys only refusals that were met are known. Tokens tell their scopes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..contract.actions import Action
from ..contract.manifest import Manifest
from .connections import Connection


class Bar(StrEnum):
    """Why it can't run."""

    CONNECTOR = "connector"
    """The connection is of another connector."""
    ENDED = "ended"
    """It must be linked again."""
    TYPE = "type"
    """Connections of its type can never run it."""
    SCOPE = "scope"
    ENDPOINT = "endpoint"
    MASTER_KEY = "master_key"
    PLAN = "plan"
    """The account's plan doesn't include it."""
    REFUSED = "refused"
    """The service refused it for another reason."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`name` is the scope or the endpoint that is missing, `action` the action that would be asked."""

    bar: Bar
    action: str = ""
    name: str = ""


def obstacle(manifest: Manifest, name: str, connection: Connection) -> Obstacle | None:
    """The first thing that keeps an action or a trigger from running; None when nothing is known to."""
    return next(obstacles(manifest, name, connection), None)


def may(manifest: Manifest, names: Iterable[str], connection: Connection) -> bool:
    """Whether nothing is known to keep it from any of these actions and triggers."""
    return not any(obstacle(manifest, name, connection) for name in names)


def obstacles(manifest: Manifest, name: str, connection: Connection) -> Iterator[Obstacle]:
    """Everything that is known to keep it from running."""
    if connection.connector != manifest.id or connection.type not in manifest.connection_types:
        yield Obstacle(Bar.CONNECTOR)
    elif connection.status == "needs_reauthorization":
        yield Obstacle(Bar.ENDED)
    else:
        for part in manifest.needed([name]):
            yield from _of(part, manifest, connection)


def _of(action: Action, manifest: Manifest, connection: Connection) -> Iterator[Obstacle]:
    kind = manifest.connection_types[connection.type]
    scope = action.requires.oauth_scope
    granted = (scope,) if connection.scopes is None else connection.scopes
    if not action.requires.allows(kind.kind):
        yield Obstacle(Bar.TYPE, action.id)
    elif kind.oauth and scope and scope not in (*granted, *kind.oauth.always_scopes):
        yield Obstacle(Bar.SCOPE, action.id, scope)
    if action.id in connection.missed:
        yield _met(action, connection.missed[action.id], by_key=kind.oauth is None)
    elif kind.oauth is None and action.requires.key_endpoint in _lacking(connection):
        yield Obstacle(Bar.ENDPOINT, action.id, action.requires.key_endpoint or "")


def _lacking(connection: Connection) -> set[str]:
    """The endpoints that a key was found to lack; several actions may need one."""
    return {miss["key_endpoint"] for miss in connection.missed.values() if "key_endpoint" in miss}


def _met(action: Action, missing: Mapping[str, Any], *, by_key: bool) -> Obstacle:
    """What a refusal that was met means: it names what either kind of credential would need."""
    key, bar = ("key_endpoint", Bar.ENDPOINT) if by_key else ("oauth_scope", Bar.SCOPE)
    if key in missing:
        return Obstacle(bar, action.id, str(missing[key]))
    named = next((bar for bar in (Bar.MASTER_KEY, Bar.PLAN) if bar.value in missing), Bar.REFUSED)
    return Obstacle(named, action.id)
