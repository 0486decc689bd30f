"""A connector, its icon, and each of its actions and triggers: what it does, takes, gives, costs and needs."""

import json
from typing import Any

import yaml
from starlette.responses import FileResponse, Response

from ...contract.actions import Action
from ...contract.errors import NotFoundError
from ...contract.inputs import InputField, input_fields, rules
from ...contract.manifest import Manifest
from ...contract.schemas import Schemas, schemas_at
from ...contract.triggers import Trigger
from ...host import facts
from ...host.field_words import about, needed, record_fields, value_text
from ..nodes import nodes_of
from ..visits import Place, Visit, Who

ICON_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
SHOWN_DEPTH = 2
"""Levels of a record that are listed."""


def connector(visit: Visit) -> Response:
    manifest = _manifest(visit)
    nodes = nodes_of([manifest])
    groups: dict[str, int] = {}
    for node in nodes:
        groups[node.group] = groups.get(node.group, 0) + 1
    headings = {node.group: node.heading for node in nodes}
    return visit.page("connector.html", manifest=manifest, nodes=nodes, groups=groups, headings=headings)


def icon(visit: Visit) -> Response:
    """Shown as a picture, where nothing in it could run; opened by itself nothing can either."""
    file = _manifest(visit).icon
    if file is None:
        raise NotFoundError("This connector has no icon.")
    headers = {"content-security-policy": ICON_POLICY, "cache-control": "private, max-age=3600"}
    return FileResponse(file, media_type="image/svg+xml", headers=headers)


def action(visit: Visit) -> Response:
    manifest = _manifest(visit)
    found = manifest.actions.get(visit.path["action"])
    if found is None:
        raise NotFoundError(f"{manifest.title} has no action {visit.path['action']!r}.")
    return _page(
        visit,
        manifest,
        found,
        facts=_action_facts(visit, found),
        parts=manifest.parts(found.id),
        record=found.output,
        one=bool(found.reply.value or found.compose),
        example=json.dumps(dict(found.example), indent=2, ensure_ascii=False) if found.example else "",
        step=_yaml([_step(found)]),
    )


def trigger(visit: Visit) -> Response:
    manifest = _manifest(visit)
    found = manifest.triggers.get(visit.path["trigger"])
    if found is None:
        raise NotFoundError(f"{manifest.title} has no trigger {visit.path['trigger']!r}.")
    return _page(
        visit,
        manifest,
        found,
        facts=_trigger_facts(visit, found),
        parts=tuple(manifest.needed([found.id])),
        record=manifest.record_of(found),
        one=True,
        example="",
        step=_yaml(_start(manifest, found)),
    )


def _page(visit: Visit, manifest: Manifest, item: Action | Trigger, *, record: str | None, **values: Any) -> Response:
    """A node's page. `node` is its row in the palette, None for what isn't offered there any more."""
    schemas = schemas_at(manifest.root)
    is_trigger = isinstance(item, Trigger)
    rows = (node for node in nodes_of([manifest]) if (node.id, node.is_trigger) == (item.id, is_trigger))
    return visit.page(
        "node.html",
        manifest=manifest,
        item=item,
        is_trigger=is_trigger,
        node=next(rows, None),
        inputs=[_row(field) for field in input_fields(schemas, item.input)],
        rules=list(rules(schemas, item.input)),
        outputs=[_row(field) for field in record_fields(schemas, record, SHOWN_DEPTH)] if record else [],
        output=_example(schemas, record) if record else "",
        **values,
    )


def _example(schemas: Schemas, record: str) -> str:
    """The record that its schema gives as an example, as JSON; empty when it gives none."""
    given = schemas.schema(record).get("examples", [])
    return json.dumps(given[0], indent=2, ensure_ascii=False) if given else ""


def _step(action: Action) -> dict[str, Any]:
    """A step of a workflow file that runs the action's example."""
    values = dict(action.example)
    step = {"id": "first", "action": action.id} | ({"with": values} if values else {})
    return step | ({"confirm": True} if action.needs_word(values) else {})


def _start(manifest: Manifest, trigger: Trigger) -> dict[str, Any]:
    """What begins a workflow file that the trigger starts; what must be filled in stands in capitals."""
    fields = input_fields(schemas_at(manifest.root), trigger.input)
    given = {field.name: field.name.upper() for field in fields if field.required and not field.path[1:]}
    step = {"id": "first", "action": "ACTION", "with": {"id": {"$from": "trigger.id"}}}
    return {"trigger": {"on": trigger.id} | ({"with": given} if given else {}), "steps": [step]}


def _manifest(visit: Visit) -> Manifest:
    manifest: Manifest = visit.host.registry.manifest(visit.path["connector"])
    return manifest


def _action_facts(visit: Visit, action: Action) -> dict[str, str]:
    """By the names of their headings; without those that have no value."""
    found = {
        "effect": facts.effect_text(action),
        "mails": visit.hub.texts("node.mail") if action.mails else "",
        "cost": facts.cost_text(action),
        "accounts": facts.accounts_text(action),
        "waits": facts.waits_text(action),
        "requests": facts.most_text(action.compose) if action.compose else "",
        "bulk": f"{action.bulk.max:,}" if action.bulk else "",
        "ceiling": f"{action.ceiling:,}" if action.ceiling else "",
    }
    return {name: text for name, text in found.items() if text}


def _trigger_facts(visit: Visit, trigger: Trigger) -> dict[str, str]:
    return {
        "looks": facts.looks_text(trigger),
        "since": visit.hub.texts("node.past" if trigger.since_allowed else "node.now"),
        "cost": "free",
    }


def _row(field: InputField) -> dict[str, Any]:
    """A field of an input, for a table: `depth` is how far it stands inside others."""
    default = field.schema.get("default")
    return {
        "name": field.path[-1],
        "path": field.name,
        "depth": min(len(field.path) - 1, 4),
        "title": field.schema.get("title", ""),
        "type": value_text(field.schema),
        "needed": needed(field),
        "default": "" if default is None else json.dumps(default, ensure_ascii=False),
        "about": about(field.schema),
        "choices": field.vocabulary,
        "source": field.source if not field.vocabulary else None,
    }


def _yaml(value: Any) -> str:
    """As workflow files are written, where `on` is a word like any other."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.replace("'on':", "on:")


PLACES = (
    Place("/connectors/{connector}", connector),
    Place("/connectors/{connector}/icon", icon, who=Who.GUEST),
    Place("/connectors/{connector}/actions/{action}", action),
    Place("/connectors/{connector}/triggers/{trigger}", trigger),
)
