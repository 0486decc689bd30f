"""Strategies for inputs that fit a schema. The schema is a whole one (see `whole`)."""

from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from .whole import Schema, Way, both, ecma, fits

Draw = st.DrawFn
ODD = ("&", "a=b", "[]", "a[b]", "%2F", "+", "a b", "/", "?", "#", "..", "ü", "😀", "\n", "\x00", "null", "true", "0")
SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""The whole numbers that JSON of the connector can carry; others are refused (see tests/connector)."""
TRIES = 25
PLAIN = {
    "domain": ("example.com", "a.b-c.example.co.uk", "bücher.example", "xn--bcher-kva.example"),
    "linkedin_profile": ("http://www.linkedin.com/in/dana-reyes", "http://www.linkedin.com/in/r%c3%a9yes-1"),
}
"""Texts that have a form already, so that they are sent as they are."""
PUBLIC = ("https://example.com/a?b=c&d[]=%20", "https://hooks.example.com:8443/x#y", "https://8.8.8.8")

TEXTS = st.text(max_size=12) | st.sampled_from(ODD)
FREE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(SMALLEST, LARGEST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def inputs(draw: Draw, schema: Schema, way: Way = ()) -> Any:
    """A value that fits; `way` is a place that must be there."""
    for _ in range(TRIES):
        value = draw(values(schema, way))
        if fits(schema, value) and _is_there(value, way):
            return value
    assume(False)
    return None


def _is_there(value: Any, way: Way) -> bool:
    for part in way:
        if isinstance(part, str) and (not isinstance(value, dict) or part not in value):
            return False
        if isinstance(part, int) and (not isinstance(value, list) or len(value) <= part):
            return False
        value = value[part]
    return True


@st.composite
def values(draw: Draw, schema: Schema, way: Way = ()) -> Any:
    """A value of the right shape that mostly fits: rules over several fields are followed by choosing a branch."""
    for rule in schema.get("allOf", ()):
        if ways := _followed(rule, {*schema.get("required", ()), *way[:1]}):
            schema = both(schema, draw(st.sampled_from(ways)))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    return draw(_KINDS[schema["type"]](schema, way))


def _followed(rule: Schema, needed: set[Any]) -> list[Schema]:
    """How a rule can be kept, with the fields that are there anyway; `without` names fields that have to be away.
    Nothing where only the finished value tells."""
    if "not" in rule:
        names = rule["not"].get("required", ()) if "properties" not in rule["not"] else ()
        others = [branch["required"] for inner in rule["not"].get("allOf", ()) for branch in inner["anyOf"]]
        away = [[name] for name in names] + [[name for branch in others for name in branch]] * bool(others)
        return [{"without": names} for names in away if not needed & set(names)]
    if "oneOf" in rule:
        named = [branch["required"] for branch in rule["oneOf"]]
        apart = [[name for other in named if other is not one for name in other] for one in named]
        return [
            {"required": one, "without": rest} for one, rest in zip(named, apart, strict=True) if not needed & set(rest)
        ]
    return rule.get("anyOf") or [rule]


@st.composite
def _objects(draw: Draw, schema: Schema, way: Way) -> dict[str, Any]:
    if "properties" not in schema:
        form = schema.get("propertyNames")
        # Names of a workspace's own fields are turned into ids by the host before a connector is asked.
        form = {"pattern": "^[0-9a-f]{24}$"} if "x-fields" in schema else form
        names = TEXTS if form is None else values(form | {"type": "string"})
        return draw(st.dictionaries(names, FREE, min_size=schema.get("minProperties", 0), max_size=3))
    fields = schema["properties"]
    needed = {*schema.get("required", ()), *[part for part in way[:1] if isinstance(part, str)]}
    others = sorted(set(fields) - needed - set(schema.get("without", ())))
    least = max(0, schema.get("minProperties", 0) - len(needed))
    most = max(least, draw(st.sampled_from((0, 1, 3, len(others)))))
    chosen = draw(st.lists(st.sampled_from(others), unique=True, min_size=least, max_size=most)) if others else []
    names = [name for name in fields if name in needed or name in chosen]
    made = {name: draw(values(fields[name], way[1:] if way[:1] == (name,) else ())) for name in names}
    ends = [name for name in schema.get("x-ascending", ()) if name in made]
    return made | dict(zip(ends, sorted(made[name] for name in ends), strict=True))


@st.composite
def _lists(draw: Draw, schema: Schema, way: Way) -> list[Any]:
    least = max(schema.get("minItems", 0), len(way[:1]))
    most = min(schema.get("maxItems", least + 3), least + 3)
    first = [draw(values(schema["items"], way[1:]))] if most and (least or draw(st.booleans())) else []
    return first + draw(st.lists(values(schema["items"]), min_size=max(0, least - 1), max_size=most - 1)) * bool(first)


@st.composite
def _texts(draw: Draw, schema: Schema, _way: Way) -> str:
    if chosen := PLAIN.get(schema.get("x-form", "")) or (PUBLIC if "x-public" in schema else ()):
        return draw(st.sampled_from(chosen))
    found = draw(_text(schema.get("pattern"), schema.get("minLength", 0), schema.get("maxLength", 100)))
    if isinstance(parts := schema.get("x-ascending"), str):
        return parts.join(sorted(found.split(parts), key=int))
    return found


@cache
def _text(pattern: str | None, least: int, most: int) -> st.SearchStrategy[str]:
    free = st.text(min_size=least, max_size=12) | st.sampled_from(ODD)
    return (st.from_regex(ecma(pattern)) if pattern else free).filter(lambda made: least <= len(made) <= most)


def _integers(schema: Schema, _way: Way) -> st.SearchStrategy[Any]:
    """Numbers without a fraction are whole ones, however they are written."""
    least, most = schema.get("minimum", SMALLEST), schema.get("maximum", LARGEST)
    written = st.sampled_from((1.0, 5.0, 1e15, 1e16, 1e18)).filter(lambda number: least <= number <= most)
    return st.integers(least, most) | written


def _numbers(schema: Schema, _way: Way) -> st.SearchStrategy[Any]:
    limits = {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}
    return st.floats(allow_nan=False, allow_infinity=False, **limits) | _integers(schema, ())


_KINDS: dict[str, Any] = {
    "object": _objects,
    "array": _lists,
    "string": _texts,
    "integer": _integers,
    "number": _numbers,
    "boolean": lambda _schema, _way: st.booleans(),
}
