"""Good statuses that don't hold what was asked for: no effect where the answer tells a failure, else in doubt."""

import pytest

from apollo_component.contract.errors import IncompleteReplyError, OutcomeUnknownError, RejectedError

from .calling import NOTHING, call
from .conftest import answer

EMPTY = answer({"something": "else"})


def test_a_bill_without_its_list_stays_in_doubt(caller, service):
    """It isn't sent again, its outcome is unknown, and its worst cost stays reserved."""
    service.always("/pay", EMPTY)
    with pytest.raises(OutcomeUnknownError) as caught:
        call(caller, "bill")
    assert "runs settle" in caught.value.hint
    assert len(service.requests) == 1
    assert caller.credits == {"spent": 0, "reserved": 1, "paid_twice": 0}
    assert caller.doubts == ["sent, answer lost, gave up repeating"]


def test_a_read_without_its_list_is_not_asked_again_at_once(caller, service, host):
    """The same request gives the same answer; nothing is in doubt."""
    service.always("/find", EMPTY)
    with pytest.raises(IncompleteReplyError):
        call(caller, "read")
    assert len(service.requests) == 1
    assert caller.doubts == []


def test_a_failure_under_a_good_status_had_no_effect(caller, service):
    """It is the error that it tells, nothing is in doubt, and what it cost is what it tells."""
    service.always("/pay", answer({"error": "The domain is unknown", "records": []}))
    with pytest.raises(RejectedError):
        call(caller, "bill")
    assert len(service.requests) == 1
    assert caller.credits == NOTHING
    assert caller.doubts == []
