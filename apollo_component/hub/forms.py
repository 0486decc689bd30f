"""An input schema as a form: which control each field gets, what stands beside it, and what comes first. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..contract.inputs import InputField
from ..contract.schemas import DEPTH, Schema, Schemas

ENOUGH = 6
"""Fields shown at once, where so few are required; the others wait behind `More inputs`."""
CHECKS = 12
"""A list of so many fixed words at most is shown as boxes to tick."""


class Kind(StrEnum):
    """The control of a field."""

    TEXT = "text"
    LONG = "long"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    DATE = "date"
    MOMENT = "moment"
    LIST = "list"
    """Simple values, one a line."""
    CHECKS = "checks"
    GROUP = "group"
    """An object with named fields."""
    GROUPS = "groups"
    """A list of such objects."""
    MAP = "map"
    """An object with keys of the person's own."""
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `path` are the names from the outside in, lists passed through. `words` are fixed choices, `choices`
    tells that a drop-down offers values, and `closed` that only the fixed ones will do."""

    path: tuple[str, ...]
    kind: Kind
    title: str
    about: str = ""
    required: bool = False
    default: Any = None
    words: tuple[str, ...] = ()
    choices: bool = False
    closed: bool = False
    band: bool = False
    numbers: bool = False
    """A list whose items are numbers."""
    single: bool = False
    """A list of one is the value itself."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    deprecated: bool = False
    fields: "tuple[Field, ...]" = ()

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def form_of(schemas: Schemas, path: str) -> tuple[Field, ...]:
    """The fields of the schema file at `path`, in its order."""
    return _fields(schemas, *schemas.followed(path, schemas.schema(path)), ())


def first_and_more(fields: Iterable[Field], usual: Iterable[str]) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """What is seen at once (what is required, then what is usual, and enough of the rest), and what is not."""
    found, wanted = list(fields), set(usual)
    if len(found) <= ENOUGH + 2:
        return tuple(sorted(found, key=lambda one: not one.required)), ()
    ranked = sorted(found, key=lambda one: (not one.required, one.name not in wanted, one.deprecated))
    count = max(ENOUGH, sum(one.required or one.name in wanted for one in found))
    return tuple(ranked[:count]), tuple(one for one in found if one not in ranked[:count])


def _fields(schemas: Schemas, base: str, schema: Schema, names: tuple[str, ...]) -> tuple[Field, ...]:
    if len(names) >= DEPTH:
        return ()
    needed = schema.get("required", ())
    return tuple(
        _field(schemas, base, own, (*names, name), required=name in needed)
        for name, own in schema.get("properties", {}).items()
    )


def _field(schemas: Schemas, base: str, own: Schema, path: tuple[str, ...], *, required: bool) -> Field:
    there, schema = schemas.followed(base, own)
    item_base, item = there, dict[str, Any]()
    if isinstance(schema.get("items"), Mapping):
        item_base, item = schemas.followed(there, schema["items"])
    found = InputField(path, {**schema, "items": item} if item else schema)
    kind = _kind(schema, item)
    inner_base, inner = (item_base, item) if kind is Kind.GROUPS else (there, schema)
    return Field(
        path,
        kind,
        title=str(schema.get("title") or item.get("title") or _spoken(path[-1])),
        about=str(schema.get("description") or item.get("description", "")),
        required=required,
        default=schema.get("default"),
        words=found.vocabulary,
        choices=bool(found.source or found.vocabulary),
        closed="enum" in schema or "enum" in item,
        band=item.get("x-ascending") == ",",
        numbers=item.get("type") in ("integer", "number"),
        single=kind is Kind.LIST and schema.get("type") != "array",
        limits={key: schema[key] for key in ("minimum", "maximum", "maxLength") if key in schema},
        deprecated=bool(schema.get("deprecated")),
        fields=_fields(schemas, inner_base, inner, path) if kind in (Kind.GROUP, Kind.GROUPS) else (),
    )


def _kind(schema: Schema, item: Schema) -> Kind:
    type_ = schema.get("type")
    if "enum" in schema:
        return Kind.CHOICE if all(isinstance(word, str) for word in schema["enum"]) else Kind.JSON
    if type_ == "string":
        return _text_kind(schema)
    if type_ == "array":
        return _list_kind(item)
    if type_ == "object" or (type_ is None and "properties" in schema):
        return Kind.GROUP if schema.get("properties") else Kind.MAP
    return _PLAIN.get(str(type_)) or (Kind.LIST if _one_or_several(schema) else Kind.JSON)


_PLAIN = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.FLAG}


def _text_kind(schema: Schema) -> Kind:
    if "contentMediaType" in schema:
        return Kind.LONG
    return {"date": Kind.DATE, "date-time": Kind.MOMENT}.get(schema.get("format", ""), Kind.TEXT)


def _list_kind(item: Schema) -> Kind:
    if item.get("type") == "object" or "properties" in item:
        return Kind.GROUPS if item.get("properties") else Kind.JSON
    if "enum" in item:
        return Kind.CHECKS if len(item["enum"]) <= CHECKS else Kind.LIST
    simple = item.get("type") in ("string", "integer", "number") or ("anyOf" in item and "type" not in item)
    return Kind.LIST if simple else Kind.JSON


def _one_or_several(schema: Schema) -> bool:
    """Whether a drop-down gives one value or a list of them: a list of one will do for both."""
    return "x-options" in schema and len(schema.get("anyOf", ())) > 1


def _spoken(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
