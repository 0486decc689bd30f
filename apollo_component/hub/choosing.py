"""What a person asks the palette for: words, filters, an account, and what they ticked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from ..host.connections import Connection
from ..host.naming import Manifests, find_node
from ..host.rights import Obstacle, obstacle
from .messages import Messages
from .nodes import Node, nodes_of
from .searching import ranked

SHOWS: dict[str, Callable[[Node], bool]] = {
    "all": lambda _node: True,
    "read": lambda node: node.kind == "read",
    "write": lambda node: node.kind in ("upsert", "create", "send", "ask"),
    "cost": lambda node: node.costs,
    "mail": lambda node: node.mails,
    "trigger": lambda node: node.is_trigger,
}
"""What can be shown, by the name of the filter."""
MOST_PICKS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """`group` is `connector.group`, empty for all; `able` shows only what the account may run; `picks` are names."""

    q: str = ""
    group: str = ""
    show: str = "all"
    account: str = ""
    able: bool = False
    picks: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryParams, manifests: Manifests) -> "Asked":
        """Raises NotFoundError and InputError for a pick that is no action or trigger."""
        show = query.get("show", "")
        return cls(
            query.get("q", "")[:200],
            query.get("group", ""),
            show if show in SHOWS else "all",
            query.get("account", ""),
            bool(query.get("able")),
            picked(query.getlist("pick"), manifests),
        )


def picked(given: Sequence[str], manifests: Manifests) -> tuple[str, ...]:
    """The full names of actions and triggers, each once. Raises NotFoundError and InputError."""
    found = (find_node(manifests, name) for name in given[:MOST_PICKS])
    return tuple(dict.fromkeys(f"{manifest.id}.{item.id}" for manifest, item in found))


@dataclass(frozen=True, slots=True)
class Found:
    """Every node; those that were asked for, the best first; and what keeps the account from running which."""

    every: Sequence[Node]
    shown: Sequence[Node]
    barred: dict[str, str]


def found(asked: Asked, manifests: Manifests, account: Connection | None, texts: Messages) -> Found:
    every = nodes_of(manifests.values())
    barred = _barred(every, manifests, account, texts) if account else {}
    fits = [
        node
        for node in every
        if asked.group in ("", node.group) and SHOWS[asked.show](node) and not (asked.able and node.name in barred)
    ]
    return Found(every, ranked(fits, asked.q), barred)


def _barred(every: Sequence[Node], manifests: Manifests, account: Connection, texts: Messages) -> dict[str, str]:
    """Why the account can't run a node, in words, by the node's name."""
    met = ((node, obstacle(manifests[node.connector], node.id, account)) for node in every)
    return {node.name: reason(bar, account, texts) for node, bar in met if bar}


def reason(met: Obstacle, account: Connection, texts: Messages) -> str:
    """What keeps an account from running something, in words."""
    return texts(f"palette.bar.{met.bar}", missing=met.name, account=account.name)
