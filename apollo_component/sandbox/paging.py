"""Pages: the numbers Apollo takes and gives, and what its searches carry besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import params as read
from .errors import over_threshold, unprocessable

CEILING = 50_000
MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 10  # unverified: no default is published
RECORDED_PER_PAGE = 25  # recorded for accounts, deals, sequences and users


@dataclass(frozen=True, slots=True)
class Page:
    """Which slice of the matches is asked for."""

    page: int
    per_page: int

    def cut(self, matches: Sequence[Any]) -> list[Any]:
        start = (self.page - 1) * self.per_page
        return list(matches[start : start + self.per_page])


def page_of(params: Mapping[str, Any], *, ceiling: int = CEILING, default: int = DEFAULT_PER_PAGE) -> Page:
    """Reads page and per_page; more than 100 a page counts as 100 and a page below 1 as 1 (unverified)."""
    page = max(1, read.integer(params.get("page"), 1) or 1)
    per_page = read.integer(params.get("per_page"), default)
    if per_page is not None and per_page <= 0:
        # documented for emailer_messages/search only; assumed elsewhere (unverified)
        raise unprocessable("An error occurred. Per page cannot be 0.")
    size = min(per_page or default, MAX_PER_PAGE)
    if page * size > ceiling:
        raise over_threshold()
    return Page(page, size)


def pagination(page: Page, total: int) -> dict[str, Any]:
    return {
        "page": page.page,
        "per_page": page.per_page,
        "total_entries": total,
        "total_pages": -(-total // page.per_page),
    }


def breadcrumbs(params: Mapping[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """One crumb for each filter that was understood."""
    return [
        {"label": label, "signal_field_name": name, "value": value, "display_name": value}
        for name, label in labels.items()
        for value in _values(params.get(name))
    ]


def _values(sent: Any) -> list[Any]:
    if sent is None or sent == "":
        return []
    return sent if isinstance(sent, list) else [sent]


def baggage(params: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """What Apollo's own user interface needs and every search answer carries along."""
    return {
        "breadcrumbs": breadcrumbs(params, labels),
        "partial_results_only": False,
        "has_join": False,
        "disable_eu_prospecting": False,
        "partial_results_limit": 10_000,
        "num_fetch_result": None,
    }
