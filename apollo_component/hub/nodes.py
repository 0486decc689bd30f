"""What the palette offers: the actions and triggers of every connector, as rows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract.actions import Action
from ..contract.manifest import Manifest
from ..contract.palette import palette_entry, price
from ..contract.triggers import Trigger
from ..host.facts import key_text, oauth_text

_SENTENCE = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Node:
    """`name` is `connector.id`, `group` is `connector.group`; `kind` is the effect of an action, or `trigger`."""

    name: str
    connector: str
    id: str
    title: str
    about: str = field(repr=False)
    """All of the description."""
    group: str
    heading: str
    kind: str
    costs: bool = False
    cost: str = ""
    mails: bool = False
    keys: tuple[str, ...] = ()
    """What a key must have ticked."""
    scopes: tuple[str, ...] = ()
    """What an OAuth app must be granted."""

    @property
    def path(self) -> str:
        return f"/connectors/{self.connector}/{'triggers' if self.is_trigger else 'actions'}/{self.id}"

    @property
    def is_trigger(self) -> bool:
        return self.kind == "trigger"

    @property
    def gist(self) -> str:
        """The first sentence of what it does."""
        return _SENTENCE.split(self.about, maxsplit=1)[0]


def nodes_of(manifests: Iterable[Manifest]) -> list[Node]:
    """In the order of the groups; deprecated actions are left out."""
    return [node for manifest in manifests for node in _sorted(manifest)]


def _sorted(manifest: Manifest) -> list[Node]:
    places = {f"{manifest.id}.{group}": number for number, group in enumerate(manifest.groups)}
    return sorted([*_actions(manifest), *_triggers(manifest)], key=lambda node: places.get(node.group, len(places)))


def _actions(manifest: Manifest) -> Iterator[Node]:
    for entry in palette_entry(manifest.data)["actions"]:
        action = manifest.actions[entry["id"]]
        kind = "ask" if action.effect.stated_by else action.effect.kind.value
        parts = [part for part in manifest.parts(action.id) if not part.requires.open]
        yield Node(
            **_common(manifest, action),
            kind=kind,
            costs=action.credits.costs,
            cost=price(entry),
            mails=action.mails or kind == "send",
            **_needs(parts),
        )


def _triggers(manifest: Manifest) -> Iterator[Node]:
    for trigger in manifest.triggers.values():
        asked = [manifest.actions[trigger.action]] if trigger.action else []
        yield Node(**_common(manifest, trigger), kind="trigger", cost="free", **_needs(asked))


def _needs(parts: Sequence[Action]) -> dict[str, Any]:
    keys, scopes = zip(*((key_text(part), oauth_text(part)) for part in parts), strict=True) if parts else ((), ())
    return {"keys": tuple(dict.fromkeys(keys)), "scopes": tuple(dict.fromkeys(scopes))}


def _common(manifest: Manifest, item: Action | Trigger) -> dict[str, Any]:
    return {
        "name": f"{manifest.id}.{item.id}",
        "connector": manifest.id,
        "id": item.id,
        "title": item.title,
        "about": item.description,
        "group": f"{manifest.id}.{item.group}",
        "heading": manifest.groups[item.group],
    }
