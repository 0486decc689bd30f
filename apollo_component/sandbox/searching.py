"""What searches have in common: the order of time, records that are not found yet, pages that shift."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from .errors import range_as_string
from .operation import Call
from .paging import Page

Record = dict[str, Any]
T = TypeVar("T")


def visible(call: Call, found: list[T]) -> list[T]:
    """What a search finds already: records (or ids) younger than the lag are left out."""
    lag = call.state.settings.search_lag
    if not lag:
        return found
    oldest, born = call.now - lag, call.state.world.born
    return [one for one in found if born.get(one["id"] if isinstance(one, dict) else str(one), 0.0) <= oldest]


def in_order(found: list[Record], key: Callable[[Record], str], *, ascending: bool) -> list[Record]:
    """Records, the oldest first, sorted; either direction is the other one backwards, ties included."""
    rows = sorted(found, key=key)
    return rows if ascending else rows[::-1]


def cut(call: Call, page: Page, found: Sequence[T]) -> list[T]:
    """One page; with unstable pages a share of its rows repeats the page before, as a shifting index would."""
    rows, share = page.cut(found), call.state.settings.page_repeats
    if not share or page.page == 1:
        return rows
    before = Page(page.page - 1, page.per_page).cut(found)
    rng = Random(f"{call.state.world.seed}/{call.operation.id}/{page.page}/{page.per_page}")
    return [before[place] if rng.random() < share else row for place, row in enumerate(rows)]


def moment(value: object) -> datetime | None:
    """A time as callers write it: a date, or ISO 8601; without an offset it is GMT."""
    try:
        parsed = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def within(value: object, bounds: tuple[datetime | None, datetime | None]) -> bool:
    """Whether a record's time lies between two dates, of which the last one counts whole."""
    low, high = bounds
    if low is None and high is None:
        return True
    at = moment(value)
    if at is None:
        return False
    return (low is None or at >= low) and (high is None or at.date() <= high.date())


def date_bounds(params: Mapping[str, Any], name: str) -> tuple[datetime | None, datetime | None]:
    """`name[min]` and `name[max]` as times; a range sent as text is refused."""
    sent = params.get(name)
    if isinstance(sent, str) and sent:
        raise range_as_string()
    if not isinstance(sent, dict):
        return None, None
    return moment(sent.get("min") or ""), moment(sent.get("max") or "")
