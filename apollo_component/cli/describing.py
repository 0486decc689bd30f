"""Commands that tell what connectors can do and what that needs; no account is used."""

import sys
from collections.abc import Iterator, Mapping
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
from ..contract.schemas import Schemas
from .naming import find_action, installed
from .needs import needs_of, show_needs
from .options import AsJson
from .output import Output, table
from .palette import cost, shown

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
    action: Annotated[str, typer.Argument(metavar="ACTION", help="An action of the palette.")], as_json: AsJson = False
) -> None:
    """Show what an action does, needs, costs and takes."""
    manifest, found = find_action(installed(), action)
    schemas = Schemas(manifest.root)
    data = {
        **manifest.action_data(found.id),
        "connector": manifest.id,
        "effect": str(found.effect.kind),
        "effect_text": effect_text(found),
        "input": dict(schemas.schema(found.input)),
        "input_schema": found.input,
        "output_schema": found.output,
        "parts": [part.id for part in manifest.parts(found.id)],
    }
    data.pop("output", None)
    Output(as_json).result(data, lambda: _show(manifest, found, schemas))


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


def _show(manifest: Manifest, action: Action, schemas: Schemas) -> None:
    import json

    print(f"{action.title} ({manifest.id}.{action.id})\n\n{action.description}\n")
    facts = {
        "Group": manifest.groups.get(action.group, action.group),
        **_route(manifest, action),
        "Effect": effect_text(action),
        "Cost": cost_text(action),
        "Deprecated": action.deprecated or "",
    }
    print("\n".join(f"{name + ':':<13}{value}" for name, value in facts.items() if value))
    table(("input", "type", "required", "default", "description"), inputs(schemas, action), empty="\nNo inputs.")
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


def inputs(schemas: Schemas, action: Action) -> Iterator[tuple[str, ...]]:
    """One row per input field: name, type, required, default, description."""
    required = schemas.schema(action.input).get("required", [])
    for name, field in schemas.fields(action.input).items():
        default = field.get("default")
        yield (
            name,
            type_text(field),
            "yes" if name in required else "",
            "" if default is None else str(default).lower() if isinstance(default, bool) else str(default),
            field.get("description") or field.get("title", ""),
        )


def type_text(field: Mapping[str, Any]) -> str:
    kind = field.get("type", "")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if text == "array":
        items = field.get("items", {})
        return f"list of {type_text(items) or 'objects'}" if "$ref" not in items else "list"
    return "one of " + ", ".join(str(item) for item in field["enum"]) if "enum" in field else text


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
