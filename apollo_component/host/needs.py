"""What chosen actions and triggers need of a credential, as a tick-list."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..contract.actions import names as listed
from ..contract.errors import InputError
from ..contract.inputs import input_fields
from ..contract.manifest import Manifest
from ..contract.palette import cost
from ..contract.schemas import schemas_at
from .naming import Manifests, find_node

if TYPE_CHECKING:
    from .workflow.file import Step, Workflow


def needs_of(manifests: Manifests, names: Sequence[str]) -> dict[str, Any]:
    """`{key_endpoints, oauth_scopes, master_key, credits, late, custom_fields}`; with several connectors
    `{connectors: {id: such an object}}`. Raises NotFoundError and InputError for names that don't fit.

    `late` tells which action is asked for what some inputs make come later: `{action: {when, needs}}`. `custom_fields`
    tells which actions list the fields that an action takes by name: `{action: [listing action]}`.
    """
    actions: dict[str, list[str]] = {}
    for name in names:
        manifest, chosen = find_node(manifests, name)
        actions.setdefault(manifest.id, []).append(chosen.id)
    found = {connector: _needs(manifests[connector], ids) for connector, ids in actions.items()}
    return next(iter(found.values())) if len(found) == 1 else {"connectors": found}


def by_connector(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `needs_of` found, by connector; the name is empty where there is only one."""
    connectors: Mapping[str, Any] = found.get("connectors", {"": found})
    return connectors


def asked_by(workflow: "Workflow", manifests: Manifests) -> list[str]:
    """The names of what a workflow asks, `connector.action`, each once; for `needs_of`."""
    asked = [f"{connector}.{name}" for connector in workflow.connectors for name in workflow.actions(connector)]
    return list(dict.fromkeys([*asked, *(name for step in workflow.steps for name in _look_ups(manifests, step))]))


def asked_of_each(workflow: "Workflow", manifests: Manifests) -> dict[str, list[str]]:
    """The ids of what a workflow asks, by connector."""
    asked: dict[str, list[str]] = {}
    for name in asked_by(workflow, manifests):
        connector, _, identity = name.partition(".")
        asked.setdefault(connector, []).append(identity)
    return asked


def asked_of(connector: str, workflow: "Workflow", manifests: Manifests) -> tuple[str, ...]:
    """The ids of what a workflow asks of one connector, for an account that is linked for it. Raises InputError where
    that is nothing."""
    found = asked_of_each(workflow, manifests).get(connector)
    if not found:
        raise InputError(f"The workflow {workflow.name!r} asks nothing of {connector}, so it needs no such account.")
    return tuple(found)


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The tick-list as text."""
    for connector, needs in by_connector(found).items():
        if connector:
            yield f"== {connector}"
        yield "Endpoints to tick on an API key:"
        yield from (f"  {name}" for name in needs["key_endpoints"] or ["(none)"])
        yield "Scopes of an OAuth app:"
        yield from (f"  {name}" for name in needs["oauth_scopes"] or ["(none)"])
        if needs["master_key"]:
            yield "A master key is needed: no single endpoint can be ticked for part of this."
        yield from remarks(needs)


def remarks(needs: Mapping[str, Any]) -> Iterator[str]:
    """What else to know of the needs at one connector: costs, and what some inputs need beyond them."""
    for action, price in needs["credits"].items():
        yield f"Costs: {action} {_most(price)}"
    for action, later in needs["late"].items():
        flags = f"{', '.join(later['when'][:-1])} or {later['when'][-1]}" if later["when"][1:] else later["when"][0]
        yield f"Late results: {action} with {flags} needs {later['needs']}, too"
    for action, listing in needs["custom_fields"].items():
        yield f"Custom fields by name: {action} with them needs {' and '.join(listing)}, too"


def _most(price: Mapping[str, Any]) -> str:
    if price.get("stated_by"):
        return f"what you state in {price['stated_by']}"
    if price.get("variable"):
        return "no known limit"
    flags = "".join(f", +{more:g} with {flag}" for flag, more in price.get("flags", {}).items())
    each = f" for each of {' or '.join(listed(price['per']))}" if price.get("per") else ""
    return f"up to {cost(price.get('base', 0))}{each}{flags}"


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
    from .custom_fields import maps

    if name not in manifest.actions:
        return []
    fields = input_fields(schemas_at(manifest.root), manifest.actions[name].input)
    return list(dict.fromkeys(source.action for _, source in maps(manifest, fields) if source.action not in chosen))


def _look_ups(manifests: Manifests, step: "Step") -> Iterator[str]:
    """Where a step names custom fields, the action that lists them; values that earlier steps give aren't known."""
    from .custom_fields import look_ups
    from .workflow.expressions import resolve

    given = resolve(step.with_, lambda _expression: None)
    for _, action in look_ups(manifests[step.connector], step.action, given):
        yield f"{step.connector}.{action}"
