"""The pages of the reference: one for each action and each trigger, made from the manifest and the schemas."""
# ruff: noqa: INP001  # a script's part, not a package

import json
from pathlib import Path
from typing import Any

import yaml

from apollo_component.cli.facts import facts as action_facts
from apollo_component.cli.triggers import facts as trigger_facts
from apollo_component.contract.actions import Action
from apollo_component.contract.inputs import InputField, input_fields, rules
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.schemas import Schemas, schemas_at
from apollo_component.contract.triggers import Trigger
from apollo_component.host.field_words import about, needed, record_fields, value_text

NOTE = "<!-- Made by docs/generate.py; change connector.yaml or the schemas instead. -->"
SHOWN_DEPTH = 2
"""Levels of a record that its page lists."""


def pages(manifest: Manifest, docs: Path) -> dict[Path, str]:
    """Every page by its file."""
    schemas = schemas_at(manifest.root)
    found = {docs / "actions" / f"{item.id}.md": _action(manifest, item, schemas) for item in manifest.actions.values()}
    triggers = manifest.triggers.values()
    return found | {docs / "triggers" / f"{item.id}.md": _trigger(manifest, item, schemas) for item in triggers}


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _action(manifest: Manifest, action: Action, schemas: Schemas) -> str:
    told = action_facts(manifest, action)
    return _page(
        f"# {action.title}",
        f"`{action.id}` in [all actions](../actions.md)",
        action.description,
        table(("", ""), list(told.items())),
        "## Input",
        _inputs(schemas, action.input, "This action takes no input."),
        "## Output",
        f"{_what(action)} Fields that the service adds are handed on; any of these may be missing or null.",
        _outputs(schemas, action.output),
        "## Example",
        _example(action),
    )


def _what(action: Action) -> str:
    return "One record." if action.reply.value or action.compose else "A list of records."


def _example(action: Action) -> str:
    values = dict(action.example)
    step: dict[str, Any] = {"id": "step", "action": action.id} | ({"with": values} if values else {})
    more = " --yes" if action.needs_word(values) else ""
    step |= {"confirm": True} if more else {}
    given = f" --input '{json.dumps(values, ensure_ascii=False)}'" if values else ""
    command = f"$ apollo-component run {action.id} --connection work{given}{more}"
    return f"```console\n{command}\n```\n\nAs a step of a workflow:\n\n```yaml\n{_yaml([step])}```"


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.replace("\n  with:", "\n  with:")


def _trigger(manifest: Manifest, trigger: Trigger, schemas: Schemas) -> str:
    record = manifest.record_of(trigger)
    parts = [
        f"# {trigger.title}",
        f"`{trigger.id}` in [all triggers](../triggers.md)",
        trigger.description,
        table(("", ""), list(trigger_facts(manifest, trigger).items())),
        "## Filters",
        _inputs(schemas, trigger.input, "This trigger has no filters; use `when` in the workflow file."),
    ]
    if record:
        parts += ["## trigger.record", _outputs(schemas, record)]
    steps = "steps:\n  - id: first\n    action: ...\n    with:\n      id: {$from: trigger.id}\n"
    return _page(*parts, "## In a workflow file", f"```text\ntrigger:\n  on: {trigger.id}\n{steps}```")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([title, NOTE, *parts]) + "\n"


def _inputs(schemas: Schemas, path: str, nothing: str) -> str:
    fields = input_fields(schemas, path)
    if not fields:
        return nothing
    rows = [_input(field) for field in fields]
    found_rules = "".join(f"\n- {rule}" for rule in rules(schemas, path))
    found = table(("Field", "Value", "Needed", "Default", "Choices", "What it is"), rows)
    return f"{found}\n\nRules:\n{found_rules}" if found_rules else found


def _input(field: InputField) -> tuple[str, ...]:
    default = field.schema.get("default")
    choices = f"`{field.source}`" if field.source else ""
    return (
        f"`{field.name}`",
        value_text(field.schema),
        needed(field),
        "" if default is None else f"`{json.dumps(default)}`",
        choices or ", ".join(f"`{word}`" for word in field.vocabulary),
        about(field.schema),
    )


def _outputs(schemas: Schemas, path: str) -> str:
    fields = record_fields(schemas, path, SHOWN_DEPTH)
    rows = [(f"`{field.name}`", value_text(field.schema), about(field.schema)) for field in fields]
    return table(("Field", "Value", "What it is"), rows)
