"""How work is cut into requests, and records of pages are kept once."""

from dataclasses import replace

import pytest

from apollo_component.contract.actions import Paging
from apollo_component.contract.models import Page
from apollo_component.host.plans import (
    MOST_AHEAD,
    PageFacts,
    further_pages,
    goes_on_alike,
    list_notes,
    shortfall,
    unique,
)


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


@pytest.mark.parametrize(
    ("matching", "given", "limit", "text"),
    [
        (5, 3, None, "5 records matched, 3 were given: 2 are missing"),
        (1_000, 1_002, None, "1,000 records matched, 1,002 were given: 2 more than matched"),
        (5, 3, 10, "5 records matched, 3 were given: 2 are missing"),
        (5, 3, 3, ""),
        (5, 5, None, ""),
        (None, 5, None, ""),
    ],
)
def test_what_matched_and_what_was_given_are_told_where_they_differ(matching, given, limit, text):
    """Too few and too many are told with both numbers; a limit that was reached, or no total, says nothing."""
    assert shortfall(matching, given, limit) == text


def facts(*pages, total=None):
    """Pages of records with these ids."""
    return [PageFacts.of(Page(records=[{"id": name} for name in page], total=total), "id") for page in pages]


def test_odd_pages_of_a_list_are_told():
    """Pages that came twice, empty ones in the middle and a total that moved are told; an empty last page is no fault."""
    assert list_notes(facts("ab", "cd", "")) == []
    assert list_notes(facts("ab", "ab", "", "cd")) == [
        "1 page brought the same records as one before; they were left out",
        "1 page in the middle was empty",
    ]
    [moved] = list_notes([*facts("ab", total=5), *facts("cd", total=4)])
    assert moved == "the total moved between 4 and 5 while the pages were read"


def test_pages_that_repeat_the_one_before_end_a_list():
    """Two in a row that bring the same again; empty ones and a single repeat don't."""
    marks = {text: [page.mark for page in facts(*text.split("|"))] for text in ("ab|ab|ab", "ab|ab", "ab|cd|ab", "||")}
    assert [goes_on_alike(marks[text]) for text in marks] == [True, False, False, False]
