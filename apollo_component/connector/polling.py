"""From a page of a trigger's action to events and the place of the next request. Pure.

A sweep reads newest first until what is known, or everything. Its cursor is JSON: between two pages it tells the page,
the watermark it reads down to and what was seen so far; afterwards only the watermark is left.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ..contract.digging import dig, moment
from ..contract.errors import IncompleteReplyError, RejectedError
from ..contract.models import Event, Page, Poll
from ..contract.triggers import Trigger

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Times as texts of one width, so that they compare as they follow each other."""
_NEVER = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where a sweep stands. `since` is the watermark it reads down to, None until the newest record tells it."""

    since: str | None = None
    page: str | None = None
    newest: str = _NEVER
    total: int | None = None
    shrunk: bool = False
    read: int = 0
    mark: str = ""
    """The fingerprint of the last page's ids."""


def sweep_from(cursor: str | None, since: datetime | None) -> Sweep:
    if cursor is not None:
        return Sweep(**orjson.loads(cursor))
    return Sweep(since=since.astimezone(UTC).strftime(_FORM) if since else None)


def asked(trigger: Trigger, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The input of the trigger's action: the person's filters, what the trigger fixes, and how far back it looks."""
    recent = trigger.recent
    window = {recent.input: {"min": f"{now - timedelta(days=recent.days):%Y-%m-%d}"}} if recent else {}
    return {**values, **trigger.fixed, **window}


def poll_of(trigger: Trigger, page: Page, sweep: Sweep, now: datetime) -> Poll:
    """The events of one page. Raises RejectedError when the search can't reach all that the sweep must read, and
    IncompleteReplyError for a page that can't be what it should be: what it passes over would never be seen."""
    mark = _checked_mark(trigger, page, sweep)
    marked = trigger.style == "newest" and bool(trigger.time)
    times = [time for record in page.records if (time := time_of(record, trigger.time))]
    newest = max([sweep.newest, *times])
    since = newest if sweep.since is None else sweep.since
    floor = _earlier(since, trigger.overlap) if marked else _NEVER
    shrunk = sweep.shrunk or (sweep.total or 0) > (page.total if page.total is not None else sweep.total or 0)
    read = sweep.read + len(page.records)
    reached = marked and bool(times) and min(times) < floor
    if page.next_cursor is None and not reached:
        _check_reach(page, read)
    ahead = Sweep(since if marked else None, page.next_cursor, newest, page.total, shrunk, read, mark)
    done = Sweep(since=since if shrunk else max(since, newest)) if marked else Sweep()
    sorted_ = [_sorted(trigger, record, floor, now) for record in page.records]
    return Poll(
        events=tuple(_event(trigger, record) for record, kind in zip(page.records, sorted_, strict=True) if not kind),
        seen=len(page.records),
        known=sorted_.count("known"),
        filtered=sorted_.count("filtered"),
        warnings=(*page.warnings, *_short(page, read, over=page.next_cursor is None and not reached)),
        next=None if reached or page.next_cursor is None else _text(ahead),
        resume=_text(done),
        shrunk=shrunk,
        total=page.total,
    )


def _check_reach(page: Page, read: int) -> None:
    matching = page.total if page.total is not None else read + 1
    if page.ceiling is not None and read >= page.ceiling and matching > page.ceiling:
        raise RejectedError(
            f"More records match than the {page.ceiling:,} that one search gives, so some would be missed.",
            hint="Narrow the filters of the trigger; use one workflow for each part.",
        )


def _checked_mark(trigger: Trigger, page: Page, sweep: Sweep) -> str:
    """The fingerprint of the page. Raises IncompleteReplyError for a hollow or a repeated one."""
    mark = digest([dig(record, trigger.id_field) for record in page.records]) if page.records else ""
    if page.next_cursor is not None and not page.records:
        raise _incomplete("a page in the middle of the list is empty")
    if sweep.page is not None and mark and mark == sweep.mark:
        raise _incomplete("the service gave the same page again")
    return mark


def _incomplete(what: str) -> IncompleteReplyError:
    text = f"The list can't be trusted: {what}, so records may be missing."
    return IncompleteReplyError(text, hint="It is looked again later; nothing is passed over.")


def _short(page: Page, read: int, *, over: bool) -> tuple[str, ...]:
    """At the end of a whole list, what matched and wasn't there."""
    if not over or page.total is None or read >= page.total or (page.ceiling is not None and page.total > page.ceiling):
        return ()
    return (f"{page.total:,} records matched, {read:,} were given: {page.total - read:,} are missing",)


def _sorted(trigger: Trigger, record: Any, floor: str, now: datetime) -> str:
    """What becomes of a record: `known`, `filtered`, or empty for an event."""
    time = time_of(record, trigger.time)
    if time and time < floor:
        return "known"
    return "" if dig(record, trigger.id_field) is not None and _wanted(trigger, record, time, now) else "filtered"


def _event(trigger: Trigger, record: Any) -> Event:
    mark = digest(record) if trigger.style == "newest" and not trigger.time else ""
    identity, at = str(dig(record, trigger.id_field)), moment(record, trigger.time)
    return Event(identity, version_of(trigger, record), record, at, mark)


def _wanted(trigger: Trigger, record: Any, time: str, now: datetime) -> bool:
    if trigger.due and not (time and time <= now.astimezone(UTC).strftime(_FORM)):
        return False
    return all(dig(record, name) == value for name, value in trigger.where.items())


def version_of(trigger: Trigger, record: Any) -> str:
    """What makes this state of the record an event of its own; empty when a record is an event once."""
    if not trigger.version:
        return ""
    if len(trigger.version) == 1:
        value = dig(record, trigger.version[0])
        return time_of(record, trigger.version) or ("" if value is None else str(value)[:200])
    return digest({name: dig(record, name) for name in trigger.version})


def digest(value: Any) -> str:
    """A fingerprint: the same for a number and its text, for an empty field and one that is missing."""
    return hashlib.sha256(orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if inner not in (None, [], {}, "")}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, bool) else str(value)


def time_of(record: Any, fields: Sequence[str]) -> str:
    """A time of a record in UTC, in the one form; empty when none of the fields holds one."""
    found = moment(record, fields)
    return found.strftime(_FORM) if found else _NEVER


def _earlier(time: str, seconds: int) -> str:
    if not time:
        return _NEVER
    return (datetime.strptime(time, _FORM) - timedelta(seconds=seconds)).strftime(_FORM)  # noqa: DTZ007


def _text(sweep: Sweep) -> str:
    return orjson.dumps(asdict(sweep)).decode()
