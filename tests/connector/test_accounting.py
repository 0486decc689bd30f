"""Answers account for what was asked: a record, null or a named miss for every item, whatever a good status says."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import CreditsExhaustedError, IncompleteReplyError, InputError, RejectedError
from apollo_component.contract.models import Credential, Page, Reply

Make = Callable[..., Reply]
Run = Callable[..., Page]
IDS = [str(number) * 24 for number in range(1, 5)]
SEQUENCE = "a" * 24


@pytest.fixture
def answered(connector: Connector, service: Any, host: Any, key: Credential, reply: Make) -> Run:
    """Runs an action whose one request gets this answer."""

    def run(action: str, values: dict[str, Any], answer: Any) -> Page:
        path = connector.manifest.actions[action].path.rpartition("}")[2] or connector.manifest.actions[action].path
        service.answers = {path: reply(200, answer)}
        return connector.connector_execute(action, values, key, None, host)

    return run


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"id": IDS[number - 1], "name": f"Person {number}", "email": f"p{number}@firm.example", **more}


def names(page: Page) -> list[Any]:
    return [record and record["name"] for record in page.records]


def missed(page: Page) -> list[tuple[str, str]]:
    return [(miss.item, miss.reason) for miss in page.misses if not miss.field]


def people(answered: Run, details: Sequence[Any], matches: Any, **more: Any) -> Page:
    values = {name: more.pop(name) for name in ("minimum_confidence",) if name in more}
    answer = {"status": "success", "error_code": None, "error_message": None, "matches": matches, **more}
    return answered("people_bulk_match", {"details": list(details), **values}, answer)


BY_ID = [{"id": IDS[0]}, {"id": IDS[1]}, {"id": IDS[2]}]


@pytest.mark.parametrize(
    ("details", "matches", "given"),
    [
        (BY_ID, [person(1), person(2), person(3)], [1, 2, 3]),
        (BY_ID, [person(3), person(1), person(2)], [1, 2, 3]),
        (BY_ID, [person(3), person(1)], [1, None, 3]),
        (BY_ID, [person(2)], [None, 2, None]),
        (BY_ID, [], [None, None, None]),
        (BY_ID, [None, person(1), None], [1, None, None]),
        ([{"email": "P1@firm.example"}, {"email": "p2@firm.example"}], [person(2)], [None, 2]),
        (
            [{"linkedin_url": "https://www.linkedin.com/in/one/"}, {"linkedin_url": "linkedin.com/in/two"}],
            [person(2, linkedin_url="http://www.linkedin.com/in/two"), person(1, linkedin_url="linkedin.com/in/one")],
            [1, 2],
        ),
        ([{"name": "Person 1", "domain": "x.example"}, {"name": "Person 2", "domain": "x.example"}], [person(2)],
         [None, 2]),
        # an item that is asked twice gets its answer twice
        ([BY_ID[0], BY_ID[1], BY_ID[0]], [person(2), person(1)], [1, 2, 1]),
        ([BY_ID[0], BY_ID[1], BY_ID[0], BY_ID[2]], [person(2), person(1), person(1)], [1, 2, 1, None]),
        # a person whom the service knows under another email keeps the place that nothing else claims
        ([{"email": "old@firm.example"}, {"email": "p2@firm.example"}], [person(1), person(2)], [1, 2]),
    ],
)  # fmt: skip
def test_people_come_back_at_the_place_they_were_asked_at(
    answered: Run, details: list[Any], matches: list[Any], given: list[int | None]
) -> None:
    """Reordered and dropped answers are put back by what was asked, and null stands for each that didn't come."""
    page = people(answered, details, matches)
    assert names(page) == [number and f"Person {number}" for number in given]
    assert (page.asked, page.not_found, page.missed) == (len(details), given.count(None), 0)


def test_what_no_key_tells_is_not_guessed(answered: Run) -> None:
    """Records that can't be put to their items come as they are, with a warning, and the count of what is lost."""
    details = [{"hashed_email": "a" * 32}, {"hashed_email": "b" * 32}]
    page = people(answered, details, [person(4)])
    assert names(page) == ["Person 4"]
    assert (page.asked, page.not_found, page.missed) == (2, 0, 1)
    assert "nothing tells which item" in page.warnings[0]


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"id": "9" * 24, "name": "", "email": "x@firm.example", "revealed_for_current_team": True}, False),
        ({"id": "9" * 24, "name": "", "email": "x@firm.example", "departments": [], "match_confidence": "none"}, False),
        ({"name": "Ann", "match_confidence": "none", "organization": {"id": "1"}}, False),
        ({"id": None, "name": None, "email": None}, False),
        ({}, False),
        (None, False),
        ({"id": "9" * 24, "name": "", "email": "other@firm.example"}, True),
        ({"id": "9" * 24, "name": "", "title": "CTO", "email": "x@firm.example"}, True),
        ({"id": "9" * 24, "name": "Ann", "match_confidence": "low"}, True),
    ],
)
def test_nobody_found_is_nobody(answered: Run, record: Any, found: bool) -> None:
    """A stub, an empty person and no confidence are nobody: no record, no credit, and no error."""
    page = answered("people_match", {"email": "x@firm.example"}, {"person": record, "request_id": 1})
    assert (bool(page.records), page.value is not None, page.not_found) == (found, found, int(not found))
    assert page.spent == int(found)
    many = people(answered, [{"email": "x@firm.example"}], [record])
    assert (many.given, many.not_found) == (int(found), int(not found))


@pytest.mark.parametrize(
    ("least", "kept"), [("low", [True, True, True, True]), ("medium", [False, False, True, True]),
                        ("high", [False, False, False, True])],
)  # fmt: skip
def test_a_match_that_is_not_sure_enough_is_missed_and_paid(answered: Run, least: str, kept: list[bool]) -> None:
    """Below the least confidence a person is a named miss, billed as told; one without a confidence counts as low."""
    told = [None, "low", "medium", "high"]
    matches = [person(number + 1, match_confidence=word) for number, word in enumerate(told)]
    page = people(answered, [{"id": one} for one in IDS], matches, minimum_confidence=least, credits_consumed=4)
    assert [record is not None for record in page.records] == kept
    assert [item for item, _ in missed(page)] == [one for one, there in zip(IDS, kept, strict=True) if not there]
    assert (page.spent, page.not_found) == (4, 0)


def test_the_least_confidence_stays_here(answered: Run, service: Any) -> None:
    """It is the connector's own input and isn't sent."""
    people(answered, BY_ID, [None] * 3, minimum_confidence="high")
    assert "minimum_confidence" not in service.requests[0].json


@pytest.mark.parametrize(
    "found",
    [
        [{"id": "1", "name": "Two", "primary_domain": "two.example"}],
        [{"id": "1", "name": "Two", "website_url": "http://www.two.example/"}],
        [None, {"id": "1", "name": "Two", "primary_domain": "TWO.example"}, None],
    ],
)
def test_companies_come_back_to_their_domains(answered: Run, found: list[Any]) -> None:
    """A company stands at the place of its domain."""
    values = {"domains": ["one.example", "two.example", "three.example"]}
    page = answered("organizations_bulk_enrich", values, {"organizations": found, "missing_records": 2})
    assert names(page) == [None, "Two", None]
    assert (page.spent, page.warnings) == (1, ())


def test_a_company_that_is_asked_twice_stands_at_both_places(answered: Run) -> None:
    """The list that comes back is as long as the one that was asked, whatever is in it twice."""
    found = [{"id": "2", "name": "Two", "primary_domain": "two.example"}]
    page = answered("organizations_bulk_enrich", {"domains": ["two.example", "one.example", "two.example"]},
                    {"organizations": found, "missing_records": 1})  # fmt: skip
    assert names(page) == ["Two", None, "Two"]
    assert (page.asked, page.not_found, page.missed, page.spent, page.warnings) == (3, 1, 0, 1, ())


@pytest.mark.parametrize(
    "website",
    ["https://www.two.example/", "http://two.example", "www.two.example", "two.example", "HTTPS://TWO.EXAMPLE"],
)
def test_companies_come_back_to_their_websites(answered: Run, website: str) -> None:
    """A company that is asked for by its address on the web stands at its place, however the address is written."""
    values = {"details": [{"website": "https://one.example"}, {"website": website}, {"domain": "three.example"}]}
    found = [{"id": "3", "name": "Three", "primary_domain": "three.example"}]
    found += [{"id": "2", "name": "Two", "primary_domain": "two.example", "website_url": "http://www.two.example"}]
    page = answered("organizations_bulk_enrich", values, {"organizations": found})
    assert (names(page), page.missed) == ([None, "Two", "Three"], 0)


def test_keys_name_fields_of_the_items(connector: Connector) -> None:
    """Every key by which an answer is put back to its items is a field that those items have."""
    schemas = connector.schemas
    for action in connector.manifest.actions.values():
        rule, fields = action.accounts_for, {"."}
        for name in rule.items if rule else ():
            path, listed = schemas.followed(action.input, schemas.schema(action.input)["properties"][name])
            fields.update(schemas.followed(path, listed["items"])[1].get("properties", {}))
        for key in rule.keys if rule and rule.items else ():
            assert set(key.item.split()) <= fields, f"{action.id}: {key.item}"


def test_more_left_out_than_is_missing_is_told(answered: Run) -> None:
    """The service's own count is compared with what came."""
    page = people(answered, BY_ID, [person(1), person(2), person(3)], missing_records=2)
    assert page.warnings == ("the service says that 2 were not found; 0 are missing in its answer",)


def enrolled(answered: Run, answer: Any) -> Page:
    values = {"sequence_id": SEQUENCE, "contact_ids": IDS[:2], "send_email_from_email_account_id": IDS[3]}
    return answered("emailer_campaigns_add_contact_ids", values, answer)


ONE, TWO = {"id": IDS[0]}, {"id": IDS[1]}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"contacts": [ONE], "skipped_contact_ids": {IDS[1]: "contacts_without_email"}}, "contacts_without_email"),
        ({"contacts": [ONE, TWO], "skipped_contact_ids": {IDS[1]: "contacts_without_email"}}, "contacts_without_email"),
        ({"contacts": [ONE], "skipped_contact_ids": [IDS[1]]}, ""),
        ({"contacts": [ONE], "skipped_contacts": [{"id": IDS[1], "reason": "unsubscribed"}]}, "unsubscribed"),
        ({"contacts": [ONE], "failed_contact_ids": {IDS[1]: {"message": "no mailbox"}}}, "no mailbox"),
        ({"contacts": [ONE], "contact_errors": [{"contact_id": IDS[1], "error": "locked"}]}, "locked"),
        ({"contacts": [ONE], "errors": [{"index": 1, "message": "locked"}]}, "locked"),
        ({"contacts": [ONE], "skipped_contact_ids": {}}, ""),
        ({"contacts": [ONE]}, ""),
        ({"contacts": [ONE, ONE]}, ""),
    ],
)
def test_a_contact_that_was_skipped_is_a_named_miss(answered: Run, answer: Any, reason: str) -> None:
    """Whoever was asked for and not taken in is named with the service's reason, and is no record."""
    page = enrolled(answered, answer)
    assert {record["id"] for record in page.records} == {IDS[0]}
    assert missed(page) == [(IDS[1], reason)]
    assert (page.asked, page.missed, page.not_found) == (2, 1, 0)
    assert page.warnings == (f"1 missed: {reason or 'no reason given'} ({IDS[1]})",)


@pytest.mark.parametrize("answer", [{}, {"contacts": []}, {"contacts": None, "skipped_contact_ids": None}])
def test_an_enrolment_that_names_nobody_misses_everybody(answered: Run, answer: Any) -> None:
    """Without a list nobody was taken in as far as the answer tells."""
    assert missed(enrolled(answered, answer)) == [(IDS[0], ""), (IDS[1], "")]


@pytest.mark.parametrize("contacts", [{"added": [ONE]}, "text", 1, {}])
def test_another_form_in_place_of_the_list_is_unreadable(answered: Run, contacts: Any) -> None:
    """A form that nobody knows isn't taken for "nothing was changed"."""
    with pytest.raises(IncompleteReplyError, match="can't be read"):
        enrolled(answered, {"contacts": contacts})


def test_what_was_not_asked_for_is_told(answered: Run) -> None:
    """A record that answers no item stands for none of them."""
    page = enrolled(answered, {"contacts": [ONE, {"id": IDS[2]}]})
    assert missed(page) == [(IDS[1], "")]
    assert "1 of the answer's records were not asked for" in page.warnings


def test_a_sequence_that_is_not_in_the_answer_is_named(answered: Run) -> None:
    """Contacts unchanged by an unknown sequence come with a good status; the sequence itself is what is missing."""
    values = {"emailer_campaign_ids": [SEQUENCE], "contact_ids": [IDS[0]], "mode": "remove"}
    answer = {"contacts": [ONE], "emailer_campaigns": []}
    page = answered("emailer_campaigns_remove_or_stop_contact_ids", values, answer)
    assert [(miss.item, miss.field) for miss in page.misses] == [(SEQUENCE, "emailer_campaign_ids")]


def test_work_in_the_background_accounts_for_nothing_yet(answered: Run) -> None:
    """Where a job goes on after the answer, nobody is missed."""
    values = {"contact_ids": IDS[:2], "title": "CTO", "async": True}
    page = answered("contacts_bulk_update", values, {"entity_progress_job": {"id": "job", "progress": 0}})
    assert (page.asked, page.misses) == (None, ())


THREE = {"contacts": [{"first_name": name, "email": f"{name}@x.example"} for name in ("a", "b", "c")]}


@pytest.mark.parametrize(
    ("answer", "misses"),
    [
        ({"created_contacts": [{"email": "a@x.example"}], "existing_contacts": [{"email": "b@x.example"}]},
         [("c@x.example", "")]),
        ({"created_contacts": [{"email": "a@x.example"}], "existing_contacts": [],
          "failed_contacts": [{"email": "b@x.example", "error": "Email is invalid"}],
          "errors": [{"index": 1, "message": "Email is invalid"}]},
         [("b@x.example", "Email is invalid"), ("c@x.example", "")]),
        ({"created_contacts": [], "existing_contacts": [{"email": "C@x.example"}], "errors": {"0": ["is taken"]}},
         [("a@x.example", "is taken"), ("b@x.example", "")]),
        ({"created_contacts": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}, []),
    ],
)  # fmt: skip
def test_every_contact_of_a_bulk_create_is_accounted_for(answered: Run, answer: Any, misses: Any) -> None:
    """Made, there before, or named with the reason; records without a key stand for those that nothing else names."""
    page = answered("contacts_bulk_create", THREE, answer)
    assert missed(page) == misses
    assert page.asked == 3


def test_a_bulk_create_without_both_lists_is_unreadable(answered: Run) -> None:
    """An answer that names neither what was made nor what was there says nothing."""
    with pytest.raises(IncompleteReplyError):
        answered("contacts_bulk_create", THREE, {"message": "ok"})


FIELD = "60c39ed82bd02f01154c470a"


@pytest.mark.parametrize(
    ("shown", "told", "reason"),
    [
        ({}, {FIELD: "Invalid value for date field"}, "Invalid value for date field"),
        ({}, {FIELD: ["is not a date", "is too long"]}, "is not a date; is too long"),
        ({}, {}, ""),
        ({}, None, ""),
    ],
)
def test_a_custom_field_that_was_not_taken_is_told(answered: Run, shown: Any, told: Any, reason: str) -> None:
    """The record came, so it stays one; the field that it lacks is named."""
    values = {"first_name": "A", "email": "a@x.example", "typed_custom_fields": {FIELD: "2025-13-45"}}
    contact = {"id": IDS[0], "typed_custom_fields": shown, "custom_field_errors": told}
    page = answered("contacts_create", values, {"contact": contact})
    assert len(page.records) == 1
    assert [(miss.reason, miss.field.removeprefix("typed_custom_fields.")) for miss in page.misses] == [(reason, FIELD)]
    assert page.missed == 0


def test_a_custom_field_that_stands_in_the_record_is_fine(answered: Run) -> None:
    """A value that came back, and one that was cleared, are no misses."""
    values = {"contact_id": IDS[0], "typed_custom_fields": {FIELD: "x", "1" * 24: None}}
    contact = {"id": IDS[0], "typed_custom_fields": {FIELD: "x"}, "custom_field_errors": {}}
    assert answered("contacts_update", values, {"contact": contact}).misses == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "failed", "error_code": "INSUFFICIENT_CREDITS", "matches": []}, CreditsExhaustedError),
        ({"error": "You have insufficient credits!"}, CreditsExhaustedError),
        ({"status": "failed", "error_code": "UNKNOWN_ERROR", "error_message": "no luck", "matches": [None]},
         RejectedError),
        ({"success": False, "message": "no luck", "matches": []}, RejectedError),
        ({"error": "Something went wrong", "error_code": "INTERNAL"}, IncompleteReplyError),
        ({"matches": None}, IncompleteReplyError),
        ([], IncompleteReplyError),
        (None, IncompleteReplyError),
    ],
)  # fmt: skip
def test_an_error_under_a_good_status_is_an_error(answered: Run, answer: Any, kind: type[Exception]) -> None:
    """Where nothing came, what the answer tells is the error; without its list it can't be read."""
    with pytest.raises(kind) as caught:
        answered("people_bulk_match", {"details": BY_ID}, answer)
    assert type(caught.value) is kind


def test_an_error_beside_what_came_is_a_warning(answered: Run) -> None:
    """What was asked for came: it stays, and the service's words are told beside it."""
    page = people(answered, BY_ID, [person(1), None, None], error_message="2 vendors failed", status="failed")
    assert names(page) == ["Person 1", None, None]
    assert page.warnings[0].startswith("the service says: ")
    assert "2 vendors failed" in page.warnings[0]


def test_what_a_failed_answer_cost_is_booked(answered: Run) -> None:
    """An answer that tells a failure and its credits costs these."""
    with pytest.raises(RejectedError) as caught:
        people(answered, BY_ID, [], status="failed", error_message="no luck", credits_consumed=2)
    assert caught.value.spent == 2


def test_a_rank_that_is_none_is_refused(answered: Run, service: Any) -> None:
    """The least confidence is one of three words."""
    with pytest.raises(InputError):
        people(answered, BY_ID, [], minimum_confidence="none")
    assert service.requests == []


def test_nothing_to_do_is_the_reason(answered: Run) -> None:
    """A sentence in place of the records is why the lists were not touched."""
    values = {"entity_ids": [IDS[0]], "label_names": ["Berlin", "Bern"], "modality": "contacts"}
    page = answered("labels_add_records", values, {"message": "No Models or Lists provided"})
    assert missed(page) == [("Berlin", "No Models or Lists provided"), ("Bern", "No Models or Lists provided")]


def test_equal_items_are_missed_each(answered: Run) -> None:
    """Two items of one key that don't come are two misses, also where the answer tells of them twice."""
    twice = {"contacts": [{"first_name": "a", "email": "a@x.example"}] * 2}
    failed = [{"email": "a@x.example", "error": "no"}]
    page = answered(
        "contacts_bulk_create", twice, {"created_contacts": [], "failed_contacts": failed, "errors": failed}
    )
    assert missed(page) == [("a@x.example", "no")] * 2
    assert page.asked == 2
