"""Requests from an action's declaration and input, and pages from answers. Pure."""

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson

from ..contract.actions import Action
from ..contract.digging import count, dig, number
from ..contract.errors import IncompleteReplyError, InputError, Problem
from ..contract.models import Page
from . import paging
from .messages import Request

BODYLESS = ("GET", "DELETE", "HEAD")


def request_for(action: Action, values: Mapping[str, Any], base_url: str, cursor: str | None = None) -> Request:
    """The request of one page: path placeholders first, then the query (GET, or declared), the rest as JSON."""
    values = dict(values) | _page_of(action, values, cursor)
    check_sendable(values)
    names = [name for _, name, _, _ in string.Formatter().parse(action.path) if name]
    path = action.path.format(**{name: _segment(name, values[name]) for name in names})
    unsent = {*names, *action.own_inputs}
    rest = {name: value for name, value in values.items() if name not in unsent and value is not None}
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


def page_from(action: Action, values: Mapping[str, Any], answer: Any) -> Page:
    """What an answer holds, before any quirk. Nulls, numbers as strings and fields nobody declared are all fine.

    Raises IncompleteReplyError when the answer lacks the list or the value that the action declares.
    """
    shape = action.reply
    if shape.value is not None:
        value = _value(action, values, answer)
        found = [] if value is None else [value]
        return Page(records=found, value=value, total=len(found))
    records = [with_nobody(action, values, record) for record in _records(action, answer)]
    total, size, pages = (_told(answer, path) for path in (shape.total, shape.size, shape.pages))
    return Page(records=records, value=answer, total=total, size=size or None, pages=pages)


def _told(answer: Any, path: str | None) -> int | None:
    return count(dig(answer, path)) if path else None


def finished(action: Action, values: Mapping[str, Any], answer: Any, page: Page, cursor: str | None) -> Page:
    """The page with what it cost and where the next one is."""
    spent = None if action.credits.settles_later(values) else answered_cost(action, values, answer, page.records)
    page = replace(page, spent=spent)
    if action.paging is None:
        return page
    page = replace(page, ceiling=action.paging.max_records)
    return paging.placed(action, values, page, _page_of(action, values, cursor))


def _records(action: Action, answer: Any) -> list[Any]:
    """The list that the answer holds. An optional one may be left out; anything else in its place isn't one."""
    records = answer if action.reply.records == "." else dig(answer, action.reply.records or "")
    if isinstance(records, list):
        return records
    if action.reply.optional and isinstance(answer, Mapping) and (records is None or records is answer):
        return []
    raise _incomplete(action.reply.records, "a list")


def _value(action: Action, values: Mapping[str, Any], answer: Any) -> Any:
    """The single value of an answer, None where nothing was found. Raises IncompleteReplyError."""
    shape = action.reply
    if shape.value == ".":
        if isinstance(answer, Mapping) or action.raw:
            return answer
        raise _incomplete(".", "an object")
    value = dig(answer, shape.value or "")
    if isinstance(value, Mapping) and value:
        return with_nobody(action, values, value)
    if shape.optional and isinstance(answer, Mapping) and value in (None, {}):
        return None
    raise _incomplete(shape.value, "an object")


def _incomplete(path: str | None, what: str) -> IncompleteReplyError:
    lacks = f"`{path}` isn't {what} in it" if path != "." else f"it isn't {what}"
    return IncompleteReplyError(
        f"The answer can't be read: {lacks}.", hint="The service may be in trouble or have changed; try again later."
    )


def with_nobody(action: Action, values: Mapping[str, Any], record: Any) -> Any:
    """The record, or None where it only tells that nobody was found."""
    stub = action.reply.stub
    if stub is None or not isinstance(record, Mapping):
        return record
    told = {name: record.get(name) for name in stub.where}
    if any(value is not None for value in told.values()):
        return None if told == dict(stub.where) else record
    holds = {name: value for name, value in record.items() if value not in (None, "", [], {})}
    if not holds:
        return None
    if stub.name in holds or stub.name not in record:
        return record
    asked = {_folded(value) for value in _texts(values)}
    beyond = (value for name, value in holds.items() if name not in stub.beside)
    return None if all(_folded(value) in asked for value in beyond) else record


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _texts(value: Any) -> Iterator[str]:
    """Every text of an input, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


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
