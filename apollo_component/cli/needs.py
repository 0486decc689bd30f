"""What chosen actions and triggers need, as a tick-list."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contract.actions import names as listed
from ..contract.errors import InputError
from ..contract.inputs import input_fields
from ..contract.manifest import Manifest
from ..contract.schemas import schemas_at
from .naming import Manifests, find_action, find_trigger
from .palette import cost as _cost

if TYPE_CHECKING:
    from ..host.workflow.file import Step


def needs_of(manifests: Manifests, names: Sequence[str]) -> dict[str, Any]:
    """`{key_endpoints, oauth_scopes, master_key, credits, late, custom_fields}`; with several connectors one such
    object for each.

    `late` tells which action is asked for what some inputs make come later: `{action: {when, needs}}`. `custom_fields`
    tells which actions list the fields that an action takes by name: `{action: [listing action]}`.
    """
    actions: dict[str, list[str]] = {}
    for name in _actions(manifests, names):
        manifest, chosen = find_trigger(manifests, name) or find_action(manifests, name)
        actions.setdefault(manifest.id, []).append(chosen.id)
    found = {connector: _needs(manifests[connector], ids) for connector, ids in actions.items()}
    return next(iter(found.values())) if len(found) == 1 else {"connectors": found}


def _needs(manifest: Manifest, chosen: Sequence[str]) -> dict[str, Any]:
    """What always comes later is asked for by an action whose rights belong to the list."""
    waits = {name: wait for name in chosen if name in manifest.actions and (wait := manifest.actions[name].wait)}
    asked = [wait.action for wait in waits.values() if not wait.when]
    late = {
        name: {"when": list(wait.when), "needs": wait.action}
        for name, wait in waits.items()
        if wait.when and wait.action not in (*chosen, *asked)
    }
    fields = {name: listing for name in chosen if (listing := _listing(manifest, name, chosen))}
    return manifest.requirements(list(dict.fromkeys((*chosen, *asked)))) | {"late": late, "custom_fields": fields}


def _listing(manifest: Manifest, name: str, chosen: Sequence[str]) -> list[str]:
    """The actions beyond those chosen that list the custom fields an action takes by name."""
    from ..host.custom_fields import maps

    if name not in manifest.actions:
        return []
    fields = input_fields(schemas_at(manifest.root), manifest.actions[name].input)
    return list(dict.fromkeys(source.action for _, source in maps(manifest, fields) if source.action not in chosen))


def is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or Path(name).is_file()


def _actions(manifests: Manifests, names: Sequence[str]) -> list[str]:
    if not any(is_file(name) for name in names):
        return list(names)
    if len(names) > 1:
        raise InputError("Give one workflow file, or actions.")
    from ..host.workflow.file import load_workflow

    workflow = load_workflow(Path(names[0]), manifests)
    connectors = dict.fromkeys(connector for connector, _ in workflow.connections.values())
    asked = [f"{connector}.{name}" for connector in connectors for name in workflow.actions(connector)]
    return [*asked, *(name for step in workflow.steps for name in _look_ups(manifests, step))]


def _look_ups(manifests: Manifests, step: "Step") -> Iterator[str]:
    """Where a step names custom fields, the action that lists them; values that earlier steps give aren't known."""
    from ..host.custom_fields import look_ups
    from ..host.workflow.expressions import resolve

    given = resolve(step.with_, lambda _expression: None)
    for _, action in look_ups(manifests[step.connector], step.action, given):
        yield f"{step.connector}.{action}"


def show_needs(found: Mapping[str, Any]) -> None:
    for connector, needs in found.get("connectors", {"": found}).items():
        if connector:
            print(f"== {connector}")
        _show(needs)


def _show(needs: Mapping[str, Any]) -> None:
    print("Endpoints to tick on an API key:")
    print("\n".join(f"  {name}" for name in needs["key_endpoints"]) or "  (none)")
    print("Scopes of an OAuth app:")
    print("\n".join(f"  {name}" for name in needs["oauth_scopes"]) or "  (none)")
    if needs["master_key"]:
        print("A master key is needed: no single endpoint can be ticked for part of this.")
    for action, price in needs["credits"].items():
        flags = "".join(f", +{cost:g} with {flag}" for flag, cost in price.get("flags", {}).items())
        each = f" for each of {' or '.join(listed(price['per']))}" if price.get("per") else ""
        most = "no known limit" if price.get("variable") else f"up to {_cost(price.get('base', 0))}{each}{flags}"
        most = f"what you state in {price['stated_by']}" if price.get("stated_by") else most
        print(f"Costs: {action} {most}")
    for action, later in needs["late"].items():
        flags = f"{', '.join(later['when'][:-1])} or {later['when'][-1]}" if later["when"][1:] else later["when"][0]
        print(f"Late results: {action} with {flags} needs {later['needs']}, too")
    for action, listing in needs["custom_fields"].items():
        print(f"Custom fields by name: {action} with them needs {' and '.join(listing)}, too")
