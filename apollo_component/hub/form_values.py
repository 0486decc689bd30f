"""Between JSON and what a form posts, without loss: names are JSON pointers, and what a control can't show is posted as
JSON text under `json:` and the pointer. Pure.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .forms import Field, Kind

Pairs = Sequence[tuple[str, str]]
AS_JSON = "json:"
KEY, TYPE, VALUE = "key", "type", "value"
"""The three parts of a row of a map."""
TYPES = ("text", "number", "flag", "list", "json")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\Z")
_INDEX = re.compile(r"\d{1,4}\Z")


class UnreadableError(ValueError):
    """A JSON text that is none, at a pointer."""

    def __init__(self, at: str, text: str) -> None:
        super().__init__(text)
        self.at = at


class Posted:
    """What was posted, by name."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._by_name: dict[str, list[str]] = {}
        for name, text in pairs:
            self._by_name.setdefault(name, []).append(text.replace("\r\n", "\n"))

    def one(self, name: str) -> str:
        return self._by_name.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        return [text for text in self._by_name.get(name, ()) if text]

    def indexes(self, at: str) -> list[int]:
        """The numbers of the items below a list, in order."""
        below = (name.removeprefix(AS_JSON) for name in self._by_name)
        parts = (name[len(at) + 1 :].partition("/")[0] for name in below if name.startswith(f"{at}/"))
        return sorted({int(part) for part in parts if _INDEX.match(part)})

    def without(self, at: str) -> Pairs:
        """All but an item and what is in it."""
        return [(name, text) for name, text in self.pairs if f"{name.removeprefix(AS_JSON)}/".partition(f"{at}/")[0]]

    def added(self, at: str) -> Pairs:
        """With one more item, an empty one."""
        number = max(self.indexes(at), default=-1) + 1
        return [*self.pairs, (f"{at}/{number}", "")]

    def names(self) -> Iterable[str]:
        return self._by_name


def read(fields: Iterable[Field], posted: Posted) -> dict[str, Any]:
    """The JSON of a form. What isn't of its field's type stays text, for the schema to refuse in its own words.
    Raises UnreadableError."""
    known = list(fields)
    found = dict(_read_all(known, posted, ""))
    names = {f"{AS_JSON}/{one.name}" for one in known}
    for name in posted.names():
        beside = name.startswith(f"{AS_JSON}/") and name.count("/") == 1 and name not in names
        if beside and (text := posted.one(name)):
            found[_unescaped(name[len(AS_JSON) + 1 :])] = _loaded(text, name.removeprefix(AS_JSON))
    return found


def pairs_of(fields: Iterable[Field], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a form that shows these values posts; fields the form doesn't have come as JSON."""
    known = {one.name: one for one in fields}
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        at = f"/{_escaped(name)}"
        pairs += _pairs(known[name], value, at) if name in known else [_json(at, value)]
    return pairs


def _read_all(fields: Iterable[Field], posted: Posted, at: str) -> Iterator[tuple[str, Any]]:
    for one in fields:
        value = _value(one, posted, f"{at}/{_escaped(one.name)}")
        if value is not _ABSENT:
            yield one.name, value


_ABSENT: Any = object()


def _value(one: Field, posted: Posted, at: str) -> Any:
    if text := posted.one(AS_JSON + at).strip():
        return _loaded(text, at)
    if one.kind is Kind.GROUP:
        return dict(_read_all(one.fields, posted, at)) or _ABSENT
    if one.kind is Kind.GROUPS:
        groups = [dict(_read_all(one.fields, posted, f"{at}/{number}")) for number in posted.indexes(at)]
        return [group for group in groups if group] or _ABSENT
    if one.kind is Kind.MAP:
        return dict(_rows(posted, at)) or _ABSENT
    if one.kind is Kind.CHECKS:
        return posted.all(at) or _ABSENT
    if one.kind is Kind.LIST:
        return _listed(one, _lines(posted.one(at)))
    text = posted.one(at)
    text = text if one.kind is Kind.LONG else text.strip()
    return _READERS.get(one.kind, str)(text) if text else _ABSENT


def _listed(one: Field, lines: list[str]) -> Any:
    if one.single and len(lines) == 1:
        return lines[0]
    return [_number(line) if one.numbers else line for line in lines] or _ABSENT


def _rows(posted: Posted, at: str) -> Iterator[tuple[str, Any]]:
    for number in posted.indexes(at):
        row = f"{at}/{number}"
        if key := posted.one(f"{row}/{KEY}").strip():
            yield key, _typed(posted.one(f"{row}/{TYPE}"), posted.one(f"{row}/{VALUE}"), f"{row}/{VALUE}")


def _typed(kind: str, text: str, at: str) -> Any:
    if kind == "json":
        return _loaded(text, at)
    return {"number": _number, "flag": _flag, "list": _lines}.get(kind, str)(text)


def _number(text: str) -> Any:
    return json.loads(text.strip()) if _NUMBER.match(text.strip()) else text


def _flag(text: str) -> Any:
    return {"true": True, "false": False}.get(text.strip().casefold(), text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


_READERS: dict[Kind, Callable[[str], Any]] = {Kind.INTEGER: _number, Kind.NUMBER: _number, Kind.FLAG: _flag}


def _loaded(text: str, at: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise UnreadableError(at, f"is not JSON: {error.msg}, at character {error.pos + 1}") from None
    except (RecursionError, ValueError):
        raise UnreadableError(at, "is not JSON") from None


def _no_constant(_name: str) -> Any:
    raise ValueError


def _pairs(one: Field, value: Any, at: str) -> list[tuple[str, str]]:
    """The pairs that read back to the value; as JSON where its control has none."""
    found = list(_plain_pairs(one, value, at))
    try:
        same = bool(found) and _same(_value(one, Posted(found), at), value)
    except UnreadableError:
        same = False
    return found if same else [_json(at, value)]


def _plain_pairs(one: Field, value: Any, at: str) -> Iterator[tuple[str, str]]:
    if one.kind is Kind.GROUP and isinstance(value, Mapping):
        yield from _group_pairs(one.fields, value, at)
    elif one.kind is Kind.MAP and isinstance(value, Mapping):
        for number, (key, item) in enumerate(value.items()):
            yield from _row_pairs(f"{at}/{number}", key, item)
    elif isinstance(value, list):
        yield from _list_pairs(one, value, at)
    elif isinstance(value, str):
        if one.kind is Kind.LONG or "\n" not in value:
            yield at, value
    elif isinstance(value, int | float) and one.kind in _READERS:
        yield at, json.dumps(value)


def _list_pairs(one: Field, value: list[Any], at: str) -> Iterator[tuple[str, str]]:
    if one.kind is Kind.CHECKS:
        yield from ((at, item) for item in value if item in one.words)
    elif one.kind is Kind.LIST:
        yield at, "\n".join(item if isinstance(item, str) else json.dumps(item) for item in value)
    elif one.kind is Kind.GROUPS:
        for number, item in enumerate(value):
            yield f"{at}/{number}", ""
            yield from _group_pairs(one.fields, item, f"{at}/{number}") if isinstance(item, Mapping) else ()


def _group_pairs(fields: Iterable[Field], values: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    known = {one.name: one for one in fields}
    for name, value in values.items():
        if name in known:
            yield from _pairs(known[name], value, f"{at}/{_escaped(name)}")


def _row_pairs(at: str, key: str, value: Any) -> Iterator[tuple[str, str]]:
    forms = {"text": value, "number": json.dumps(value, ensure_ascii=False), "flag": json.dumps(value)}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        forms["list"] = "\n".join(value)
    forms["json"] = json.dumps(value, ensure_ascii=False)
    fitting = next(kind for kind in TYPES if kind in forms and _reads_back(kind, forms[kind], value))
    yield f"{at}/{KEY}", key
    yield f"{at}/{TYPE}", fitting
    yield f"{at}/{VALUE}", forms[fitting]


def _reads_back(kind: str, text: Any, value: Any) -> bool:
    return isinstance(text, str) and "\r" not in text and _same(_typed(kind, text, ""), value)


def _same(first: Any, second: Any) -> bool:
    """As JSON: 1 is neither true nor 1.0."""
    return first is not _ABSENT and json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def _json(at: str, value: Any) -> tuple[str, str]:
    return AS_JSON + at, json.dumps(value, ensure_ascii=False)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
