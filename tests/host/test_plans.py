"""How work is cut into requests, and records of pages are kept once."""

from dataclasses import replace

import pytest

from apollo_component.contract.actions import Paging
from apollo_component.contract.models import Page
from apollo_component.host.plans import MOST_AHEAD, further_pages, unique


@pytest.fixture
def endless(manifest):
    """A list for which no ceiling is declared."""
    return replace(manifest.actions["find"], paging=Paging(max_per_page=10, max_records=None))


def test_a_list_of_any_length_is_planned_in_bounds(endless):
    """A total nobody can read is not planned ahead: each page tells the next."""
    fair, absurd = Page(next_cursor="2", total=MOST_AHEAD * 10), Page(next_cursor="2", total=10**15)
    assert len(further_pages(endless, {}, fair, None)) == MOST_AHEAD - 1
    assert further_pages(endless, {}, absurd, None) is None
    assert further_pages(endless, {}, absurd, 25) == ["2", "3"]


def test_records_without_a_usable_key_are_kept():
    """A key that is missing, or a list, tells nothing; such records all stay, and none breaks the others."""
    records = [{"id": "a"}, {"id": [1]}, {"id": {}}, {"id": [1]}, {}, None, 7, {"id": "a"}]
    assert list(unique(records, "id")) == records[:-1]
