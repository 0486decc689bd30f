"""Where the next page is, by what an answer says of itself and shows. Pure.

A service may give fewer records a page than it was asked for, leave a page in the middle short or empty, and tell a
total that contradicts what comes. A page is the last one only when nothing speaks for another.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from ..contract.actions import Action, Paging
from ..contract.models import Page

CONTRADICTED = "more records came than the {total:,} that the service says match; pages cost credits, so reading ended"


def placed(action: Action, values: Mapping[str, Any], page: Page, current: Mapping[str, int]) -> Page:
    """The page with its size, how many pages there are, and the cursor of the next, None at the end."""
    style = action.paging
    if style is None:
        return page
    number, asked = current[style.page], current[style.per_page]
    size = _size(style, page, number, asked)
    page = replace(page, size=size, pages=_pages(style, page, size))
    following = number + (len(page.records) or size) if style.kind == "offset" else number + 1
    if not _more(action, values, page, number) or not style.reaches(following, asked):
        return page
    if page.total is not None and _contradicts(style, page, number) and action.credits.may_cost(values):
        return replace(page, warnings=(*page.warnings, CONTRADICTED.format(total=page.total)))
    return replace(page, next_cursor=str(following))


def _size(style: Paging, page: Page, number: int, asked: int) -> int:
    """How many records a page holds: as told, else as shown by one that is short though more must follow."""
    if page.size is not None:
        return min(page.size, asked)
    rows = len(page.records)
    if page.total is None or not rows or rows >= asked or style.kind == "offset":
        return asked
    expected = min(asked, page.total - style.skipped(number, asked))
    return rows if rows < expected or expected <= 0 else asked


def _pages(style: Paging, page: Page, size: int) -> int | None:
    """How many pages there are by the total and by the answer's own count, whichever is more."""
    counts = [page.pages] if page.pages is not None and style.kind == "page" else []
    counts += [ceil(page.total / size)] if page.total is not None else []
    return max(counts) if counts else None


def _more(action: Action, values: Mapping[str, Any], page: Page, number: int) -> bool:
    """Whether another page is there, or may be."""
    style, rows, size = action.paging, len(page.records), page.size or 1
    assert style is not None  # noqa: S101  # asked for pages only
    if page.pages is not None and _nth(style, number, size) < page.pages:
        return True
    if not rows:
        return False
    if page.total is None:
        return rows >= size or ((bool(action.reply.total) or style.until_empty) and not action.credits.may_cost(values))
    return rows >= size and _contradicts(style, page, number)


def _nth(style: Paging, number: int, size: int) -> int:
    """Which page it is, counted from 1."""
    return number // size + 1 if style.kind == "offset" else number - style.first + 1


def _contradicts(style: Paging, page: Page, number: int) -> bool:
    """Whether more has come than the total says, were every page before this one full."""
    return page.total is not None and style.skipped(number, page.size or 1) + len(page.records) > page.total
