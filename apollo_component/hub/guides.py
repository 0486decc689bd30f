"""What a person does at the service before an account can be linked: the manifest's steps, with exactly the names to
tick for what they chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.manifest import ConnectionType, GuideStep, Manifest


@dataclass(frozen=True, slots=True)
class Step:
    """`items` are to be ticked or copied; `shows` is key_endpoints, oauth_scopes or redirect_uri."""

    title: str
    text: str
    shows: str = ""
    items: tuple[str, ...] = ()


def steps(kind: ConnectionType, needs: Mapping[str, Any], redirect_uri: str) -> list[Step]:
    """`needs` is what `Manifest.requirements` gives."""
    return [_step(step, needs, redirect_uri) for step in kind.guide]


def _step(step: GuideStep, needs: Mapping[str, Any], redirect_uri: str) -> Step:
    items = [redirect_uri] if step.show == "redirect_uri" else needs.get(step.show or "", [])
    return Step(step.title, step.text, step.show or "", tuple(map(str, items)))


def groups(manifest: Manifest) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything that a person may choose, as (group, [(id, title)]); triggers come last."""
    found: dict[str, list[tuple[str, str]]] = {title: [] for title in manifest.groups.values()}
    for action in manifest.actions.values():
        found[manifest.groups[action.group]].append((action.id, action.title))
    listed = [(title, items) for title, items in found.items() if items]
    triggers = [(trigger.id, trigger.title) for trigger in manifest.triggers.values()]
    return [*listed, ("", triggers)] if triggers else listed


def titles(manifest: Manifest | None, names: Sequence[str]) -> dict[str, str]:
    """What actions and triggers are called; a name that isn't there any more stands for itself."""
    known: dict[str, str] = {}
    if manifest:
        known = {item.id: item.title for item in manifest.triggers.values()}
        known |= {item.id: item.title for item in manifest.actions.values()}
    return {name: known.get(name, name) for name in names}
