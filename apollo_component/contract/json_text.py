"""JSON that people write, read strictly: no name twice, no NaN, an object with named fields. Never repeats the text."""

import json
from typing import Any, NoReturn

from .errors import InputError, Problem

DEPTH = 200
"""Levels that the input may have, as answers may; how many Python itself reads differs from version to version."""
REFUSAL = "The input was refused; nothing was sent."


def read_object(text: str, place: str) -> dict[str, Any]:
    """Raises InputError with the mistake, its line, and `place` as the path of what was given."""
    try:
        values = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        raise refused(f"is not JSON: {error.msg}", place, error.lineno) from None
    except RecursionError:
        raise _too_deep(place) from None
    except _NotJsonError as error:
        raise refused(str(error), place) from None
    if not isinstance(values, dict):
        raise refused("must be a JSON object with named fields", place)
    if _is_deep(values):
        raise _too_deep(place)
    return values


def refused(text: str, place: str, line: int = 0) -> InputError:
    return InputError(REFUSAL, [Problem(text, path=place, line=line)])


def _too_deep(place: str) -> InputError:
    return refused(f"is nested more than {DEPTH} levels", place)


def _is_deep(value: Any) -> bool:
    """Level by level, as Python's own calls may not go that deep."""
    level = [value]
    for _ in range(DEPTH):
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
        level = [inner for inner in level if isinstance(inner, dict | list)]
    return bool(level)


class _NotJsonError(ValueError):
    pass


def _no_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"holds {name}, which is not JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(REFUSAL, [Problem("stands twice", path=name) for name in twice])
    return found
