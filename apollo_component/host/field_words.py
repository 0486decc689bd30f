"""The fields of inputs and records, in words for people."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..contract.inputs import InputField, input_fields
from ..contract.schemas import Schemas

_LEAST = r"\b(at least|from) {number}\b|\b{number} (to|is)\b"
_MOST = r"\b(at most|exactly|to) {number}\b"
_LIMITS = {
    "minimum": ("At least {}.", _LEAST),
    "maximum": ("At most {}.", _MOST),
    "maxItems": ("At most {} item{s}.", _MOST),
    "maxLength": ("At most {} character{s}.", _MOST),
}
"""How a limit is said, and how it looks in a text that tells it already."""
_ONE = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
}
_MANY = _ONE | {
    "string": "texts",
    "integer": "whole numbers",
    "number": "numbers",
    "object": "objects",
    "array": "lists",
}


def about(schema: Mapping[str, Any]) -> str:
    """What a field is, in sentences, with the limits that they don't tell."""
    text = str(schema.get("description") or schema.get("title", ""))
    limits = [
        words.format(f"{schema[key]:,}", s="s"[: schema[key] != 1])
        for key, (words, told) in _LIMITS.items()
        if key in schema and "pattern" not in schema and not _tells(text, told, schema[key])
    ]
    closed = f"{text}." if text and limits and text[-1] not in ".!?" else text
    return " ".join(part for part in (closed, *limits) if part)


def needed(field: InputField) -> str:
    """`yes`, or where it is needed: a field of an object only when that is given."""
    if not field.required:
        return ""
    return f"in {'.'.join(field.path[:-1])}" if field.path[1:] else "yes"


def value_text(schema: Mapping[str, Any]) -> str:
    """What is written there, such as `list of texts`."""
    kinds = _kinds(schema)
    if kinds == ["array"]:
        items = _words(_kinds(schema.get("items", {})), _MANY)
        return f"list of {items}" if items else "list"
    return _words(kinds, _ONE)


def record_fields(schemas: Schemas, path: str, depth: int = 2) -> list[InputField]:
    """The fields of a record down to a depth, its own first, then those of the records it is made of; each once."""
    named = {field.name: field for field in reversed([*_record(schemas, path)]) if len(field.path) <= depth}
    return list(reversed(named.values()))


def _record(schemas: Schemas, path: str) -> Iterator[InputField]:
    yield from input_fields(schemas, path)
    for part in schemas.schema(path).get("allOf", []):
        if "$ref" in part:
            yield from _record(schemas, (Path(path).parent / part["$ref"]).as_posix())


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", "")
    return [one for one in ([kind] if isinstance(kind, str) else kind) if one not in ("", "null")]


def _words(kinds: list[str], words: Mapping[str, str]) -> str:
    return " or ".join(words.get(kind, kind) for kind in kinds)


def _tells(text: str, told: str, number: float) -> bool:
    forms = [str(number), f"{number:,}", *(["one"] if number == 1 else [])]
    return any(re.search(told.format(number=re.escape(form)), text, re.IGNORECASE) for form in forms)
