"""How an action's whole work is cut into single requests: bulk lists by the manifest, numbered pages by the total."""

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ..contract.actions import Action
from ..contract.models import Page

MOST_AHEAD = 100_000
"""Pages planned ahead at most; a list that claims to be longer is read page by page, until it ends."""

SAME_PAGES = 2
"""So many pages in a row that repeat the one before end the reading of a list."""


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
    """The cursors after the first page when they can be known ahead, None when each page tells the next.

    How many records a page holds and how many pages there are is taken from the first answer.
    """
    if action.paging is None or first.next_cursor is None:
        return []
    if first.total is None:
        return None
    style, asked = action.paging, page_size(action, values)
    size = first.size or asked
    number = int(values.get(style.page) or style.first)
    begin = style.skipped(number, size)
    end = max(first.total, (first.pages or 0) * size)
    wanted = end if limit is None else min(end, begin + limit)
    cursors: list[str] = []
    while style.skipped(number := style.after(number, size), size) < wanted and style.reaches(number, asked):
        cursors.append(str(number))
        if len(cursors) > MOST_AHEAD:
            return None
    return cursors


def goes_on_alike(marks: Sequence[str]) -> bool:
    """Whether the last pages repeat the one before them, so that asking on would bring nothing else."""
    last = marks[-SAME_PAGES - 1 :]
    return len(last) > SAME_PAGES and bool(last[0]) and len(set(last)) == 1


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page was, for judging a whole list: how many records it brought, the total it told, and a mark that is
    the same for pages with the same records."""

    rows: int
    total: int | None
    mark: str

    @classmethod
    def of(cls, page: Page, key: str | None) -> Self:
        names = [record.get(key) if key and isinstance(record, Mapping) else record for record in page.records]
        mark = hashlib.sha256(json.dumps(names, default=str).encode()).hexdigest()[:16] if names else ""
        return cls(len(page.records), page.total, mark)


def last_total(facts: Sequence[PageFacts]) -> int | None:
    """How many match, as the last page says that says it."""
    return next((page.total for page in reversed(facts) if page.total is not None), None)


def list_notes(pages: Sequence[PageFacts]) -> list[str]:
    """What was odd about the pages of a list that was read to its end."""
    return [text for text in (_repeated(pages), _hollow(pages), _moved(pages)) if text]


def _repeated(pages: Sequence[PageFacts]) -> str:
    marks = [page.mark for page in pages if page.mark]
    twice = len(marks) - len(set(marks))
    return f"{_counted(twice, 'page')} brought the same records as one before; they were left out" if twice else ""


def _hollow(pages: Sequence[PageFacts]) -> str:
    last = max((place for place, page in enumerate(pages) if page.rows), default=0)
    hollow = sum(not page.rows for page in pages[:last])
    return f"{_counted(hollow, 'page')} in the middle {'was' if hollow == 1 else 'were'} empty" if hollow else ""


def _moved(pages: Sequence[PageFacts]) -> str:
    totals = [page.total for page in pages if page.total is not None]
    if not totals or min(totals) == max(totals):
        return ""
    return f"the total moved between {min(totals):,} and {max(totals):,} while the pages were read"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'s'[: number != 1]}"


def shortfall(matching: int | None, given: int, limit: int | None) -> str:
    """What was given of what matches where they differ; empty where they agree, or a limit ended the reading."""
    if matching is None or matching == given or (limit is not None and given >= limit):
        return ""
    more = f"{matching - given:,} are missing" if matching > given else f"{given - matching:,} more than matched"
    return f"{matching:,} records matched, {given:,} were given: {more}"


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
