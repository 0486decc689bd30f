"""What a request costs: reserved before it is sent, booked by its answer, held back by a budget."""

import pytest

from apollo_component.contract.errors import BudgetExhaustedError, InputError, OutcomeUnknownError, RejectedError

from .calling import GOOD, NEVER_SENT, NO_ANSWER, call
from .conftest import Caller, answer


@pytest.mark.parametrize(
    "between",
    [(), (NEVER_SENT,), (answer({}, 503), NEVER_SENT, answer({}, 429))],
    ids=["lost", "lost, not reached", "lost, refused before work"],
)
def test_a_repeated_bill_is_booked_as_possibly_paid_twice(caller, service, between):
    """A lost answer keeps its worst cost reserved, the repeat is booked, and what may be double is counted. Only lost
    answers count against the repeats of a request that costs, not refusals that cost nothing, and these don't hide it."""
    service.on("/pay", NO_ANSWER, *between, GOOD)
    assert call(caller, "bill").records == [{"id": 1}]
    assert caller.credits == {"spent": 1, "reserved": 1, "paid_twice": 1}
    assert caller.doubts == ["repeated, possibly paid twice"]


def test_a_lost_answer_is_not_forgotten_over_a_later_refusal(caller, service):
    """When the first answer was lost and then the service stays away, the outcome is unknown, not just temporary."""
    service.on("/pay", NO_ANSWER)
    service.always("/pay", NEVER_SENT)
    with pytest.raises(OutcomeUnknownError):
        call(caller, "bill")
    assert caller.credits["reserved"] == 1


def test_a_bill_may_be_told_to_stop_instead(caller, service):
    """With `on_unknown: stop` a lost answer is not repeated."""
    service.on("/pay", NO_ANSWER, GOOD)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            call(caller, "bill", on_unknown="stop")
    assert len(service.requests) == 1
    assert caller.credits == {"spent": 0, "reserved": 1, "paid_twice": 0}


def test_a_repeat_that_is_refused_was_not_paid_twice(caller, service):
    """A repeat that the service refuses costs nothing."""
    service.on("/pay", NO_ANSWER, answer({}, 422))
    with pytest.raises(RejectedError):
        call(caller, "bill")
    assert caller.credits == {"spent": 0, "reserved": 1, "paid_twice": 0}


def test_what_the_answer_tells_is_booked(caller, service):
    """Reported credits are booked; without a report each record found costs its base."""
    service.on("/pay", answer({"records": [1, 2], "spent": 0.5}), answer({"records": [1, None]}))
    caller.page("pay", {"items": [1, 2]}, "0")
    assert caller.credits == {"spent": 0.5, "reserved": 0, "paid_twice": 0}
    caller.page("pay", {"items": [1, 2]}, "1")
    assert caller.credits["spent"] == 1.5


def test_what_is_settled_later_stays_reserved(caller, service):
    """When part of the cost arrives later the worst stays reserved."""
    service.on("/pay", answer({"records": [1], "spent": 1}))
    caller.page("pay", {"items": [1], "phone": True})
    assert caller.credits == {"spent": 0, "reserved": 9, "paid_twice": 0}


def test_a_budget_refuses_before_sending(host, key, manifest, service):
    """The request that may go over the budget isn't sent, and the error says what is needed."""
    caller = Caller(host, key, manifest, budget=3)
    service.always("/pay", answer({"records": [1, 2], "spent": 2}))
    caller.page("pay", {"items": [1, 2]}, "0")
    with pytest.raises(BudgetExhaustedError) as caught:
        caller.page("pay", {"items": [1, 2]}, "1")
    assert caught.value.needed == 4
    assert len(service.requests) == 1
    caller.page("pay", {"items": [1]}, "2")
    assert len(service.requests) == 2


def test_a_request_that_the_budget_refuses_holds_no_permit(host, key, manifest, service):
    """What was not sent doesn't count as in flight for the requests that come after it."""
    caller = Caller(host, key, manifest, budget=0)
    with pytest.raises(BudgetExhaustedError):
        call(caller, "bill")
    assert host.limits.in_flight() == 0


def test_a_budget_refuses_a_repeat_that_it_doesnt_cover(host, key, manifest, service):
    """A possible second payment needs budget too."""
    caller = Caller(host, key, manifest, budget=1)
    service.on("/pay", NO_ANSWER, GOOD)
    with pytest.raises(BudgetExhaustedError):
        call(caller, "bill")
    assert len(service.requests) == 1


def test_free_requests_go_on_when_the_budget_is_used_up(host, key, manifest, service):
    """A budget holds back what costs, nothing else."""
    caller = Caller(host, key, manifest, budget=0)
    service.always("/put", GOOD)
    call(caller, "upsert")
    call(caller, "read")
    assert len(service.requests) == 2


def test_a_cost_without_a_limit_isnt_sent_under_a_budget(host, key, manifest, service):
    """With a budget such a request needs a stated worst cost; with one it goes."""
    caller = Caller(host, key, manifest, budget=50)
    service.always("/pay", GOOD)
    with pytest.raises(InputError, match="max_credits_per_record"):
        caller.page("pay", {"items": [1], "waterfall": True})
    assert service.requests == []
    caller.page("pay", {"items": [1], "waterfall": True}, max_credits_per_record=20)
    assert caller.credits["reserved"] == 20
