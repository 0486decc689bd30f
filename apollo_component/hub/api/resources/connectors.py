"""What there is to choose from: connectors, their actions and triggers, and what these need."""

from collections.abc import Iterator
from typing import Any

from ....contract.actions import Action
from ....contract.bundling import bundled
from ....contract.errors import NotFoundError
from ....contract.manifest import ConnectionType, Manifest
from ....contract.palette import action_entry, palette_entry
from ....contract.schemas import schemas_at
from ....host.needs import needs_of
from ..endpoint import JSON, Ask, Endpoint, Parameter
from ..shapes import ACTIONS, listed, obj, ref, sent, text

CONNECTOR = Parameter("connector", "A connector's id.", text(minLength=1, maxLength=100, pattern=r"^[A-Za-z0-9_-]+$"))
ACTION = Parameter("action", "An action's id.", text(minLength=1, maxLength=100, pattern=r"^[A-Za-z0-9_]+$"))
TRIGGER = Parameter("trigger", "A trigger's id.", text(minLength=1, maxLength=100, pattern=r"^[A-Za-z0-9_]+$"))


def connectors(ask: Ask) -> JSON:
    return {"items": [_short(manifest) for manifest in ask.host.registry.manifests.values()]}


def connector(ask: Ask) -> JSON:
    manifest = _manifest(ask)
    kinds = [_kind(manifest, kind) for kind in manifest.connection_types.values()]
    return {**palette_entry(manifest.data), "description": manifest.description, "connection_types": kinds}


def action(ask: Ask) -> JSON:
    manifest = _manifest(ask)
    found = manifest.actions.get(ask.path["action"])
    if found is None:
        raise NotFoundError(f"{manifest.title} has no such action.")
    return dict(_action(manifest, found))


def trigger(ask: Ask) -> JSON:
    manifest = _manifest(ask)
    found = manifest.triggers.get(ask.path["trigger"])
    if found is None:
        raise NotFoundError(f"{manifest.title} has no such trigger.")
    plain = ("id", "title", "group", "description", "style", "interval")
    record = manifest.record_of(found)
    return {
        **{name: getattr(found, name) for name in plain},
        "connector": manifest.id,
        "input": bundled(schemas_at(manifest.root), found.input),
        "record": bundled(schemas_at(manifest.root), record) if record else None,
    }


def requirements(ask: Ask) -> JSON:
    manifest = _manifest(ask)
    return needs_of({manifest.id: manifest}, ask.body["actions"])


def _manifest(ask: Ask) -> Manifest:
    return ask.host.registry.manifest(ask.path["connector"])


def _short(manifest: Manifest) -> dict[str, Any]:
    told = {name: getattr(manifest, name) for name in ("id", "title", "version", "description")}
    shown = [one for one in manifest.actions.values() if not one.deprecated]
    return {**told, "actions": len(shown), "triggers": len(manifest.triggers)}


def _kind(manifest: Manifest, kind: ConnectionType) -> dict[str, Any]:
    steps = [
        {"title": step.title, "text": step.text, "show": step.show, "fields": list(step.fields)} for step in kind.guide
    ]
    told = {name: getattr(kind, name) for name in ("id", "title", "description", "kind", "removal")}
    return {**told, "fields": bundled(schemas_at(manifest.root), kind.fields), "guide": steps}


def _action(manifest: Manifest, found: Action) -> Iterator[tuple[str, Any]]:
    schemas = schemas_at(manifest.root)
    yield from ((name, getattr(found, name)) for name in ("id", "title", "group", "description", "deprecated"))
    yield "connector", manifest.id
    yield "effect", str(found.effect.kind)
    yield "may_mail", found.may_mail({})
    cost = found.credits
    yield (
        "cost",
        {name: getattr(cost, name) for name in ("base", "flags", "variable", "stated_by")}
        | {
            "per": list(cost.per),
            "unbounded": list(cost.unbounded),
        },
    )
    yield "requires", action_entry(manifest.action_data(found.id), manifest.data)["requires"]
    yield "paged", found.paging is not None
    yield "bulk", {"items": list(found.bulk.items), "max": found.bulk.max} if found.bulk else None
    yield "example", dict(found.example)
    yield "input", bundled(schemas, found.input)
    yield "output", bundled(schemas, found.output)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/connectors",
        name="list_connectors",
        summary="The installed connectors",
        tag="Palette",
        handler=connectors,
        answer=obj({"items": listed(ref("Connector"))}),
    ),
    Endpoint(
        method="GET",
        path="/connectors/{connector}",
        name="get_connector",
        summary="A connector's palette: actions, triggers, groups, and how accounts are linked",
        tag="Palette",
        handler=connector,
        answer=ref("PaletteEntry"),
        path_parameters=(CONNECTOR,),
    ),
    Endpoint(
        method="GET",
        path="/connectors/{connector}/actions/{action}",
        name="get_action",
        summary="What an action takes, gives, needs and costs",
        tag="Palette",
        handler=action,
        answer=ref("Action"),
        path_parameters=(CONNECTOR, ACTION),
    ),
    Endpoint(
        method="GET",
        path="/connectors/{connector}/triggers/{trigger}",
        name="get_trigger",
        summary="What a trigger takes and gives",
        tag="Palette",
        handler=trigger,
        answer=ref("Trigger"),
        path_parameters=(CONNECTOR, TRIGGER),
    ),
    Endpoint(
        method="POST",
        path="/connectors/{connector}/requirements",
        name="get_requirements",
        summary="What a credential needs for chosen actions: what to tick on a key, and the scopes of an OAuth app",
        tag="Palette",
        handler=requirements,
        answer=ref("Requirements"),
        path_parameters=(CONNECTOR,),
        body=sent({"actions": {**ACTIONS, "minItems": 1}}),
    ),
)
