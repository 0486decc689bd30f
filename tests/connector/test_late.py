"""Late results of Apollo's own actions: how they are asked for, announced and delivered."""

import json
from pathlib import Path

import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.connector import late
from apollo_component.connector.operations import finished, page_from
from apollo_component.contract.errors import InputError, NotFoundError

MANIFEST = plugin.manifest
ACTIONS = MANIFEST.actions
NUMBER = -9223372036854775808
PERSON = "587cf802f65125cad923a266"
REVEAL = {"id": PERSON, "reveal_phone_number": True}


def page(name, values, answer):
    page = finished(ACTIONS[name], values, answer, page_from(ACTIONS[name], values, answer), None)
    return late.announced(ACTIONS[name], values, answer, page)


def test_the_id_of_a_late_result_is_text():
    """All 64 bits survive, whatever sign; what the first answer cost is told beside it."""
    found = page("people_match", REVEAL, {"person": {"id": PERSON}, "request_id": NUMBER})
    assert found.late.input == {"request_id": "-9223372036854775808"}
    assert (found.late.ids, found.late.spent, found.spent) == ((PERSON,), 1, None)


def test_a_bulk_answer_tells_its_own_part_of_the_cost():
    """The credits of the first answer are its own; where they are absent, each person found counts."""
    values = {"details": [{"id": PERSON}] * 2, "reveal_phone_number": True}
    answer = {"matches": [{"id": PERSON}, None], "request_id": 7, "credits_consumed": 0.5}
    assert page("people_bulk_match", values, answer).late.spent == 0.5
    answer.pop("credits_consumed")
    assert page("people_bulk_match", values, answer).late.spent == 1


def test_polling_is_asked_for_when_there_is_no_address():
    """Without an address the flag is set, with one it isn't, and without anything late the input stays."""
    action = ACTIONS["people_match"]
    assert late.asked(action, REVEAL) == REVEAL | {"poll_only": True}
    own = REVEAL | {"webhook_url": "https://example.com/x"}
    assert late.asked(action, own) == own
    assert late.asked(action, {"id": PERSON}) == {"id": PERSON}


def test_a_skipped_reveal_is_nothing_to_wait_for():
    """Nobody found means that no phone number comes, unless a waterfall was accepted."""
    answer = {"person": None, "request_id": 1, "phone_enrichment": {"request_id": 1, "status": "skipped"}}
    assert (page("people_match", REVEAL, answer).late, page("people_match", REVEAL, answer).spent) == (None, 0)
    answer["waterfall"] = {"status": "accepted"}
    assert page("people_match", REVEAL, answer).late is not None


@pytest.mark.parametrize(("status", "waits"), [("running", True), ("completed", False), ("failed", False)])
def test_an_assistant_that_works_on_is_waited_for(status, waits):
    """An answer that says so is not the last."""
    found = page("agents_task", {"instruction": "x"}, {"task_id": "t1", "status": status})
    assert (found.late is not None) is waits
    assert found.late is None or found.late.input == {"task_id": "t1"}


def test_a_job_is_told_with_its_id_and_standing():
    """What goes on in the background and can't be asked after is a warning; without a job there is none."""
    answer = {"contacts": [], "entity_progress_job": {"id": "j1", "status": "queued", "progress": 0}}
    (text,) = page("contacts_bulk_update", {}, answer).warnings
    assert "(job j1: queued, 0 % done)" in text
    assert page("contacts_bulk_update", {}, {"contacts": []}).warnings == ()


def payload(name):
    facts = json.loads((Path(__file__).parent / "deliveries.json").read_text())
    return json.dumps(facts[name]).encode()


@pytest.mark.parametrize("name", ["native_phone", "waterfall"])
def test_documented_deliveries_are_parsed(name):
    """Both documented payloads give one event for each person, the same one for the same content."""
    (event,) = plugin.connector_receive(trigger="enrichment_completed", body=payload(name), headers={})
    (again,) = plugin.connector_receive(trigger="enrichment_completed", body=payload(name), headers={})
    assert len(event.id) == 24
    assert event.record["phone_numbers"]
    assert event == again
    assert len(event.version) == 64


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_what_is_no_delivery_is_refused(body):
    """Only a JSON object is a delivery; nothing of it is repeated."""
    with pytest.raises(InputError):
        plugin.connector_receive(trigger="enrichment_completed", body=body, headers={})


@pytest.mark.parametrize("body", [b"{}", b'{"people": null}', b'{"people": [null, 1, {}, {"id": null}]}'])
def test_a_delivery_about_nobody_has_no_events(body):
    """People without an id are nobody."""
    assert plugin.connector_receive(trigger="enrichment_completed", body=body, headers={}) == ()


def test_an_unknown_trigger_is_refused():
    """A delivery is parsed as what it was asked for, or not at all."""
    with pytest.raises(NotFoundError):
        plugin.connector_receive(trigger="nope", body=b"{}", headers={})
