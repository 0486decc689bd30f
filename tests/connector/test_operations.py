"""Requests from declarations and pages from answers, without a network."""

import dataclasses
import math
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.connector.operations import bracketed, finished, page_from, request_for
from apollo_component.contract.actions import Action, Credits, Paging, ReplyShape
from apollo_component.contract.digging import dig, number, whole
from apollo_component.contract.errors import IncompleteReplyError, InputError
from apollo_component.contract.manifest import Manifest

BASE = "https://api.example.com/v1"
ID = "c4010da225e590c49a61164d"


@pytest.fixture
def search(manifest: Manifest) -> Action:
    return manifest.actions["contacts_search"]


def test_a_post_carries_json(manifest: Manifest) -> None:
    """Inputs of a POST go into the JSON body with their own names and types."""
    values = {"person_titles": ["VP"], "revenue_range": {"min": 1}, "page": 2, "per_page": 10}
    request = request_for(manifest.actions["people_api_search"], values, BASE)
    assert (request.method, request.url) == ("POST", BASE + "/mixed_people/api_search")
    assert request.json == values
    assert request.query == ()
    assert (request.operation, request.quota_class) == ("people_api_search", "search")


def test_a_get_carries_a_bracketed_query(manifest: Manifest) -> None:
    """Inputs of a GET go into the query, lists and objects in brackets, and there is no body."""
    values = {"a": ["x", "y"], "r": {"min": 1, "max": None}, "flag": True, "off": False, "n": 1.5}
    request = request_for(manifest.actions["organizations_enrich"], values, BASE)
    assert request.json is None
    assert request.query == (
        ("a[]", "x"),
        ("a[]", "y"),
        ("r[min]", "1"),
        ("flag", "true"),
        ("off", "false"),
        ("n", "1.5"),
    )


@pytest.mark.parametrize(
    ("value", "text"), [(5.0, "5"), (1e16, "10000000000000000"), (-0.0, "0"), (2.5e-7, "0.00000025"), (0.1, "0.1")]
)
def test_numbers_in_a_query_are_digits(manifest: Manifest, value: float, text: str) -> None:
    """A number without a fraction is sent as a whole one, and none with an exponent."""
    assert request_for(manifest.actions["organizations_enrich"], {"n": value}, BASE).query == (("n", text),)


def test_a_path_input_is_not_sent_twice(manifest: Manifest) -> None:
    """What fills the path is left out of the body, and so is what has no value."""
    values = {"contact_id": ID, "title": "VP", "email": None, "label_names": []}
    request = request_for(manifest.actions["contacts_update"], values, BASE)
    assert (request.method, request.url) == ("PATCH", f"{BASE}/contacts/{ID}")
    assert request.json == {"title": "VP", "label_names": []}


def test_declared_inputs_of_a_post_go_into_the_query(manifest: Manifest) -> None:
    """An action may declare inputs that a POST takes in its query."""
    action = dataclasses.replace(manifest.actions["contacts_create"], query=("label_names",))
    request = request_for(action, {"label_names": ["a"], "email": "x@y.z"}, BASE)
    assert request.query == (("label_names[]", "a"),)
    assert request.json == {"email": "x@y.z"}


@given(st.text(min_size=1, max_size=30).filter(lambda text: text not in (".", "..")))
def test_a_path_input_is_one_segment(manifest: Manifest, value: str) -> None:
    """Whatever stands in a path input stays inside its own segment and comes back as it was."""
    request = request_for(manifest.actions["contacts_update"], {"contact_id": value}, BASE)
    parts = urlsplit(request.url)
    assert parts.path.count("/") == 3
    assert unquote(parts.path.rpartition("/")[2]) == value
    assert (parts.query, parts.fragment) == ("", "")


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_input_cannot_climb(manifest: Manifest, value: str) -> None:
    """A value that would change which path is meant is refused before anything is sent."""
    with pytest.raises(InputError, match="contact_id"):
        request_for(manifest.actions["contacts_update"], {"contact_id": value}, BASE)


@pytest.mark.parametrize("value", [10**20, {"min": 10**20}, ["\ud800"], "a\ud800", math.inf, [{"a": math.nan}]])
@pytest.mark.parametrize("action", ["people_api_search", "users_search"])
def test_what_cannot_be_sent_is_refused(manifest: Manifest, action: str, value: Any) -> None:
    """Numbers and texts that neither JSON nor a query can carry are an input error and never reach sending."""
    with pytest.raises(InputError, match="q_keywords: holds a number or text that can't be sent"):
        request_for(manifest.actions[action], {"q_keywords": value}, BASE)


NAMES = st.text("abc_", min_size=1, max_size=4)
LEAVES = st.text(max_size=8) | st.lists(st.text(max_size=8), min_size=1, max_size=3)
NESTED = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=6),
    max_size=4,
)


def read_back(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """What a service that knows `name[]` and `name[key]` makes of a query."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *way, last = re.findall(r"[^\[\]]+|\[\]", name)
        here = found
        for part, after in zip(way, [*way, last][1:], strict=True):
            here = here.setdefault(part, [] if after == "[]" else {})
        if last == "[]":
            here.append(value)  # type: ignore[attr-defined]
        else:
            here[last] = value
    return found


@given(NESTED)
def test_a_bracketed_query_says_what_was_given(values: dict[str, Any]) -> None:
    """Read back by the bracket rules, a query holds exactly the lists and objects that went in."""
    pairs = [pair for name, value in values.items() for pair in bracketed(name, value)]
    assert read_back(pairs) == values


def test_a_page_is_always_asked_for_by_number_and_size(search: Action) -> None:
    """The first page is number one at the largest size, a cursor names another, and given values are kept."""
    assert request_for(search, {}, BASE).json == {"page": 1, "per_page": 100}
    assert request_for(search, {"page": 3, "per_page": 25}, BASE).json == {"page": 3, "per_page": 25}
    assert request_for(search, {"page": 3, "per_page": 25}, BASE, "7").json == {"page": 7, "per_page": 25}


@pytest.mark.parametrize(
    ("page", "size", "cursor", "fine"),
    [
        (500, 100, None, True),
        (501, 100, None, False),
        (1, 100, "501", False),
        (500, 1, "50000", True),
        (1, 1, "50001", False),
    ],
)
def test_the_ceiling_is_told_before_sending(
    search: Action, page: int, size: int, cursor: str | None, fine: bool
) -> None:
    """Asking past the last record that the service gives is refused, naming the page and the number."""
    values = {"page": page, "per_page": size}
    if fine:
        assert request_for(search, values, BASE, cursor)
        return
    with pytest.raises(InputError, match=r"page: asks for records past the 50,000th"):
        request_for(search, values, BASE, cursor)


def page(action: Action, answer: Any, cursor: str | None = None, **values: Any) -> Any:
    return finished(action, values, answer, page_from(action, values, answer), cursor)


TWO = [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("answer", "cursor", "following", "total"),
    [
        ({"contacts": TWO, "pagination": {"total_entries": 5}}, None, "2", 5),
        ({"contacts": TWO, "pagination": {"total_entries": 5}}, "2", "3", 5),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 5}}, "3", None, 5),
        ({"contacts": TWO, "pagination": {"total_entries": 4}}, "2", None, 4),
        ({"contacts": TWO, "pagination": {"total_entries": "5", "page": "1"}}, None, "2", 5),
        ({"contacts": TWO, "pagination": {"total_entries": None}}, None, "2", None),
        ({"contacts": TWO}, None, "2", None),
        ({"contacts": TWO[:1]}, None, "2", None),
        ({"contacts": [], "pagination": None}, None, None, None),
        ({"contacts": TWO, "pagination": {"total_entries": -5}}, None, "2", None),
        ({"contacts": TWO, "pagination": None}, None, "2", None),
        # an empty page in the middle isn't the end, and one after the last page is
        ({"contacts": [], "pagination": {"total_entries": 5}}, None, "2", 5),
        ({"contacts": [], "pagination": {"total_entries": 5}}, "4", None, 5),
        # a full page against a total that says less
        ({"contacts": TWO, "pagination": {"total_entries": 0}}, None, "2", 0),
        ({"contacts": TWO, "pagination": {"total_entries": 1}}, None, "2", 1),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 0, "per_page": 2}}, "3", None, 0),
        # fewer a page than was asked for, as told or as shown
        ({"contacts": TWO[:1], "pagination": {"total_entries": 3, "per_page": 1}}, "2", "3", 3),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 3, "per_page": 1}}, "3", None, 3),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 3}}, "2", None, 3),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 4}}, "2", "3", 4),
        ({"contacts": TWO[:1], "pagination": {"total_entries": 2, "total_pages": 3}}, "2", "3", 2),
    ],
)
def test_the_next_page(search: Action, answer: Any, cursor: str | None, following: str | None, total: Any) -> None:
    """The next cursor follows from what the answer tells and shows; without a total the list ends with an empty page."""
    found = page(search, answer, cursor, per_page=2)
    assert (found.next_cursor, found.total, found.ceiling) == (following, total, 50_000)
    assert list(found.records) == answer["contacts"]


@pytest.mark.parametrize("answer", [{"contacts": None}, {"contacts": {}}, {"contacts": "x"}, {}, [], None, "odd", 5])
def test_no_list_is_not_an_empty_list(search: Action, answer: Any) -> None:
    """An answer without the declared list is unreadable, whatever stands in its place."""
    with pytest.raises(IncompleteReplyError, match=r"can't be read: `contacts` isn't a list"):
        page(search, answer)


def test_a_list_that_costs_ends_where_its_total_is_contradicted(manifest: Manifest) -> None:
    """A page that costs credits isn't asked for against the service's own total; a sentence says so."""
    action = manifest.actions["mixed_companies_search"]
    answer = {"organizations": TWO, "pagination": {"total_entries": 1}}
    found = page(action, answer, per_page=2)
    assert found.next_cursor is None
    assert "more records came than the 1" in found.warnings[0]


def test_an_offset_moves_by_what_came(manifest: Manifest) -> None:
    """A list by offset goes on behind the last record that came, until nothing comes."""
    action = manifest.actions["notes_list"]
    assert page(action, {"notes": TWO}, "4", limit=100).next_cursor == "6"
    assert page(action, {"notes": []}, "6", limit=100).next_cursor is None


def test_the_last_page_before_the_ceiling_has_no_next(search: Action) -> None:
    """A list that is longer than the service gives ends at the ceiling."""
    answer = {"contacts": TWO, "pagination": {"total_entries": 90_000}}
    assert page(search, answer, "24999", per_page=2).next_cursor == "25000"
    assert page(search, answer, "25000", per_page=2).next_cursor is None


@pytest.mark.parametrize(
    ("cursor", "total", "following"), [(None, 4, "1"), ("0", 2, None), ("1", 4, None), ("1", 5, "2"), ("2", 9, None)]
)
def test_pages_counted_from_zero(search: Action, cursor: str | None, total: int, following: str | None) -> None:
    """A style whose first page is 0 counts totals and ceiling from there."""
    action = dataclasses.replace(search, paging=Paging(first=0, max_records=6), reply=ReplyShape("contacts", None, "n"))
    assert page(action, {"contacts": TWO, "n": total}, cursor, per_page=2).next_cursor == following
    with pytest.raises(InputError):
        request_for(action, {"per_page": 2}, BASE, "3")


def test_an_unpaged_list_is_one_page(manifest: Manifest) -> None:
    """Without a paging style the answer is all there is, and no page parameter is sent."""
    action = manifest.actions["email_accounts_list"]
    found = page(action, {"email_accounts": TWO})
    assert (list(found.records), found.next_cursor, found.ceiling) == (TWO, None, None)
    assert request_for(action, {}, BASE).query == ()


@pytest.mark.parametrize(
    ("action", "answer", "value"),
    [
        ("people_match", {"person": {"id": "p"}}, {"id": "p"}),
        ("people_match", {"person": None}, None),
        ("people_match", {"person": {}}, None),
        ("people_match", {}, None),
        ("users_api_profile", {"id": "u"}, {"id": "u"}),
    ],
)
def test_a_single_value(manifest: Manifest, action: str, answer: Any, value: Any) -> None:
    """A single value is also the one record; nobody found is no value, no record and no error."""
    found = page(manifest.actions[action], answer)
    assert (found.value, list(found.records), found.total) == (
        value,
        [value] * (value is not None),
        int(value is not None),
    )


@pytest.mark.parametrize(
    ("answer", "values", "spent"),
    [
        ({"matches": [{"id": 1}, None], "credits_consumed": 1.5}, {}, 1.5),
        ({"matches": [{"id": 1}, None], "credits_consumed": "2"}, {}, 2),
        ({"matches": [{"id": 1}, None, {"id": 2}]}, {}, 2),
        ({"matches": [{"id": 1}], "credits_consumed": None}, {}, 1),
        ({"matches": [{"id": 1}], "credits_consumed": "nan"}, {}, 1),
        ({"matches": [{"id": 1}], "credits_consumed": "1e999"}, {}, 1),
        ({"matches": [{"id": 1}], "credits_consumed": -7}, {}, 1),
        ({"matches": [{"id": 1}], "credits_consumed": 1}, {"reveal_phone_number": True}, None),
        ({"matches": [{"id": 1}], "credits_consumed": 1}, {"run_waterfall_email": True}, None),
        ({"matches": [{"id": 1}], "credits_consumed": 0}, {"run_waterfall_email": False}, 0),
    ],
)
def test_what_was_spent(manifest: Manifest, answer: Any, values: dict[str, Any], spent: float | None) -> None:
    """Spent is what the answer reports, else the base for each one found; unknown while a part settles later."""
    found = page(manifest.actions["people_bulk_match"], answer, details=[{}, {}], **values)
    assert found.spent == spent
    assert len(found.records) == len(answer["matches"])


def test_free_actions_spend_nothing(manifest: Manifest) -> None:
    """An action without credits spends nothing; a single one costs its base only when something was found."""
    assert page(manifest.actions["contacts_search"], {"contacts": TWO}).spent == 0
    assert page(manifest.actions["people_match"], {"person": {"id": 1}}).spent == 1
    assert page(manifest.actions["people_match"], {"person": None}).spent == 0
    action = dataclasses.replace(manifest.actions["people_match"], credits=Credits(base=2))
    assert page(action, {"person": {"id": 1}}).spent == 2


@pytest.mark.parametrize(
    ("value", "found"),
    [("12", 12), (12, 12), ("1.9", 1), (None, None), ("", None), ("x", None), (True, None), ([], None), ("inf", None)],
)
def test_numbers_in_any_form(value: Any, found: int | None) -> None:
    """Numbers may come as texts; whatever is no number counts as not told."""
    assert whole(value) == found
    assert number(10**400) is None


def test_digging_never_fails() -> None:
    """A path through anything ends in what is there or in nothing."""
    assert dig({"a": {"b": 0}}, "a.b") == 0
    assert [dig(value, "a.b") for value in ({"a": None}, {"a": [1]}, [], None, 7)] == [None] * 5
