"""An email address that isn't unlocked is nobody's, wherever Apollo writes its text for it."""

from collections.abc import Callable
from typing import Any

import pytest

from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import InputError
from apollo_component.contract.inputs import input_fields
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Page, Reply

LOCKED = "email_not_unlocked@domain.com"
ID = "c4010da225e590c49a61164d"
Make = Callable[..., Reply]
PERSON = {
    "id": ID,
    "email": LOCKED,
    "personal_emails": [LOCKED, "dana@example.com"],
    "contact": {"email": LOCKED.title(), "contact_emails": [{"email": LOCKED, "position": 0}]},
}
SEEN = {
    "id": ID,
    "email": None,
    "personal_emails": ["dana@example.com"],
    "contact": {"email": None, "contact_emails": [{"email": None, "position": 0}]},
}
ANSWERS: dict[str, tuple[dict[str, Any], Any]] = {
    "people_match": ({"id": ID}, {"person": PERSON}),
    "people_bulk_match": ({"details": [{"id": ID}]}, {"matches": [PERSON]}),
    "people_show": ({"id": ID}, {"person": PERSON}),
    "people_api_search": ({}, {"people": [PERSON], "total_entries": 1}),
    "contacts_search": ({}, {"contacts": [PERSON], "pagination": {"total_entries": 1}}),
    "contacts_create": ({"first_name": "Dana"}, {"contact": PERSON}),
    "contacts_bulk_create": ({"contacts": [{"first_name": "Dana"}]}, {"created_contacts": [PERSON]}),
    "tasks_search": ({}, {"tasks": [PERSON], "pagination": {"total_entries": 1}}),
    "webhook_result_show": ({"request_id": "1"}, PERSON),
    "raw_request": ({"method": "GET", "path": "/odd"}, PERSON),
}


@pytest.fixture
def run(connector: Connector, key: Credential, host: Any) -> Callable[..., Page]:
    return lambda action, values: connector.connector_execute(action, values, key, None, host)


@pytest.mark.parametrize("action", ANSWERS)
def test_an_address_that_is_not_unlocked_is_null(action: str, run: Any, service: Any, reply: Make) -> None:
    """In every action's records and values it is null at any depth, and gone from lists of texts."""
    values, answer = ANSWERS[action]
    service.answers = {"": reply(200, answer)}
    page = run(action, values)
    (record,) = page.records
    assert {name: record[name] for name in SEEN} == SEEN
    assert LOCKED not in str(page.value).lower()


def test_a_choice_without_an_address_has_none(
    connector: Connector, key: Any, host: Any, service: Any, reply: Any
) -> None:
    """A list to choose from doesn't offer the text as a contact's address."""
    service.answers = {"/contacts/search": reply(200, {"contacts": [{"id": ID, "name": "Dana", "email": LOCKED}]})}
    ((choice,), _) = connector.connector_options("contacts", key, "", None, host)
    assert (choice.label, choice.value) == ("Dana", ID)


def test_a_new_record_of_a_trigger_has_none(
    connector: Connector, key: Any, host: Any, service: Any, reply: Any
) -> None:
    """What starts a run carries null in its place."""
    contact = {"id": ID, "email": LOCKED, "created_at": "2026-11-22T11:00:00Z"}
    service.answers = {"/contacts/search": reply(200, {"contacts": [contact], "pagination": {"total_entries": 1}})}
    since = host.now().replace(hour=10)
    (event,) = connector.connector_poll("contact_created", {}, key, None, since, host).events
    assert event.record["email"] is None


def test_a_delivery_has_none(connector: Connector) -> None:
    """What Apollo delivers later is read like its answers."""
    body = f'{{"people": [{{"id": "{ID}", "emails": [{{"email": "{LOCKED}"}}]}}]}}'.encode()
    (event,) = connector.connector_receive("enrichment_completed", body, {})
    assert event.record["emails"] == [{"email": None}]


NESTED: dict[str, tuple[dict[str, Any], str]] = {
    "people_match": ({"email": LOCKED}, "email"),
    "people_bulk_match": ({"details": [{"id": ID}, {"email": LOCKED.upper()}]}, "details[1].email"),
    "contacts_create": ({"email": LOCKED}, "email"),
    "contacts_update": ({"contact_id": ID, "email": LOCKED}, "email"),
    "contacts_bulk_create": ({"contacts": [{"email": LOCKED}]}, "contacts[0].email"),
    "contacts_bulk_update": ({"contact_attributes": [{"id": ID, "email": LOCKED}]}, "contact_attributes[0].email"),
    "enrich_create": ({"body": {"rows": [{"x": LOCKED}]}, "max_credits": 1}, "body.rows[0].x"),
    "raw_request": (
        {"method": "POST", "path": "/contacts", "effect": "create", "credits": 0, "body": {"a": [f" {LOCKED} "]}},
        "body.a[0]",
    ),
}


@pytest.mark.parametrize("action", NESTED)
def test_it_is_no_address_to_give(action: str, run: Any, service: Any) -> None:
    """As an input it is refused at its place, before anything is sent."""
    values, place = NESTED[action]
    with pytest.raises(InputError) as caught:
        run(action, values)
    assert place in {problem.path for problem in caught.value.problems}
    assert LOCKED not in str(caught.value).lower()
    assert service.requests == []


def test_every_field_for_an_address_refuses_it(manifest: Manifest, connector: Connector) -> None:
    """Each input whose value is an email address knows all the placeholders of the manifest."""
    assert manifest.placeholders == (LOCKED,)
    known = connector.schemas.schema("schemas/definitions.schema.json")["$defs"]["no_placeholder"]["x-nowhere"]
    assert tuple(known) == manifest.placeholders
    fields = [
        field
        for action in manifest.actions.values()
        for field in input_fields(connector.schemas, action.input)
        if field.schema.get("format") == "email"
    ]
    assert len(fields) > 10
    assert all("no_placeholder" in str(field.schema.get("allOf")) for field in fields)
