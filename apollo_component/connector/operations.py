"""Requests from an action's declaration and input, and pages from answers. Pure."""

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson

from ..contract.actions import Action
from ..contract.digging import count, dig, number
from ..contract.errors import InputError, Problem
from ..contract.models import Page
from .messages import Request

BODYLESS = ("GET", "DELETE", "HEAD")


def request_for(action: Action, values: Mapping[str, Any], base_url: str, cursor: str | None = None) -> Request:
    """The request of one page: path placeholders first, then the query (GET, or declared), the rest as JSON."""
    values = dict(values) | _page_of(action, values, cursor)
    check_sendable(values)
    names = [name for _, name, _, _ in string.Formatter().parse(action.path) if name]
    path = action.path.format(**{name: _segment(name, values[name]) for name in names})
    rest = {name: value for name, value in values.items() if name not in names and value is not None}
    in_query = set(rest) if action.method in BODYLESS else set(action.query)
    query = tuple(pair for name in rest if name in in_query for pair in bracketed(name, rest[name]))
    body = {name: value for name, value in rest.items() if name not in in_query}
    return Request(
        action.method,
        base_url + path,
        query,
        None if action.method in BODYLESS else body,
        operation=action.id,
        quota_class=action.quota_class,
    )


def check_sendable(values: Mapping[str, Any]) -> None:
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
    number = _place(cursor) if cursor else int(values.get(style.page) or style.first)
    size = int(values.get(style.per_page) or style.max_per_page)
    if not style.reaches(number, size):
        text = f"asks for records past the {style.max_records:,}th, which the service doesn't give"
        raise InputError("The input was refused; nothing was sent.", [Problem(text, path=style.page)])
    return {style.page: number, style.per_page: size}


def _place(cursor: str) -> int:
    """A cursor may come back by way of somebody else. Raises InputError."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        problem = Problem("is none that was given before", path="cursor")
        raise InputError("The input was refused; nothing was sent.", [problem])
    return int(cursor)


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
    return None if action.credits.settles_later(values) else answered_cost(action, values, answer, records)


def answered_cost(action: Action, values: Mapping[str, Any], answer: Any, records: Sequence[Any]) -> float | None:
    """What the answer itself cost, whatever comes later; None when nothing tells."""
    credits = action.credits  # noqa: A001
    if credits.variable:
        return None
    reported = number(dig(answer, credits.reported)) if credits.reported else None
    if reported is not None and reported >= 0 and (credits.base or credits.stated_by):
        return reported
    if credits.stated_by:
        return None if credits.may_cost(values) else 0
    if not credits.base:
        return 0
    found = sum(record is not None for record in records)
    return credits.base * (found if credits.per or action.reply.value else min(found, 1))
