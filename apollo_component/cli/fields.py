"""The fields of an input, as rows for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.schemas import Schemas


def inputs(schemas: Schemas, schema: str) -> Iterator[tuple[str, ...]]:
    """One row per input field: name, type, required, default, description."""
    required = schemas.schema(schema).get("required", [])
    for name, field in schemas.fields(schema).items():
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
