"""Writes an example into each record schema that has none: `python -m tests.actions.record_examples`.

What the sandbox gives for the example of an action, so all of it is made up; what isn't declared, is empty or lies deep
is left out.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.errors import ConnectorError
from apollo_component.contract.schemas import Schema, schemas_at

from .conftest import World, declared_operations, default_world

DEPTH = 2
"""Objects inside objects."""
SCHEMAS = schemas_at(plugin.manifest.root)


def main() -> None:
    fixture: Any = default_world
    worlds: Iterator[World] = fixture.__wrapped__()
    found = dict(_records(next(worlds)))
    next(worlds, None)
    for action in plugin.manifest.actions.values():
        if action.compose:
            [whole] = SCHEMAS.schema(action.output)["allOf"]
            base = (Path(action.output).parent / whole["$ref"]).as_posix()
            found[action.output] = {**found[base], "outcome": "created"}
    for output, record in found.items():
        file = plugin.manifest.root / output
        text = file.read_text("utf-8")
        if '\n  "examples": ' not in text:
            example = json.dumps([record], indent=2, ensure_ascii=False).replace("\n", "\n  ")
            file.write_text(re.sub(r"\n}\n\Z", "", text) + f',\n  "examples": {example}\n}}\n', "utf-8")


def _records(world: World) -> Iterator[tuple[str, Any]]:
    """The first record of each schema that an action gives."""
    seen: set[str] = set()
    for action in declared_operations().values():
        if action.output in seen:
            continue
        world.reset()
        try:
            page = world.execute(action, world.link("api_key" if action.requires.allows("key") else "oauth2"))
        except ConnectorError:
            continue
        records = list(page.records) or [page.value]
        if isinstance(records[0], dict) and (record := shown(action.output, SCHEMAS.schema(action.output), records[0])):
            seen.add(action.output)
            yield action.output, record


def shown(path: str, schema: Schema, value: Any, depth: int = 0) -> Any:
    """The declared part of a value, with one item of each list."""
    base, whole = SCHEMAS.followed(path, schema)
    kinds = [part for part in whole.get("anyOf", []) if part.get("type") != "null"]
    if kinds:
        return shown(base, kinds[0], value, depth)
    if isinstance(value, list):
        items = [shown(base, whole.get("items", {}), value[0], depth)] if value else []
        return [item for item in items if item not in (None, {}, [])]
    if not isinstance(value, dict):
        return value
    fields = whole.get("properties", {}) if depth < DEPTH else {}
    parts = {name: shown(base, fields[name], value[name], depth + 1) for name in fields if name in value}
    return {name: part for name, part in parts.items() if part not in (None, {}, [], "")}


if __name__ == "__main__":
    main()
