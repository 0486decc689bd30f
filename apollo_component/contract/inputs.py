"""The fields of an input at every depth: where each gets its choices, and the values that stand there. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .located import PathParts
from .schemas import DEPTH, Schema, Schemas


@dataclass(frozen=True, slots=True)
class InputField:
    """`path` are the names from the outside in; lists on the way are passed through, as in `contacts.owner_id`."""

    path: tuple[str, ...]
    schema: Mapping[str, Any] = field(repr=False)
    required: bool = False
    """Whether it must be given, wherever the object that it belongs to is."""

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def fields(self) -> str | None:
        """The option source whose choices are the fields of this map."""
        return self.schema.get("x-fields")

    @property
    def source(self) -> str | None:
        """The option source of its values, or of its keys where it is a map."""
        return self.fields or self.schema.get("x-options")

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Its fixed choices, empty when it has none."""
        item = self.schema.get("items", {})
        found = next((part[key] for part in (self.schema, item) for key in ("enum", "examples") if key in part), ())
        return tuple(str(word) for word in found if word is not None)

    @property
    def reason(self) -> str:
        """Why there is nothing to choose from, empty when the schema doesn't say."""
        return str(self.schema.get("x-no-options") or self.schema.get("items", {}).get("x-no-options", ""))


def input_fields(schemas: Schemas, path: str) -> tuple[InputField, ...]:
    """Every field of the schema file at `path`, those of objects and of objects in lists after their own."""
    return tuple(_fields(schemas, *schemas.followed(path, schemas.schema(path)), ()))


def _fields(schemas: Schemas, base: str, schema: Schema, names: tuple[str, ...]) -> Iterator[InputField]:
    for name, own in schema.get("properties", {}).items() if len(names) < DEPTH else ():
        there, found = schemas.followed(base, own)
        inner_base, inner = there, found
        if isinstance(found.get("items"), Mapping):
            inner_base, inner = schemas.followed(there, found["items"])
            found = {**found, "items": inner}
        yield InputField((*names, name), found, name in schema.get("required", ()))
        yield from _fields(schemas, inner_base, inner, (*names, name))


def rules(schemas: Schemas, path: str) -> Iterator[str]:
    """The sentences people read when a rule over several fields is broken."""
    base, whole = schemas.followed(path, schemas.schema(path))
    for rule in whole.get("allOf", []):
        _, found = schemas.followed(base, rule)
        texts = [found.get("x-error"), *(part.get("x-error") for part in found.get("allOf", []))]
        yield from (text for text in texts if text)


def changed(values: Any, names: tuple[str, ...], change: Callable[[PathParts, Any], Any], at: PathParts = ()) -> Any:
    """A copy of an input in which every value at `names` is what `change(place, value)` makes of it."""
    if isinstance(values, list):
        return [changed(value, names, change, (*at, number)) for number, value in enumerate(values)]
    if not names:
        return change(at, values)
    if not isinstance(values, Mapping) or names[0] not in values:
        return values
    return {**values, names[0]: changed(values[names[0]], names[1:], change, (*at, names[0]))}
