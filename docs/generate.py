"""Writes the generated parts of the documents: `python docs/generate.py`.

A document keeps its handwritten text; what stands between `<!-- generated: NAME -->` and `<!-- end -->` comes from
the schemas, the manifest, the errors and the command line. `--check` writes nothing and tells what is stale.
"""
# ruff: noqa: INP001  # a script, not a package

import argparse
import inspect
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import yaml  # noqa: E402
from pages import pages, table  # noqa: E402

from apollo_component.cli.app import app  # noqa: E402
from apollo_component.contract import errors  # noqa: E402
from apollo_component.contract.actions import Action  # noqa: E402
from apollo_component.contract.loading import load_file  # noqa: E402
from apollo_component.contract.manifest import Manifest  # noqa: E402
from apollo_component.host.events import FIELDS, Kind, LogEvent  # noqa: E402
from apollo_component.host.facts import STYLES, cost_text  # noqa: E402
from apollo_component.hub.api.components import COMPONENTS  # noqa: E402
from apollo_component.sandbox.__main__ import parser as sandbox_parser  # noqa: E402

DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BEGIN = "<!-- Made by docs/generate.py; change the source instead. -->\n\n"


def rendered(text: str) -> str:
    """A document with every generated part made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{_BEGIN}{PARTS[found[2]]().strip()}\n\n{found[3]}", text)


def documents() -> list[Path]:
    return sorted([ROOT / "README.md", *DOCS.glob("*.md")])


def whole_pages() -> dict[Path, str]:
    """The pages of the reference, which are made as a whole."""
    return pages(load_file(ROOT / "connector.yaml"), DOCS)


def stale() -> list[Path]:
    """Documents that aren't what they would be, pages that are missing, and pages of what is no more."""
    made = whole_pages()
    there = {file for folder in ("actions", "triggers") for file in (DOCS / folder).glob("*.md")}
    changed = [file for file in documents() if rendered(file.read_text("utf-8")) != file.read_text("utf-8")]
    old = [file for file, text in made.items() if not file.is_file() or file.read_text("utf-8") != text]
    return [*changed, *old, *sorted(there - set(made))]


# Schemas


def manifest_fields() -> str:
    return _reference(json.loads((ROOT / "schemas/connector.schema.json").read_bytes()))


def workflow_fields() -> str:
    return _reference(json.loads((ROOT / "schemas/workflow.schema.json").read_bytes()))


def _reference(schema: Mapping[str, Any]) -> str:
    """The whole file first, then every named part that has fields."""
    parts = [_section("The file", schema, schema["$defs"])]
    for name, part in schema["$defs"].items():
        if "properties" in part:
            parts.append(_section(f"`{name}`", part, schema["$defs"]))
    return "\n\n".join(parts)


def _section(title: str, part: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    rows = [row for name, field in part["properties"].items() for row in _rows(name, field, part, defs)]
    text = part.get("description", "")
    return "\n\n".join(piece for piece in (f"### {title}", text, table(_HEADS, rows)) if piece)


_HEADS = ("Field", "Value", "Needed", "Default", "What it is")


def _rows(
    name: str, field: Mapping[str, Any], part: Mapping[str, Any], defs: Mapping[str, Any]
) -> Iterator[tuple[str, ...]]:
    """A field's own row, then those of an object that is written out in place."""
    named = defs.get(_ref(field), {})
    default = json.dumps(field["default"]) if "default" in field else ""
    needed = "yes" if name.rpartition(".")[2] in part.get("required", []) else ""
    text = field.get("description") or named.get("description", "")
    yield f"`{name}`", _value(field, defs), needed, f"`{default}`" if default else "", text
    inner, prefix = field, name
    if isinstance(field.get("additionalProperties"), Mapping):
        inner, prefix = field["additionalProperties"], f"{name}.NAME"
    for own, sub in inner.get("properties", {}).items():
        yield from _rows(f"{prefix}.{own}", sub, inner, defs)


def _ref(field: Mapping[str, Any]) -> str:
    return str(field.get("$ref", "")).rpartition("/")[2]


def _value(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if name := _ref(field):
        return f"[{name}](#{name})" if "properties" in defs[name] else _value(defs[name], defs)
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{item}`" for item in field["enum"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_value(item, defs) for item in field["anyOf"]))
    kind = field.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(_value({**field, "type": one}, defs) for one in kind)
    if kind == "array":
        return f"list of {_value(field.get('items', {}), defs)}"
    if kind == "object" and isinstance(field.get("additionalProperties"), Mapping):
        return f"NAME → {_value(field['additionalProperties'], defs)}"
    return str(_WORDS.get(kind, kind))


_WORDS = {
    "object": "object",
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "null": "null",
}


# The host API


def api_result() -> str:
    """What running an action gives a program."""
    part = COMPONENTS["Result"]
    rows = [row for name, field in part["properties"].items() for row in _rows(name, field, part, COMPONENTS)]
    return table(("Field", "Value", "Always", "What it is"), [(*row[:3], row[4]) for row in rows])


# The connector


def actions() -> str:
    """Under each group the actions it has, with a link to their pages."""
    manifest = load_file(ROOT / "connector.yaml")
    return "\n\n".join(_group(manifest, group, title) for group, title in manifest.groups.items())


def _group(manifest: Manifest, group: str, title: str) -> str:
    rows = [_action_row(action) for action in manifest.actions.values() if action.group == group]
    return f"### {title}\n\n{table(('Action', 'What it does', 'Effect', 'Credits'), rows)}"


def _action_row(action: Action) -> tuple[str, ...]:
    effect = "as stated" if action.effect.stated_by else str(action.effect.kind)
    if action.effect.upsert_flag:
        effect += f"; upsert with `{action.effect.upsert_flag}` and {' or '.join(action.effect.upsert_keys)}"
    title = f"{action.title} (deprecated)" if action.deprecated else action.title
    return f"[`{action.id}`](actions/{action.id}.md)", title, effect, cost_text(action)


def triggers() -> str:
    manifest = load_file(ROOT / "connector.yaml")
    rows = [
        (f"[`{item.id}`](triggers/{item.id}.md)", item.title, STYLES[item.style], f"{item.interval} s")
        for item in manifest.triggers.values()
    ]
    return table(("Trigger", "When", "How it looks", "Every"), rows)


def error_table() -> str:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ConnectorError)]
    rows = [(f"`{kind.__name__}`", f"`{kind.code}`", str(kind.exit_code), _first(kind)) for kind in found]
    return table(("Error", "Code", "Exit code", "Meaning"), sorted(rows, key=lambda row: (row[2], row[0])))


def _first(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def log_events() -> str:
    rows = [(f"`{kind.name}`", logging.getLevelName(kind.level).lower(), f"{kind.text}.") for kind in _kinds()]
    return table(("Event", "Level", "When"), rows)


def _kinds() -> list[Kind]:
    return [event.value for event in LogEvent]


def log_fields() -> str:
    named = {"time": "UTC, ISO 8601", "level": "debug, info, warning or error", "event": "one of the list above"}
    return table(("Field", "What it is"), [(f"`{name}`", text) for name, text in {**named, **FIELDS}.items()])


# The command line


def commands() -> str:
    import typer.main

    found = _commands(typer.main.get_command(app), "apollo-component")
    return "\n\n".join(_command(name, command) for name, command in found)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for own, sub in command.commands.items():
        if getattr(sub, "invoke_without_command", False):
            yield f"{name} {own}", sub
        if hasattr(sub, "commands"):
            yield from _commands(sub, f"{name} {own}")
        else:
            yield f"{name} {own}", sub


def _command(name: str, command: Any) -> str:
    arguments = [item for item in command.params if not item.opts[0].startswith("-")]
    options = [item for item in command.params if item.opts[0].startswith("-") and "--help" not in item.opts]
    usage = " ".join([name, *(str(item.metavar or item.name.upper()) for item in arguments)])
    rows = [(f"`{item.metavar or item.name.upper()}`", item.help or "") for item in arguments]
    rows += [_option(item) for item in options]
    if name.endswith(" sandbox"):
        rows = [_plain_option(item) for item in sandbox_parser()._actions if item.dest != "help"]  # noqa: SLF001
    text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    options = table(("Option", "What it does"), rows)
    return f"### {name.removeprefix('apollo-component ')}\n\n    {usage}\n\n{text}\n\n{options}"


def _option(item: Any) -> tuple[str, str]:
    value = "" if item.is_flag else f" {item.metavar or _choices(item) or item.name.upper()}"
    told = not item.is_flag and isinstance(item.default, str | int | float) and item.default != ""
    extra = [" Needed."] if item.required else [f" Default: {item.default}."] if told else []
    return f"`{', '.join([*item.opts, *item.secondary_opts])}{value}`", "".join([item.help or "", *extra])


def _choices(item: Any) -> str:
    """The words an option takes; Typer keeps them in one of two places, by its version."""
    annotation = getattr(getattr(item, "type_descriptor", None), "annotation", None)
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    return "|".join(words or getattr(getattr(item, "type", None), "choices", ()))


def _plain_option(item: argparse.Action) -> tuple[str, str]:
    value = "" if item.nargs == 0 else f" {item.metavar or item.dest.upper()}"
    return f"`{item.option_strings[-1]}{value}`", (item.help or "").capitalize() + "."


# Faults


def faults() -> str:
    """For each fault its rule, and under it what comes of each work, works with the same outcome together."""
    data = yaml.safe_load((ROOT / "tests/chaos/faults/table.yaml").read_text("utf-8"))
    return "\n\n".join(_fault(row, data) for row in data["faults"].values())


def _fault(row: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    by_outcome: dict[str, list[str]] = {}
    for work, outcome in row["cells"].items():
        by_outcome.setdefault(outcome, []).append(data["works"][work])
    rows = [(", ".join(works).capitalize(), data["outcomes"][outcome]) for outcome, works in by_outcome.items()]
    return f"### {row['title']}\n\n{data['rules'][row['rule']]}\n\n{table(('What is under way', 'What happens'), rows)}"


# Where facts come from


def beliefs() -> str:
    """For each operation where the form of its answer was read, and what else is known of it."""
    folder = ROOT / "tests/others"
    data = yaml.safe_load((folder / "beliefs.yaml").read_text("utf-8"))
    recorded = json.loads((folder / "shapes/recorded.json").read_bytes())
    rows = [
        _belief(action.id, action.id in recorded, data)
        for action in load_file(ROOT / "connector.yaml").actions.values()
        if action.path
    ]
    edition = f"Edition of Apollo's contract: {data['edition']}."
    return f"{edition}\n\n{table(('Operation', 'Source', 'Beyond the documentation'), rows)}"


def _belief(operation: str, recorded: bool, data: Mapping[str, Any]) -> tuple[str, ...]:
    more = {source: data[source][operation] for source in ("live", "inferred") if operation in data[source]}
    sources = [*(["recorded"] if recorded else []), "documented", *more]
    return f"`{operation}`", ", ".join(sources), "; ".join(f"{source}: {text}" for source, text in more.items())


PARTS: dict[str, Callable[[], str]] = {
    "faults": faults,
    "manifest": manifest_fields,
    "workflow": workflow_fields,
    "commands": commands,
    "api_result": api_result,
    "actions": actions,
    "triggers": triggers,
    "errors": error_table,
    "log_events": log_events,
    "log_fields": log_fields,
    "beliefs": beliefs,
}


def main() -> int:
    if "--check" in sys.argv[1:]:
        found = [file.relative_to(ROOT).as_posix() for file in stale()]
        sys.stderr.write("".join(f"{name} is stale: run python docs/generate.py\n" for name in found))
        return int(bool(found))
    made = whole_pages()
    for file in stale():
        if file.parent not in (DOCS, ROOT) and file not in made:
            file.unlink()
            continue
        file.parent.mkdir(exist_ok=True)
        file.write_text(made[file] if file in made else rendered(file.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
