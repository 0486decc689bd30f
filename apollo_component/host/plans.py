"""How an action's whole work is cut into single requests: bulk lists by the manifest, numbered pages by the total."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from ..contract.actions import Action
from ..contract.models import Page

MOST_AHEAD = 100_000
"""Pages planned ahead at most; a list that claims to be longer is read page by page, until it ends."""


def chunks(action: Action, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One input per request: the bulk list cut to the size one request takes, order kept."""
    name = action.bulk.given(values) if action.bulk else ""
    if action.bulk is None or len(values.get(name) or ()) <= action.bulk.max:
        return [dict(values)]
    items, size = values[name], action.bulk.max
    return [{**values, name: items[start : start + size]} for start in range(0, len(items), size)]


def page_size(action: Action, values: Mapping[str, Any]) -> int:
    if action.paging is None:
        return 0
    return int(values.get(action.paging.per_page) or action.paging.max_per_page)


def further_pages(action: Action, values: Mapping[str, Any], first: Page, limit: int | None) -> list[str] | None:
    """The cursors after the first page when they can be known ahead, None when each page tells the next."""
    if action.paging is None or first.next_cursor is None:
        return []
    if first.total is None:
        return None
    style, size = action.paging, page_size(action, values)
    number = int(values.get(style.page) or style.first)
    wanted = first.total if limit is None else min(first.total, style.skipped(number, size) + limit)
    cursors: list[str] = []
    while style.skipped(number := style.after(number, size), size) < wanted and style.reaches(number, size):
        cursors.append(str(number))
        if len(cursors) > MOST_AHEAD:
            return None
    return cursors


def unique(records: Iterable[Any], key: str | None, seen: set[Any] | None = None) -> Iterator[Any]:
    """Each record once by its key, first come first kept; everything when there is no key. `seen` is added to."""
    seen = set() if seen is None else seen
    for record in records:
        identity = record.get(key) if key and isinstance(record, Mapping) else None
        if identity is None or not isinstance(identity, Hashable):
            yield record
        elif identity not in seen:
            seen.add(identity)
            yield record
