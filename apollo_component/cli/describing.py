"""Commands that tell what connectors can do and what that needs; no account is used."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..contract.actions import Action, Compose
from ..contract.errors import ManifestError
from ..contract.loading import MANIFEST
from ..contract.loading import validate as problems_of
from ..contract.manifest import Manifest
from ..contract.palette import palette as indexed
from ..contract.palette import palette_entry
from ..contract.schemas import schemas_at
from .choosing import show as show_choices
from .fields import inputs
from .naming import find_action, find_trigger, installed, opened
from .needs import needs_of, show_needs
from .options import AsJson
from .output import Output, table
from .palette import cost, shown
from .triggers import describe_trigger

EFFECTS = {
    "read": "Reads only; repeating it changes nothing.",
    "upsert": "Changes records; repeating it leaves the same result.",
    "create": "Makes a new record each time it runs.",
    "bill": "Costs credits each time it runs.",
    "send": "Real people get mail; it needs --yes.",
}


def palette(as_json: AsJson = False) -> None:
    """List every action of the installed connectors."""
    found = indexed() or {"connectors": [palette_entry(manifest.data) for manifest in installed().values()]}
    sys.stdout.write(shown(found, as_json=as_json))


def describe(
    action: Annotated[str, typer.Argument(metavar="ACTION|TRIGGER", help="An action or a trigger of the palette.")],
    connection: Annotated[
        str | None, typer.Option(help="Also show the custom fields of this connection's workspace.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what an action or a trigger does, needs, costs and takes."""
    out, manifests = Output(as_json), installed()
    if trigger := find_trigger(manifests, action):
        describe_trigger(*trigger, out)
        return
    if connection is None:
        manifest, found = find_action(manifests, action)
        out.result(_described(manifest, found), lambda: _show(manifest, found))
        return
    with opened(out) as host:
        link = host.connections.get(connection)
        manifest, found = find_action(host.registry.manifests, action, link.connector)
        fields, schemas = host.fields.known(link.id, found), host.fields.schemas(link.id, found)

    def people() -> None:
        _show(manifest, found)
        for name, known in fields.items():
            print(f"\nCustom fields for {name}")
            show_choices(known, empty="This workspace has none.")

    out.result({**_described(manifest, found), "custom_fields": schemas}, people)


def _described(manifest: Manifest, action: Action) -> dict[str, Any]:
    data = {
        **manifest.action_data(action.id),
        "connector": manifest.id,
        "effect": str(action.effect.kind),
        "effect_text": effect_text(action),
        "input": dict(schemas_at(manifest.root).schema(action.input)),
        "input_schema": action.input,
        "output_schema": action.output,
        "parts": [part.id for part in manifest.parts(action.id)],
    }
    data.pop("output", None)
    return data


def effect_text(action: Action) -> str:
    rule = action.effect
    if rule.stated_by:
        return f"What you state in {rule.stated_by}; a GET reads unless told otherwise. With send it needs --yes."
    text = EFFECTS[rule.kind]
    if action.compose:
        return "Looks for the record first; repeating it leaves the same result."
    if rule.upsert_flag:
        text += f" With {rule.upsert_flag} and {' or '.join(rule.upsert_keys)} it updates a match instead."
    return text


def cost_text(action: Action) -> str:
    """The worst cost of one request in words."""
    price = action.credits
    if price.variable:
        return "no known limit"
    if price.stated_by:
        return f"what you state in {price.stated_by}"
    if not price.base and not price.flags and not price.unbounded:
        return "free"
    each = f" for each of {' or '.join(price.per)}" if price.per else ""
    extra = [f"{more:g} more with {flag}" for flag, more in price.flags.items()]
    unbounded = [f"no known limit with {' or '.join(price.unbounded)}"] if price.unbounded else []
    return "; ".join([f"up to {cost(price.base)}{each}", *extra, *unbounded])


def waits_text(action: Action) -> str:
    """What comes after the answer and how long it is waited for, empty when nothing does."""
    wait = action.wait
    if wait is None:
        return ""
    when = f" with {' or '.join(wait.when)}" if wait.when else ""
    return f"up to {wait.timeout / 60:g} minutes for what comes later{when} (asks {wait.action}); --no-wait doesn't"


def _show(manifest: Manifest, action: Action) -> None:
    import json

    print(f"{action.title} ({manifest.id}.{action.id})\n\n{action.description}\n")
    facts = {
        "Group": manifest.groups.get(action.group, action.group),
        **_route(manifest, action),
        "Effect": effect_text(action),
        "Cost": cost_text(action),
        "Waits": waits_text(action),
        "Deprecated": action.deprecated or "",
    }
    print("\n".join(f"{name + ':':<13}{value}" for name, value in facts.items() if value))
    table(
        ("input", "type", "required", "default", "description"),
        inputs(schemas_at(manifest.root), action.input),
        empty="\nNo inputs.",
    )
    if action.example:
        print(f"Example: {json.dumps(dict(action.example), ensure_ascii=False)}")


def _route(manifest: Manifest, action: Action) -> dict[str, str]:
    if action.raw:
        return {"Request": "the method and path you give", "Key needs": "what the path needs"}
    parts = manifest.parts(action.id)
    most = f" ({most_text(action.compose)})" if action.compose else ""
    return {
        "Request": ", ".join(f"{part.method} {part.path}" for part in parts) + most,
        "Key needs": ", ".join(part.requires.key_endpoint or "any key" for part in parts),
        "OAuth needs": ", ".join(oauth_text(part) for part in parts),
    }


def most_text(compose: Compose) -> str:
    from ..host.composed import most_requests

    return f"{most_requests(compose)} requests at most, 1 or 2 as a rule"


def oauth_text(action: Action) -> str:
    return action.requires.oauth_scope or ("any token" if action.requires.open else "not available")


def requirements(
    names: Annotated[list[str], typer.Argument(metavar="FILE|ACTION...", help="Actions, or a workflow file.")],
    as_json: AsJson = False,
) -> None:
    """Show what a key or an OAuth app must be allowed for these actions, to tick or copy."""
    found = needs_of(installed(), names)
    Output(as_json).result(found, lambda: show_needs(found))


def validate(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A connector.yaml; else the installed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a connector's declaration and its schemas. Exit code 2 when something is wrong."""
    files = [file] if file else [manifest.root / MANIFEST for manifest in installed().values()]
    problems = [problem for each in files for problem in problems_of(each)]
    if problems:
        raise ManifestError(f"{len(problems)} problem{'s'[: len(problems) != 1]} found.", problems)
    checked = [str(each) for each in files]
    Output(as_json).result({"valid": True, "files": checked}, lambda: print(f"Valid: {', '.join(checked)}"))
