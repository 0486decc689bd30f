"""JSON Schemas on disk: compiled once, worded for people, and never repeating the value that was wrong."""

import difflib
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .errors import InputError, Problem
from .located import PathParts, dotted

Schema = Mapping[str, Any]
_BASE = "file:///"
UNKNOWN = "is not a known field"


class Schemas:
    """The schema files under one root; paths are relative to it. Compiles each at most once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.validator = functools.cache(self._validator)
        self.schema = functools.cache(self._schema)

    def check(self, path: str, values: Any, what: str = "The input") -> dict[str, Any]:
        """`values` with the schema's defaults filled in. Raises InputError naming every problem."""
        problems = self.problems(path, values)
        if problems:
            raise InputError(
                f"{what} was refused; nothing was sent.",
                [Problem(text, path=dotted(where)) for where, text in problems],
            )
        return self.with_defaults(path, values)

    def problems(
        self, path: str, values: Any, known: Callable[[Any], bool] = lambda _value: True
    ) -> list[tuple[PathParts, str]]:
        """Every problem as (path, text). Parts for which `known` is false are not judged."""
        errors = sorted(self.validator(path).iter_errors(values), key=lambda error: str(list(error.absolute_path)))
        found: list[tuple[PathParts, str]] = []
        for error in errors:
            if known(error.instance):
                found.extend((tuple(error.absolute_path) + tail, text) for tail, text in worded(error))
        return list(dict.fromkeys(found))

    def with_defaults(self, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        defaults = {
            name: field["default"] for name, field in self.fields(path).items() if field.get("default") is not None
        }
        return defaults | dict(values)

    @functools.cache  # noqa: B019  # one per process and root
    def fields(self, path: str) -> dict[str, dict[str, Any]]:
        """The top-level properties of a schema, with a reference replaced by what it names."""
        properties: Mapping[str, Schema] = self.schema(path).get("properties", {})
        return {name: self._resolved(path, field) for name, field in properties.items()}

    def _resolved(self, path: str, field: Schema) -> dict[str, Any]:
        return self.followed(path, field)[1]

    def followed(self, path: str, field: Schema) -> tuple[str, dict[str, Any]]:
        """A schema with its references followed, and the file it ends in; what stands beside a reference wins."""
        if "$ref" not in field:
            return path, dict(field)
        file, _, pointer = field["$ref"].partition("#")
        base = _normal((Path(path).parent / file).as_posix()) if file else path
        target: Any = self.schema(base)
        for part in pointer.strip("/").split("/"):
            target = target[part] if part else target
        base, found = self.followed(base, target)
        return base, found | {key: value for key, value in field.items() if key != "$ref"}

    def _schema(self, path: str) -> dict[str, Any]:
        schema: dict[str, Any] = json.loads((self.root / path).read_bytes())
        return schema

    def _validator(self, path: str) -> Any:
        from .keywords import Validator

        return Validator({"$ref": _BASE + path}, registry=self._registry())

    @functools.cache  # noqa: B019
    def _registry(self) -> Any:
        """Every schema file of the root under one made-up address, so that relative references resolve.

        Without `$schema`, which would make the validator choose itself anew and forget the keywords of this project.
        """
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        def retrieve(uri: str) -> Any:
            schema = self.schema(uri.removeprefix(_BASE))
            return DRAFT202012.create_resource({key: value for key, value in schema.items() if key != "$schema"})

        registry: Any = Registry(retrieve=functools.lru_cache(maxsize=None)(retrieve))  # type: ignore[call-arg]
        files = [file.relative_to(self.root).as_posix() for file in (self.root / "schemas").rglob("*.json")]
        return registry.with_resources((_BASE + name, retrieve(_BASE + name)) for name in files).crawl()


@functools.cache
def schemas_at(root: Path) -> Schemas:
    """The schemas under a root, compiled once in this process: for files that don't change while it runs."""
    return Schemas(root)


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def worded(error: Any) -> Iterable[tuple[PathParts, str]]:
    """One validation error as (path below the instance, sentence); no value of the instance is repeated."""
    custom = error.schema.get("x-error") if isinstance(error.schema, Mapping) else None
    wording = _WORDINGS.get(error.validator or "false")
    if custom and error.validator not in _OWN_WORDS:
        return [((), custom)]
    return wording(error) if wording else [((), f"breaks the rule '{error.validator}'")]


def _unknown(error: Any) -> list[tuple[PathParts, str]]:
    known, reasons = list(error.schema.get("properties", {})), error.schema.get("x-not-offered", {})
    extra = [str(name) for name in error.instance if name not in known]
    return [
        ((name,), f"is not offered: {reasons[name]}" if name in reasons else UNKNOWN + guess(name, known))
        for name in extra
    ]


def guess(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the end of a sentence; empty when none is close."""
    close = nearest(name, known)
    return f"; did you mean {close}?" if close else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was likely meant, empty when none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")


def _missing(error: Any) -> list[tuple[PathParts, str]]:
    return [((name,), "is required") for name in error.validator_value if name not in error.instance]


def _type(error: Any) -> list[tuple[PathParts, str]]:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    return [((), "must be " + " or ".join(_TYPES.get(name, name) for name in names))]


def _enum(error: Any) -> list[tuple[PathParts, str]]:
    return [((), "must be one of: " + ", ".join(str(item) for item in error.validator_value))]


def _dependent(error: Any) -> list[tuple[PathParts, str]]:
    return [
        ((other,), f"is required when {name} is given")
        for name, others in error.validator_value.items()
        if name in error.instance
        for other in others
        if other not in error.instance
    ]


def _descending(error: Any) -> list[tuple[PathParts, str]]:
    if isinstance(error.validator_value, str):
        return [((), "must have its smaller number first")]
    first, second = error.validator_value
    word = "before" if isinstance(error.instance[second], str) else "less than"
    return [((second,), f"must not be {word} {first}")]


def _said(text: str) -> Callable[[Any], list[tuple[PathParts, str]]]:
    """`{s}` is the ending of a plural."""
    return lambda error: [((), text.format(limit=error.validator_value, s="s"[: error.validator_value != 1]))]


_OWN_WORDS = ("additionalProperties", "required", "type", "format", "x-ascending")
"""Keywords whose wording says more than the sentence beside the rule."""
_TYPES = {
    "object": "an object with named fields",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
_WORDINGS: dict[str, Callable[[Any], Iterable[tuple[PathParts, str]]]] = {
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "required": _missing,
    "type": _type,
    "enum": _enum,
    "const": _said("must be {limit}"),
    "dependentRequired": _dependent,
    "format": _said("names a day or time that doesn't exist"),
    "x-ascending": _descending,
    "pattern": _said("doesn't have the form {limit}"),
    "minLength": _said("must have at least {limit} character{s}"),
    "maxLength": _said("must have at most {limit} character{s}"),
    "minItems": _said("needs at least {limit} item{s}"),
    "maxItems": _said("may have at most {limit} item{s}"),
    "uniqueItems": _said("holds the same item twice"),
    "minProperties": _said("needs at least {limit} field{s}"),
    "maxProperties": _said("may have at most {limit} field{s}"),
    "minimum": _said("must be at least {limit}"),
    "maximum": _said("must be at most {limit}"),
    "exclusiveMinimum": _said("must be more than {limit}"),
    "exclusiveMaximum": _said("must be less than {limit}"),
    "propertyNames": _said("has a name that doesn't have the expected form"),
    "anyOf": _said("fits none of the allowed forms"),
    "oneOf": _said("must fit exactly one of the allowed forms"),
    "not": _said("holds a combination that is not allowed"),
    "if": _said("holds a combination that is not allowed"),
    "false": _said("is not allowed here"),
}
