"""What a command names: actions of --for, connection types, connectors, and the host that is opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..contract.errors import InputError, Problem
from ..contract.manifest import ConnectionType, Manifest
from ..host.naming import Manifests, find_action, find_named, find_trigger
from .output import Output

if TYPE_CHECKING:
    from ..host.host import Host
    from ..host.registry import Registry


@contextmanager
def opened(out: Output) -> Iterator["Host"]:
    """The host of this environment; what it has to say goes to stderr."""
    from ..host.host import Host
    from ..host.logs import written

    with written():
        host = Host.open(notice=out.say)
        try:
            yield host
        finally:
            host.close()


def installed() -> Manifests:
    """The manifests of the installed connectors; no database is touched."""
    return plugins().manifests


def plugins() -> "Registry":
    """The installed connectors; no database is touched."""
    from ..host.registry import Registry

    return Registry.installed()


def action_ids(manifests: Manifests, names: Sequence[str] | None, connector: str) -> tuple[str, ...]:
    """The ids of the actions named with --for, and of those that triggers of that name ask. Raises NotFoundError."""
    return tuple(action for name in names or () for action in _asked(manifests, name, connector))


def _asked(manifests: Manifests, name: str, connector: str) -> Iterator[str]:
    found = find_trigger(manifests, name)
    if found is None:
        yield find_action(manifests, name, connector)[1].id
    elif found[1].action is not None:
        yield found[1].action


def find_type(manifests: Manifests, name: str, connector: str | None) -> tuple[Manifest, ConnectionType]:
    """The connection type, of the connector named or of the only one that has it. Raises InputError."""
    chosen = [find_named(manifests, connector)] if connector else list(manifests.values())
    having = [manifest for manifest in chosen if name in manifest.connection_types]
    if not having:
        known = ", ".join(dict.fromkeys(kind for manifest in chosen for kind in manifest.connection_types))
        raise InputError("There is no such connection type.", [Problem(f"must be one of: {known}", path="type")])
    if len(having) > 1:
        raise _which(having)
    return having[0], having[0].connection_types[name]


def find_connector(manifests: Manifests, connector: str | None) -> Manifest:
    """The connector named, or the only one whose accounts are linked with an OAuth app. Raises InputError."""
    if connector is not None:
        return find_named(manifests, connector)
    having = [item for item in manifests.values() if any(kind.oauth for kind in item.connection_types.values())]
    if len(having) != 1:
        raise _which(having)
    return having[0]


def _which(having: Sequence[Manifest]) -> InputError:
    names = ", ".join(manifest.id for manifest in having) or "(none installed)"
    return InputError("Say which connector is meant.", [Problem(f"must be one of: {names}", path="--connector")])
