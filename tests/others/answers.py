"""Answers made up from shapes alone: this module knows neither the manifest nor the sandbox."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHAPES = Path(__file__).with_name("shapes")
SOURCES = ("recorded", "documented")
ROWS = 3
"""Elements of each list whose elements were seen; another list is empty."""
OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_STEP = re.compile(r"\[\]|\.[^.\[]+")
_DATE = re.compile(r".*(_at|_date|_on|_time)|date|time")

Types = dict[str, list[str]]


@dataclass(frozen=True)
class Shape:
    """The shape of one answer: where it was seen, the operation and its request, and the types at each path."""

    source: str
    operation: str
    request: str
    types: Types = field(repr=False)


def shapes() -> list[Shape]:
    """Every stored shape. A name that is a request is the operation of the same path, called by another verb."""
    return [
        Shape(source, "tasks_search" if name == "GET /tasks/search" else name, stored["request"], stored["shape"])
        for source in SOURCES
        for name, stored in json.loads((SHAPES / f"{source}.json").read_bytes()).items()
    ]


def answer(types: Types, seed: str) -> Any:
    """A whole answer with made-up values of the types seen; null only where nothing else was seen in that row."""
    return _value("$", types, random.Random(seed), "", 0)


def steps(path: str) -> list[str]:
    """`$.people[].id` as `.people`, `[]`, `.id`."""
    return _STEP.findall(path)


def paths(value: Any, at: str = "$") -> Iterator[str]:
    """Every path of a real answer, in the form of the shapes; a key that is an id is `{id}`."""
    yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{'{id}' if OBJECT_ID.fullmatch(name) else name}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")


def _value(path: str, types: Types, chance: random.Random, name: str, row: int) -> Any:
    kind = types[path][row % len(types[path])]
    if kind == "object":
        below = (_STEP.fullmatch(other, len(path)) for other in types if other.startswith(f"{path}."))
        names = [found.group()[1:] for found in below if found]
        return {_key(key, chance): _value(f"{path}.{key}", types, chance, key, row) for key in names}
    if kind == "array":
        rows = range(ROWS if f"{path}[]" in types else 0)
        return [_value(f"{path}[]", types, chance, name.removesuffix("s"), row) for row in rows]
    return _SCALARS[kind](name, chance)


def _key(name: str, chance: random.Random) -> str:
    """`{id}` and `{key}` stand for keys that are data."""
    return {"{id}": _id(chance), "{key}": f"made up {chance.randrange(1000)}"}.get(name, name)


def _id(chance: random.Random) -> str:
    return f"{chance.getrandbits(96):024x}"


def _number(name: str, chance: random.Random) -> int:
    return -chance.getrandbits(62) if name == "request_id" else chance.randrange(1, 1000)


def _text(name: str, chance: random.Random) -> str:
    number = chance.randrange(1000)
    if name == "request_id":
        return str(_number(name, chance))
    if name in ("id", "_id") or name.endswith("_id"):
        return _id(chance)
    if _DATE.fullmatch(name):
        return f"2026-05-{number % 28 + 1:02}T10:00:00.000+00:00"
    if name.endswith("email"):
        return f"person{number}@example.com"
    if name.endswith("domain"):
        return f"company{number}.example"
    return f"https://example.com/{number}" if name.endswith(("url", "link")) else f"Made up {number}"


_SCALARS = {
    "null": lambda *_: None,
    "boolean": lambda _, chance: chance.random() < 0.5,
    "number": _number,
    "string": _text,
}
