"""Parts of an answer by their dotted path; nothing is expected to be there."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def dig(value: Any, path: str) -> Any:
    """The part of an answer at a dotted path, None where anything on the way is missing."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def moment(value: Any, paths: Sequence[str]) -> datetime | None:
    """The first readable ISO 8601 time at one of several dotted paths, in UTC; None when there is none.

    A time without an offset is UTC.
    """
    return next((found for path in paths if (found := _time(dig(value, path)))), None)


def _time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found and (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number(value: Any) -> float | None:
    """A finite number, also one written as text; None for everything else."""
    try:
        found = None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and math.isfinite(found) else None


def whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None or abs(found) > 1e15 else int(found)


def sentence(value: Any) -> str:
    """What a service said, as one line of plain text of at most 300 characters; empty when it said nothing."""
    said = "" if value is None else str(value)[:2000]
    return " ".join("".join(char if char.isprintable() else " " for char in said).split())[:300]


def count(value: Any) -> int | None:
    """A whole number that can be a count; None for everything else."""
    found = whole(value)
    return found if found is not None and found >= 0 else None
