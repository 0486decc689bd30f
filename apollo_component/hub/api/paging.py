"""Pages of a list: how many, and from where on. A cursor is opaque to who asks, and is checked like any input."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ...contract.errors import InputError, Problem
from .checking import REFUSED
from .endpoint import Ask, Parameter
from .shapes import text

MOST = 100
Item = TypeVar("Item")
LIMIT = Parameter("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 50})
CURSOR = Parameter("cursor", "`next_cursor` of the page before.", text("", minLength=1, maxLength=1000))
PAGED = (LIMIT, CURSOR)


def cursor_for(*place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(ask: Ask, *kinds: type) -> tuple[Any, ...] | None:
    """Where the page begins, as `cursor_for` was given it; None for the first. Raises InputError."""
    if "cursor" not in ask.query:
        return None
    given = ask.query["cursor"]
    try:
        found = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or [type(part) for part in found] != list(kinds):
        raise InputError(REFUSED, [Problem("is not a cursor that was given here", path="cursor")])
    return tuple(found)


def page(ask: Ask, found: Sequence[Item], shown: Callable[[Item], Any], place: Callable[[Item], Any]) -> dict[str, Any]:
    """A page of items of which one more than the limit was looked for."""
    limit = ask.query["limit"]
    more = cursor_for(*place(found[limit - 1])) if len(found) > limit else None
    return {"items": [shown(item) for item in found[:limit]], "next_cursor": more}
