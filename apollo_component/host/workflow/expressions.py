"""JMESPath between steps: compiled and checked before a run, evaluated on what earlier steps gave."""

import functools
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, takewhile
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from ...contract.errors import InputError, Problem
from ...contract.schemas import guess
from .bounds import GROWTH, LONGEST, TooMuchError, bounded, growth

FROM = "$from"
RESULT = ("records", "record", "count", "errors", "misses", "late")
"""What expressions see of a step that is done."""

DEPTH = 200
"""Brackets that may stand in one another; how many Python itself reads differs from version to version."""
_BRACKETS = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)


@functools.lru_cache(maxsize=1000)
def compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def is_reference(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {FROM}


def references(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every `{$from: ...}` inside a value, with its path."""
    if is_reference(value):
        yield (*path, FROM), value[FROM]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from references(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from references(inner, (*path, number))


def problem(expression: Any, names: Mapping[str, Any]) -> str:
    """What is wrong with an expression, empty when nothing is. `names` maps each root to what is known below it."""
    if not isinstance(expression, str) or not expression.strip():
        return "must be a JMESPath expression"
    if len(expression) > LONGEST:
        return f"must have at most {LONGEST:,} characters"
    if max(accumulate(_BRACKETS.get(sign, 0) for sign in expression)) > DEPTH:
        return "is nested too deep"
    try:
        tree = compiled(expression).parsed
        if growth(tree) > GROWTH:
            return f"could give more than {GROWTH} times what it gets; put fewer values together"
        return next((text for chain in _chains(tree) if (text := _wrong(chain, names))), "")
    except JMESPathError:
        return "is not a JMESPath expression"
    except RecursionError:
        return "is nested too deep"


def _wrong(chain: tuple[str, ...], names: Mapping[str, Any]) -> str:
    root = chain[0]
    if root not in names:
        return f"names {root}, but only these are known here: {', '.join(names)}"
    known = names[root]
    if known is not None and len(chain) > 1 and chain[1] not in known:
        options = ", ".join(sorted(known)) or "none"
        return f"names {root}.{chain[1]}; known here: {options}"
    if root == "steps" and len(chain) > 2 and chain[2] not in RESULT:
        return f"names {'.'.join(chain)}; a step has {', '.join(RESULT)}{guess(chain[2], RESULT)}"
    return ""


def _chains(tree: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The names an expression starts from: ("steps", "search", "records") for `steps.search.records[].id`."""
    kind, children = tree["type"], tree["children"]
    if kind == "field":
        yield (tree["value"],)
    elif kind == "subexpression":
        parts = _flat(tree)
        names = tuple(part["value"] for part in takewhile(lambda part: part["type"] == "field", parts))
        if names:
            yield names[:3]
        for part in parts[len(names) : len(names) + 1]:
            yield from ((*names, *inner)[:3] for inner in _chains(part))
    elif kind in ("projection", "value_projection", "filter_projection", "index_expression", "flatten", "pipe"):
        yield from _chains(children[0])
    elif kind in ("literal", "expref"):
        return
    else:
        for child in children:
            if isinstance(child, Mapping):
                yield from _chains(child)


def _flat(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if tree["type"] != "subexpression":
        return [tree]
    return [part for child in tree["children"] for part in _flat(child)]


def steps_named(expression: str) -> set[str]:
    return {chain[1] for chain in _chains(compiled(expression).parsed) if chain[0] == "steps" and len(chain) > 1}


def resolve(value: Any, evaluate: Callable[[str], Any]) -> Any:
    """A value with every `{$from: ...}` replaced; a field whose expression gives null is left out."""
    if is_reference(value):
        return evaluate(value[FROM])
    if isinstance(value, dict):
        found = {key: resolve(inner, evaluate) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner is not None or not is_reference(value[key])}
    if isinstance(value, list):
        return [resolve(inner, evaluate) for inner in value]
    return value


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """Raises InputError when the values don't fit the expression."""
    try:
        return bounded(compiled(expression).parsed, context)
    except TooMuchError as error:
        raise InputError(
            "An expression takes more than it may.", [Problem(str(error), path=expression[:200])]
        ) from None
    except JMESPathError as error:
        raise InputError(
            "An expression doesn't fit the values it got.", [Problem(type(error).__name__, path=expression[:200])]
        ) from None
