"""Commands that tell what connectors can do and what that needs; no account is used."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..contract.actions import Action
from ..contract.errors import ManifestError
from ..contract.inputs import rules
from ..contract.loading import MANIFEST
from ..contract.loading import validate as problems_of
from ..contract.manifest import Manifest
from ..contract.palette import palette as indexed
from ..contract.palette import palette_entry
from ..contract.schemas import schemas_at
from ..host.naming import find_action, find_trigger
from ..host.needs import lines
from .choosing import show as show_choices
from .facts import effect_text, facts
from .fields import as_dicts, inputs, show_more
from .naming import installed, opened
from .needs import needs_of
from .options import AsJson
from .output import Output, table
from .palette import shown
from .triggers import describe_trigger


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
        "fields": as_dicts(schemas_at(manifest.root), action.input),
        "rules": list(rules(schemas_at(manifest.root), action.input)),
        "output_schema": action.output,
        "parts": [part.id for part in manifest.parts(action.id)],
    }
    data.pop("output", None)
    return data


def _show(manifest: Manifest, action: Action) -> None:
    import json

    print(f"{action.title} ({manifest.id}.{action.id})\n\n{action.description}\n")
    print("\n".join(f"{name + ':':<13}{value}" for name, value in facts(manifest, action).items()))
    table(
        ("input", "type", "required", "default", "description"),
        inputs(schemas_at(manifest.root), action.input),
        empty="\nNo inputs.",
    )
    show_more(schemas_at(manifest.root), action.id, action.input)
    if action.example:
        print(f"Example: {json.dumps(dict(action.example), ensure_ascii=False)}")


def requirements(
    names: Annotated[list[str], typer.Argument(metavar="FILE|ACTION...", help="Actions, or a workflow file.")],
    as_json: AsJson = False,
) -> None:
    """Show what a key or an OAuth app must be allowed for these actions, to tick or copy."""
    found = needs_of(installed(), names)
    Output(as_json).result(found, lambda: print("\n".join(lines(found))))


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
