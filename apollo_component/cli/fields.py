"""The fields of an input, as rows for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.inputs import input_fields, rules
from ..contract.schemas import Schemas
from ..host.field_words import about, needed


def inputs(schemas: Schemas, schema: str) -> Iterator[tuple[str, ...]]:
    """One row per input field, at every depth: name, type, required, default, description."""
    for field in input_fields(schemas, schema):
        default = field.schema.get("default")
        yield (
            field.name,
            type_text(field.schema),
            needed(field),
            "" if default is None else str(default).lower() if isinstance(default, bool) else str(default),
            about(field.schema),
        )


def show_more(schemas: Schemas, name: str, schema: str) -> None:
    """What the rows don't tell of the input of an action or a trigger: the rules over several fields, and which fields
    have drop-downs."""
    for rule in rules(schemas, schema):
        print(f"Rule: {rule}")
    found = input_fields(schemas, schema)
    if words := [field.name for field in found if field.vocabulary]:
        print(f"Words to choose from (`options {name} FIELD`): {', '.join(words)}")
    if sources := [field.name for field in found if field.source and not field.vocabulary]:
        print(f"Drop-downs (`options {name} FIELD --connection NAME`): {', '.join(sources)}")


def as_dicts(schemas: Schemas, schema: str) -> list[dict[str, Any]]:
    """The same for programs: `{name, type, required, default, about, options}`; `options` is the option source, and
    `required` counts wherever the object that the field belongs to is given."""
    return [
        {
            "name": field.name,
            "type": field.schema.get("type"),
            "required": field.required,
            "default": field.schema.get("default"),
            "about": about(field.schema),
            "options": field.source,
            "choices": list(field.vocabulary),
        }
        for field in input_fields(schemas, schema)
    ]


def type_text(field: Mapping[str, Any]) -> str:
    kind = field.get("type", "")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if text == "array":
        items = field.get("items", {})
        return f"list of {type_text(items) or 'objects'}" if "$ref" not in items else "list"
    return "one of " + ", ".join(str(item) for item in field["enum"]) if "enum" in field else text
