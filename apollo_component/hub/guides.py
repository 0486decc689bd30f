"""What a person does at the service before an account can be linked: the manifest's steps, with exactly the names to
tick for what they chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.manifest import ConnectionType, GuideStep, Manifest


@dataclass(frozen=True, slots=True)
class Step:
    """`items` are to be ticked or copied; `shows` is key_endpoints, oauth_scopes, redirect_uri or name; `fields` are
    those of the form that it explains."""

    title: str
    text: str
    shows: str = ""
    items: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def ticked(self) -> bool:
        """Whether its items are to be ticked at the service, not copied to it."""
        return self.shows in ("key_endpoints", "oauth_scopes")


def steps(kind: ConnectionType, needs: Mapping[str, Any], own: Mapping[str, str]) -> list[Step]:
    """`needs` is what `Manifest.requirements` gives; `own` are this Hub's `redirect_uri` and `name`."""
    return [_step(step, needs, own) for step in kind.guide]


def _step(step: GuideStep, needs: Mapping[str, Any], own: Mapping[str, str]) -> Step:
    shows = step.show or ""
    items = [own[shows]] if shows in own else needs.get(shows, [])
    return Step(step.title, step.text, shows, tuple(map(str, items)), step.fields)


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
