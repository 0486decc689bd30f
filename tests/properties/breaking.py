"""One violation of a valid input for each keyword of its schema, at any depth."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from .making import TRIES, Draw, inputs, values
from .whole import RULES, Schema, Way, both, ecma, fits

CANARY = "CANARY-v4lue"
FAR = 987654321
"""So far off a limit that it can't stand in an error by chance."""
UNKNOWN = "zz_unknown"


@dataclass(frozen=True)
class Site:
    """A keyword at a place of a schema; `name` is the required field, `rule` the relation between fields."""

    keyword: str
    way: Way
    schema: Schema
    name: str = ""
    rule: Schema | None = None

    def __repr__(self) -> str:
        return f"{self.keyword} at {list(self.way)} {self.name}"


def sites(schema: Schema, way: Way = ()) -> Iterator[Site]:
    """Everything in a schema that an input can break."""
    for keyword in schema:
        if keyword == "required":
            yield from (Site(keyword, way, schema, name) for name in schema["required"])
        elif keyword == "allOf":
            for rule in schema["allOf"]:
                yield from (Site(kind, way, schema, rule=rule) for kind in (*RULES, "minProperties") if kind in rule)
        elif keyword in _BAD and (keyword != "format" or schema[keyword] in ("date", "date-time")):
            yield Site(keyword, way, schema)
    for name, field in schema.get("properties", {}).items():
        yield from sites(field, (*way, name))
    if "items" in schema:
        yield from sites(schema["items"], (*way, 0))


@st.composite
def broken(draw: Draw, schema: Schema, site: Site) -> tuple[Any, Way]:
    """A valid input with this one violation in it, and the place an error has to name."""
    made = deepcopy(draw(inputs(schema, (*site.way, 0) if site.keyword == "maxItems" else site.way)))
    held: Any = made
    for part in site.way[:-1]:
        held = held[part]
    here = held[site.way[-1]] if site.way else made
    bad, place = _against(draw, site, here)
    if site.way:
        held[site.way[-1]] = bad
    else:
        made = bad
    return made, (*site.way, *place)


def _against(draw: Draw, site: Site, here: Any) -> tuple[Any, Way]:
    if site.rule is not None:
        return _against_rule(draw, site.schema, site.rule), ()
    if site.keyword == "required":
        return {name: value for name, value in here.items() if name != site.name}, (site.name,)
    return _BAD[site.keyword](draw, site.schema, here)


def _against_rule(draw: Draw, schema: Schema, rule: Schema) -> Any:
    """A value of the right shape that the rule alone forbids."""
    plain = {key: value for key, value in schema.items() if key != "allOf"}
    if "properties" not in schema:
        return draw(st.sampled_from((CANARY, {CANARY: 1}, FAR)))
    if "minProperties" in rule:
        return draw(values(plain | {"properties": {n: plain["properties"][n] for n in plain.get("required", ())}}))
    for _ in range(4 * TRIES):
        value = draw(values(both(plain, _inverse(rule))))
        if not fits(rule, value):
            return value
    assume(False)
    return None


def _inverse(rule: Schema) -> Schema:
    """What an input needs before it can break a rule: all that it names as forbidden, or as an alternative of one."""
    made: Schema = {}
    if "not" in rule:
        made = {key: value for key, value in rule["not"].items() if key in ("required", "properties")}
        for inner in rule["not"].get("allOf", ()):
            made = both(made, inner["anyOf"][0])
    for branch in rule.get("oneOf", ()):
        made = both(made, {"required": branch["required"]})
    for branch in (*rule.get("anyOf", ()), *rule.get("allOf", ())):
        made = both(made, _inverse(branch))
    for name, field in rule.get("properties", {}).items():
        if inner := _inverse(field):
            made = both(made, {"properties": {name: inner}})
    if "items" in rule and (inner := _inverse(rule["items"])):
        made = both(made, {"items": inner})
    if "not" in rule and "const" in rule["not"]:
        made = {"const": rule["not"]["const"]}
    return made


_OTHERS: dict[str, tuple[Any, ...]] = {
    "object": (CANARY, [CANARY], FAR, None, True),
    "array": (CANARY, {CANARY: CANARY}, FAR, None, False),
    "string": ([CANARY], {CANARY: CANARY}, FAR, None, True),
    "integer": (CANARY, [FAR], FAR + 0.5, None, True, str(FAR)),
    "number": (CANARY, [FAR], None, True, str(FAR)),
    "boolean": (CANARY, FAR, [True], None, "true"),
}


def _wrong_type(draw: Draw, schema: Schema, _here: Any) -> tuple[Any, Way]:
    return draw(st.sampled_from(_OTHERS[schema["type"]])), ()


def _no_member(draw: Draw, _schema: Schema, here: Any) -> tuple[Any, Way]:
    return draw(st.sampled_from((CANARY, [CANARY], f"{here}\n", f"{here}".upper() + CANARY, None))), ()


def _no_match(draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    """Something else, what fits with something before or after it, and what fits with a line break at its end."""
    wrong = (CANARY + "!@", f"{here}\n", f" {CANARY}{here}", f"{here} {CANARY}", "powerup_" + CANARY)
    text = draw(st.sampled_from([text for text in wrong if not ecma(schema["pattern"]).search(text)]))
    return text, ()


def _too_short(_draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    return here[: schema["minLength"] - 1], ()


def _too_long(_draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    return here + "0" * (schema["maxLength"] + 1 - len(here)), ()


def _too_few(_draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    return here[: schema["minItems"] - 1], ()


def _too_many(_draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    return here + [here[0]] * (schema["maxItems"] + 1 - len(here)), ()


def _too_small(draw: Draw, schema: Schema, _here: Any) -> tuple[Any, Way]:
    return schema["minimum"] - draw(st.sampled_from((1, FAR))), ()


def _too_large(draw: Draw, schema: Schema, _here: Any) -> tuple[Any, Way]:
    return schema["maximum"] + draw(st.sampled_from((1, FAR))), ()


def _unknown_field(_draw: Draw, _schema: Schema, here: Any) -> tuple[Any, Way]:
    return here | {UNKNOWN: CANARY}, (UNKNOWN,)


def _wrong_name(_draw: Draw, _schema: Schema, here: Any) -> tuple[Any, Way]:
    return here | {"": 1}, ()


def _too_few_fields(_draw: Draw, _schema: Schema, _here: Any) -> tuple[Any, Way]:
    return {}, ()


def _no_day(draw: Draw, schema: Schema, _here: Any) -> tuple[Any, Way]:
    """A day, or a time of day, of the right form that there never is."""
    days = ("2026-02-30", "2026-06-31", "2027-02-29")
    if schema["format"] == "date":
        return draw(st.sampled_from(days)), ()
    return draw(st.sampled_from((*[f"{day}T09:00:00Z" for day in days], "2026-10-31T25:00:00Z"))), ()


def _descending(draw: Draw, schema: Schema, here: Any) -> tuple[Any, Way]:
    if isinstance(here, str):
        return draw(st.sampled_from(("50,1", f"{FAR},10", "10,9"))), ()
    first, second = schema["x-ascending"]
    ends: tuple[Any, Any] = (FAR, 1)
    if (form := schema["properties"][first].get("format")) is not None:
        ends = ("2026-12-01", "2026-11-30")
        if form == "date-time":
            ends = draw(
                st.sampled_from(
                    (
                        ("2026-12-01T09:00:00Z", "2026-12-01T08:59:59.999Z"),
                        ("2026-12-01T09:00", "2026-12-01T10:00+02:00"),
                    )
                )
            )
    return here | {first: ends[0], second: ends[1]}, (second,)


def _inward(draw: Draw, _schema: Schema, _here: Any) -> tuple[Any, Way]:
    hosts = ("https://localhost", "http://example.com", "https://10.0.0.1", "https://127.0.0.1:8443")
    return f"{draw(st.sampled_from(hosts))}/{CANARY}", ()


_BAD = {
    "type": _wrong_type,
    "enum": _no_member,
    "pattern": _no_match,
    "minLength": _too_short,
    "maxLength": _too_long,
    "minItems": _too_few,
    "maxItems": _too_many,
    "minimum": _too_small,
    "maximum": _too_large,
    "additionalProperties": _unknown_field,
    "propertyNames": _wrong_name,
    "minProperties": _too_few_fields,
    "format": _no_day,
    "x-ascending": _descending,
    "x-public": _inward,
}
