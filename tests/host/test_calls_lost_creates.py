"""Lost creates: found again by their natural key, or told as unknown."""

from datetime import UTC, datetime

import pytest

from apollo_component.contract.errors import OutcomeUnknownError, TransientError
from apollo_component.host.journal import FOUND, Key

from .calling import GOOD, NEVER_SENT, NO_ANSWER
from .conftest import START, answer, page


def created_at(seconds, name="x", **more):
    return {"id": 9, "name": name, "created_at": datetime.fromtimestamp(START + seconds, UTC).isoformat()} | more


def lost(caller, service, *finds, **values):
    service.on("/make", NO_ANSWER)
    service.on("/find", *finds)
    return caller.page("make", {"name": "x"} | values)


def test_a_lost_create_is_found_by_its_natural_key(caller, service):
    """The record that a lost create made is found and is its result; nothing is sent twice."""
    found = lost(caller, service, page(created_at(-9999), created_at(1, "other"), created_at(1, id=7)))
    assert found.value["id"] == 7
    assert len(service.sent("/make")) == 1
    assert caller.doubts == ["had taken effect: found again by its natural key"]


def test_it_is_found_on_the_second_look(caller, service, clock):
    """Searches lag behind writes: the host looks again after a pause."""
    assert lost(caller, service, page(), page(created_at(1))).value["id"] == 9
    assert len(service.sent("/find")) == 2
    assert clock.waits


def test_a_lost_create_that_is_not_found_is_unknown(caller, service):
    """Not found twice isn't proof: it is neither repeated nor called a failure."""
    service.always("/find", page())
    with pytest.raises(OutcomeUnknownError) as caught:
        lost(caller, service)
    assert caught.value.exit_code == 7
    assert len(service.sent("/find")) == 2
    assert len(service.sent("/make")) == 1


@pytest.mark.parametrize(
    ("created", "name"),
    [(-9999, "x"), (-301, "x"), (1, "y")],
    ids=["hours older", "just older", "of another name"],
)
def test_an_older_record_with_the_same_key_is_not_taken(caller, service, created, name):
    """A namesake from before the request isn't what the request made, nor is a record whose natural key isn't equal."""
    service.always("/find", page(created_at(created, name)))
    with pytest.raises(OutcomeUnknownError):
        lost(caller, service)


def test_a_lookup_passes_over_what_is_no_record(caller, service):
    """Whatever else a search answers, the record is found and nothing breaks."""
    service.always("/find", answer({"records": [None, 7, "x", [1], created_at(1)], "total": 5}))
    assert lost(caller, service).value["id"] == 9


def test_it_is_found_on_a_later_page(caller, service):
    """A search that ignores the name gives everything: it is read on until the record is there."""
    others = [created_at(1, f"other {number}") for number in range(10)]
    found = lost(caller, service, page(*others, total=25), page(*others, total=25), page(created_at(1, id=7), total=25))
    assert found.value["id"] == 7
    assert [dict(request.query)["page"] for request in service.sent("/find")] == ["1", "2", "3"]


def test_a_time_without_an_offset_is_utc(caller, service):
    """Services leave the offset out."""
    made = created_at(1)
    made["created_at"] = made["created_at"].removesuffix("+00:00")
    assert lost(caller, service, page(made)).value["id"] == 9


@pytest.mark.parametrize("moment", [{}, {"created_at": None}, {"created_at": "soon"}])
def test_a_record_that_tells_no_time_is_not_taken(caller, service, moment):
    """Whether it is the lost one can't be told: the error names the record and the missing time."""
    service.always("/find", page({"id": 9, "name": "x", **moment}))
    with pytest.raises(OutcomeUnknownError) as caught:
        lost(caller, service)
    assert "(created_at), so it wasn't taken: 9." in caught.value.hint
    assert "runs settle" in caught.value.hint


def test_a_found_create_is_not_sent_when_the_run_goes_on(caller, service, host):
    """A kill right after the finding doesn't lead to a second create: it is found once more."""
    service.always("/find", page(created_at(1)))
    lost(caller, service)
    assert host.journal.last(Key(caller.run, "run", "0")).state == FOUND
    assert caller.page("make", {"name": "x"}).value["id"] == 9
    assert len(service.sent("/make")) == 1


def test_a_create_without_its_key_in_the_input_is_not_looked_for(caller, service):
    """Without a natural key there is nothing to look for."""
    service.on("/make", NO_ANSWER)
    with pytest.raises(OutcomeUnknownError):
        caller.page("make", {"amount": 5})
    assert service.sent("/find") == []


def test_trouble_while_looking_leaves_the_question_open(caller, service):
    """When the look-up can't be made the create stays in doubt, and a later try looks again."""
    service.on("/make", NO_ANSWER)
    service.on("/find", *[NEVER_SENT] * 7)
    with pytest.raises(TransientError):
        caller.page("make", {"name": "x"})
    service.on("/find", page(created_at(1)))
    assert caller.page("make", {"name": "x"}).value["id"] == 9
    assert len(service.sent("/make")) == 1


def test_an_upsert_flag_makes_a_create_repeatable(caller, service):
    """The effect follows the input: with the flag and a key a lost create is repeated, without it isn't."""
    service.on("/ensure", NO_ANSWER, GOOD)
    caller.page("ensure", {"name": "x", "merge": True})
    assert len(service.requests) == 2
    service.on("/ensure", NO_ANSWER, GOOD)
    with pytest.raises(OutcomeUnknownError):
        caller.page("ensure", {"merge": True}, item="1")
    assert len(service.requests) == 3
