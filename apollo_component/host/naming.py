"""Actions, triggers and connectors by the names that people give them."""

from collections.abc import Mapping
from difflib import get_close_matches

from ..contract.actions import Action
from ..contract.errors import InputError, NotFoundError, Problem
from ..contract.manifest import Manifest
from ..contract.triggers import Trigger

Manifests = Mapping[str, Manifest]


def find_action(manifests: Manifests, name: str, connector: str | None = None) -> tuple[Manifest, Action]:
    """By `action` or `connector.action`. Raises NotFoundError, or InputError when several connectors have it."""
    found = [
        (manifest, action)
        for manifest in manifests.values()
        for action in manifest.actions.values()
        if connector in (None, manifest.id) and name in (action.id, f"{manifest.id}.{action.id}")
    ]
    if not found:
        raise NotFoundError(f"There is no action {name!r}{_here(connector)}.", hint=_near(manifests, name))
    if len(found) > 1:
        names = ", ".join(f"{manifest.id}.{action.id}" for manifest, action in found)
        raise InputError("Several connectors have an action of this name.", [Problem(f"must be one of: {names}")])
    return found[0]


def find_trigger(manifests: Manifests, name: str) -> tuple[Manifest, Trigger] | None:
    """By `trigger` or `connector.trigger`; None when there is no trigger of that name."""
    found = (
        (manifest, trigger)
        for manifest in manifests.values()
        for trigger in manifest.triggers.values()
        if name in (trigger.id, f"{manifest.id}.{trigger.id}")
    )
    return next(found, None)


def find_node(manifests: Manifests, name: str) -> tuple[Manifest, Action | Trigger]:
    """An action or a trigger. Raises as find_action does."""
    return find_trigger(manifests, name) or find_action(manifests, name)


def find_named(manifests: Manifests, connector: str) -> Manifest:
    """Raises NotFoundError."""
    if connector not in manifests:
        raise NotFoundError(f"There is no connector {connector!r} here.", hint=f"Installed: {', '.join(manifests)}.")
    return manifests[connector]


def _here(connector: str | None) -> str:
    return f" in {connector}" if connector else ""


def _near(manifests: Manifests, name: str) -> str:
    known = [item for manifest in manifests.values() for item in (*manifest.actions, *manifest.triggers)]
    close = get_close_matches(name.rpartition(".")[2], known, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else "`palette` lists actions and triggers."
