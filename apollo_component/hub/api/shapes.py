"""How the JSON of the API is described: JSON Schema 2020-12, and the few shapes that occur everywhere.

Answers may get further fields in later versions; what is sent must fit exactly.
"""

from collections.abc import Mapping
from typing import Any

Shape = dict[str, Any]


def obj(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None, text: str = "") -> Shape:
    """An object of an answer: the fields that it always has, and those that it may have."""
    more = {"description": text} if text else {}
    return {"type": "object", **more, "properties": {**required, **(optional or {})}, "required": list(required)}


def sent(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None, text: str = "") -> Shape:
    """An object that is sent: unknown fields are refused."""
    return {**obj(required, optional, text), "additionalProperties": False}


def ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(of: Shape) -> Shape:
    return {"type": "array", "items": of}


def mapped(of: Shape, text: str = "") -> Shape:
    return {"type": "object", "additionalProperties": of, **({"description": text} if text else {})}


def or_null(shape: Shape) -> Shape:
    return {"anyOf": [shape, {"type": "null"}]} if "$ref" in shape else {**shape, "type": [shape["type"], "null"]}


def text(about: str = "", **more: Any) -> Shape:
    return {"type": "string", **({"description": about} if about else {}), **more}


def page_of(of: Shape) -> Shape:
    cursor = text("Give it as `cursor` for the next page; null at the end.")
    return obj({"items": listed(of), "next_cursor": or_null(cursor)})


TEXT = text()
NUMBER: Shape = {"type": "number"}
WHOLE: Shape = {"type": "integer"}
TRUTH: Shape = {"type": "boolean"}
MOMENT: Shape = {"type": "string", "format": "date-time"}
MONEY: Shape = {"type": "number", "minimum": 0, "maximum": 10**9}
FREE: Shape = {"type": "object"}
ANY: Shape = {}
NAME: Shape = text(
    "Begins with a letter or digit; letters, digits, spaces and . _ @ + - may follow.",
    minLength=1,
    maxLength=100,
    pattern=r"^[A-Za-z0-9_][A-Za-z0-9_ .@+-]*$",
)
IDS: Shape = {"type": "array", "items": text("", minLength=1, maxLength=100, pattern="^[^\\x00]+$"), "maxItems": 500}
ACTIONS: Shape = {**IDS, "description": "Ids of actions and triggers."}
