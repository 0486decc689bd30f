"""JSON Schemas made whole, and judged, without the project's own code: references are replaced by what they name."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs

Schema = dict[str, Any]
Way = tuple[str | int, ...]
"""Where something is in an input: names of fields and places in lists."""

ANNOTATIONS = frozenset(
    ("$schema", "title", "description", "default", "examples", "deprecated", "format", "secret")
) | {"x-error", "x-options", "x-no-options", "x-split", "x-not-offered", "x-fields"}
CONSTRAINTS = frozenset(
    ("type", "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
) | {"minProperties", "additionalProperties", "required", "x-ascending"}
RULES = ("anyOf", "oneOf", "not")
"""What relates several fields; made part of `allOf`, each with the sentence beside it."""
KNOWN = ANNOTATIONS | CONSTRAINTS | {"properties", "items", "propertyNames", "allOf", "$defs", *RULES}


@cache
def _file(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def load(file: Path) -> Schema:
    return whole(_file(file), file)


def whole(schema: Schema, file: Path) -> Schema:
    """The schema with everything it refers to in place. An unknown keyword is an error: nothing would test it."""
    if unknown := set(schema) - KNOWN - {"$ref"}:
        raise ValueError(f"keywords that the generator doesn't know: {sorted(unknown)}")
    made = {key: _below(key, value, file) for key, value in schema.items() if key not in ("$ref", "$defs", *RULES)}
    for key in RULES:
        if key in schema:
            rule = {key: _below(key, schema[key], file)}
            sentence = {"x-error": schema["x-error"]} if "x-error" in schema else {}
            made["allOf"] = [*made.get("allOf", []), rule | sentence]
    if "$ref" not in schema:
        return made
    other, _, pointer = schema["$ref"].partition("#")
    there = (file.parent / other).resolve() if other else file
    target = _file(there)
    for part in pointer.strip("/").split("/"):
        target = target[part] if part else target
    return both(whole(target, there), made)


def _below(key: str, value: Any, file: Path) -> Any:
    if key == "properties":
        return {name: whole(field, file) for name, field in value.items()}
    if key == "allOf":
        return [rule for item in value for rule in _apart(whole(item, file))]
    if key in ("anyOf", "oneOf"):
        return [whole(item, file) for item in value]
    return whole(value, file) if key in ("items", "propertyNames", "not") else value


def _apart(rule: Schema) -> list[Schema]:
    """A rule that holds rules as single ones."""
    rest = {key: value for key, value in rule.items() if key != "allOf"}
    return [*([rest] if set(rest) - ANNOTATIONS else []), *rule.get("allOf", [])]


def both(one: Schema, other: Schema) -> Schema:
    """What fits both; annotations of the second win. Two different limits of one kind are an error."""
    made = dict(one)
    for key, value in other.items():
        if key not in made or key in ANNOTATIONS:
            made[key] = value
        elif key in ("required", "without"):
            made[key] = sorted({*made[key], *value})
        elif key == "allOf":
            made[key] = [*made[key], *value]
        elif key == "properties":
            made[key] = made[key] | {n: both(made[key].get(n, {}), field) for n, field in value.items()}
        elif key == "items":
            made[key] = both(made[key], value)
        elif key == "minProperties":
            made[key] = max(made[key], value)
        elif made[key] != value:
            raise ValueError(f"two different {key}")
    return made


@cache
def _compiled(text: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(text), validate_formats=False)


def fits(schema: Schema, value: Any) -> bool:
    """Whether a value is valid, by a validator that shares no code with the connector's, and by `x-ascending`."""
    return bool(_compiled(json.dumps(schema)).is_valid(value)) and ascends(schema, value)


def ascends(schema: Schema, value: Any) -> bool:
    """Whether every range in a value has its ends in order, and every date in it is in the calendar."""
    if isinstance(value, list):
        return all(ascends(schema.get("items", {}), item) for item in value)
    if isinstance(value, Mapping):
        inside = all(ascends(schema.get("properties", {}).get(name, {}), item) for name, item in value.items())
        return inside and _in_order([value[name] for name in schema.get("x-ascending", ()) if name in value])
    if schema.get("format") in ("date", "date-time") and isinstance(value, str):
        return _moment(value) is not None
    if isinstance(value, str) and "x-ascending" in schema:
        return _in_order([int(part) for part in value.split(schema["x-ascending"])])
    return True


def _in_order(ends: Sequence[Any]) -> bool:
    moments = [_moment(end) if isinstance(end, str) else end for end in ends]
    return None in moments or all(first <= second for first, second in pairwise(moments))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@cache
def ecma(pattern: str) -> re.Pattern[str]:
    """A pattern as JSON Schema means it: `$` is the end of the text, not the place before its last line break."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)
