"""Requests from an action's declaration and input, and pages from answers. Pure."""

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson

from ..contract.actions import Action
from ..contract.errors import InputError, Problem
from ..contract.models import Page
from .messages import Request

_BODYLESS = ("GET", "DELETE", "HEAD")


def request_for(action: Action, values: Mapping[str, Any], base_url: str, cursor: str | None = None) -> Request:
    """The request of one page: path placeholders first, then the query (GET, or declared), the rest as JSON."""
    values = dict(values) | _page_of(action, values, cursor)
    _check_sendable(values)
    names = [name for _, name, _, _ in string.Formatter().parse(action.path) if name]
    path = action.path.format(**{name: _segment(name, values[name]) for name in names})
    rest = {name: value for name, value in values.items() if name not in names and value is not None}
    in_query = set(rest) if action.method in _BODYLESS else set(action.query)
    query = tuple(pair for name in rest if name in in_query for pair in bracketed(name, rest[name]))
    body = {name: value for name, value in rest.items() if name not in in_query}
    return Request(
        action.method,
        base_url + path,
        query,
        None if action.method in _BODYLESS else body,
        operation=action.id,
        quota_class=action.quota_class,
    )


def _check_sendable(values: Mapping[str, Any]) -> None:
    """Schemas let through what neither JSON nor a query can carry: numbers over 64 bits, infinite ones, half
    characters."""
    for name, value in values.items():
        try:
            sendable = orjson.dumps(value) and _finite(value)
        except TypeError:
            sendable = False
        if not sendable:
            problem = Problem("holds a number or text that can't be sent", path=name)
            raise InputError("The input was refused; nothing was sent.", [problem])


def _finite(value: Any) -> bool:
    """Infinite numbers and those that are none would leave as null, which clears fields."""
    if isinstance(value, Mapping | list | tuple):
        return all(_finite(inner) for inner in (value.values() if isinstance(value, Mapping) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _segment(name: str, value: Any) -> str:
    """One segment of a path, quoted. Raises InputError for a value that would change which path is meant."""
    if str(value) in ("", ".", ".."):
        raise InputError("The input was refused; nothing was sent.", [Problem("can't stand in a path", path=name)])
    return quote(str(value), safe="")


def bracketed(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Query pairs for nested input: `name[]=` for lists, `name[key]=` for objects."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from bracketed(f"{name}[{key}]", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from bracketed(f"{name}[]", inner)
    elif value is not None:
        yield name, _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _digits(value) if isinstance(value, float) else str(value)


def _digits(value: float) -> str:
    """All digits, and no fraction where there is none: services read `1e+16` as 1, and `5.0` is no whole number."""
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _page_of(action: Action, values: Mapping[str, Any], cursor: str | None) -> dict[str, Any]:
    """The page parameters; past the ceiling is an InputError, before anything is sent."""
    if action.paging is None:
        return {}
    style = action.paging
    number = int(cursor) if cursor else int(values.get(style.page) or style.first)
    size = int(values.get(style.per_page) or style.max_per_page)
    if not style.reaches(number, size):
        text = f"asks for records past the {style.max_records:,}th, which the service doesn't give"
        raise InputError("The input was refused; nothing was sent.", [Problem(text, path=style.page)])
    return {style.page: number, style.per_page: size}


def page_from(action: Action, values: Mapping[str, Any], answer: Any, cursor: str | None) -> Page:
    """The page an answer holds. Nulls, numbers as strings and fields nobody declared are all fine."""
    if action.reply.value is not None:
        value = answer if action.reply.value == "." else dig(answer, action.reply.value)
        found = [] if value is None else [value]
        return Page(records=found, value=value, total=len(found), spent=_spent(action, values, answer, found))
    records = answer if action.reply.records == "." else dig(answer, action.reply.records or "")
    records = records if isinstance(records, list) else []
    total = count(dig(answer, action.reply.total)) if action.reply.total else None
    return Page(
        records=records,
        value=answer,
        next_cursor=_next(action, values, records, total, cursor),
        total=total,
        spent=_spent(action, values, answer, records),
        ceiling=action.paging.max_records if action.paging else None,
    )


def _next(
    action: Action, values: Mapping[str, Any], records: Sequence[Any], total: int | None, cursor: str | None
) -> str | None:
    if action.paging is None or not records:
        return None
    style, current = action.paging, _page_of(action, values, cursor)
    number, size = current[style.page], current[style.per_page]
    following = style.after(number, size)
    done = style.skipped(following, size) >= total if total is not None else len(records) < size
    return None if done or not style.reaches(following, size) else str(following)


def _spent(action: Action, values: Mapping[str, Any], answer: Any, records: Sequence[Any]) -> float | None:
    """Credits the answer tells or implies; None when part of it is decided later."""
    credits = action.credits  # noqa: A001
    if credits.variable or credits.settles_later(values):
        return None
    if not credits.base:
        return 0
    reported = number(dig(answer, credits.reported)) if credits.reported else None
    if reported is not None and reported >= 0:
        return reported
    found = sum(record is not None for record in records)
    return credits.base * (found if credits.per or action.reply.value else min(found, 1))


def dig(value: Any, path: str) -> Any:
    """The part of an answer at a dotted path, None where anything on the way is missing."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


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


def count(value: Any) -> int | None:
    """A whole number that can be a count; None for everything else."""
    found = whole(value)
    return found if found is not None and found >= 0 else None
