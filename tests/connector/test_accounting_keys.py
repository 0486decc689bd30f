"""Which of several keys decides whether a record answers an item, and whose part an error is."""

from collections.abc import Callable
from typing import Any

import pytest

from apollo_component.connector.connector import Connector
from apollo_component.contract.models import Credential, Page

ASKED, OTHER = "1" * 24, "2" * 24


@pytest.fixture
def answered(connector: Connector, service: Any, host: Any, key: Credential, reply: Any) -> Callable[..., Page]:
    """Two people are asked for, Ann by id and email; she is answered under an id, and Bea without one."""

    def run(shown: str | None, *more: Any) -> Page:
        people = [{"id": shown, "name": "Ann", "email": "a@firm.example"}, {"name": "Bea", "email": "b@firm.example"}]
        service.answers = {"/people/bulk_match": reply(200, {"matches": people})}
        details = [{"id": ASKED, "email": "a@firm.example"}, {"email": "b@firm.example"}, *more]
        return connector.connector_execute("people_bulk_match", {"details": details}, key, None, host)

    return run


@pytest.mark.parametrize(("shown", "is_taken"), [(ASKED, True), (None, True), (OTHER, False)])
def test_a_record_that_contradicts_the_surest_key_is_not_taken(
    answered: Callable[..., Page], shown: str | None, is_taken: bool
) -> None:
    """The same email under another id may be another person, so nothing is guessed; without an id it decides."""
    page = answered(shown, {"email": "c@firm.example"})
    assert [record and record["name"] for record in page.records] == ["Ann", "Bea", None][: 3 if is_taken else 2]
    assert bool(page.warnings) is not is_taken
    assert [miss.item for miss in page.misses] == ([] if is_taken else [""])


def test_an_answer_as_long_as_the_list_is_in_its_order(answered: Callable[..., Page]) -> None:
    """A record that no key claims for another place keeps the one that the service gave it."""
    page = answered(OTHER)
    assert [record["name"] for record in page.records] == ["Ann", "Bea"]
    assert (page.warnings, page.misses) == ((), ())


def test_an_error_of_an_item_whose_record_came_is_a_missing_part(
    connector: Connector, service: Any, host: Any, key: Credential, reply: Any
) -> None:
    """The record is given; the miss names the item, the reason and where the answer tells it."""
    answer = {
        "contacts": [{"id": ASKED}, {"id": OTHER}],
        "contact_errors": [{"contact_id": OTHER, "error": "no label"}],
    }
    service.answers = {"/add_contact_ids": reply(200, answer)}
    values = {"sequence_id": "a" * 24, "contact_ids": [ASKED, OTHER], "send_email_from_email_account_id": "b" * 24}
    page = connector.connector_execute("emailer_campaigns_add_contact_ids", values, key, None, host)
    assert [(miss.item, miss.reason, miss.field) for miss in page.misses] == [(OTHER, "no label", "contact_errors")]
    assert (page.given, page.missed) == (2, 0)
