"""What depends on a connection, and what stays at the service when it is removed."""

from typing import TYPE_CHECKING

from .connections import Connection
from .workflow.subscriptions import Subscriptions

if TYPE_CHECKING:
    from .host import Host


def users(host: "Host", identity: str) -> list[str]:
    """The names of the enabled workflows that work with a connection."""
    found = Subscriptions(host.store, host.clock).all()
    return [item.name for item in found if item.enabled and identity in item.connections.values()]


def removal(host: "Host", connection: Connection) -> str:
    """What stays at the service; nothing is known of it once the connector is uninstalled."""
    manifest = host.registry.manifests.get(connection.connector)
    kind = manifest.connection_types.get(connection.type) if manifest else None
    return kind.removal if kind else ""
