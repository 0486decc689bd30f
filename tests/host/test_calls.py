"""Calls: what is sent, what is repeated and what is not."""

from datetime import timedelta

import pytest

from apollo_component.contract.errors import (
    CreditsExhaustedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    QuotaError,
    RejectedError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.host.journal import RECEIVED, SENDING, Journal, Key, OwnershipLostError
from apollo_component.host.leases import Leases

from .calling import EFFECTS, GOOD, NEVER_SENT, NO_ANSWER, NOTHING, PAID, REPEATED, WRITES, call, path
from .conftest import Caller, answer, in_threads, windows

# What is journaled, and when


def test_the_row_is_there_before_the_request_leaves(caller, service, host):
    """While the request is under way another process can read that it is."""
    seen = []

    def looking(_request):
        seen.append(Journal(host.store).last(Key(caller.run, "run", "0")).state)
        return GOOD

    service.on("/pay", looking)
    call(caller, "bill")
    assert seen == [SENDING]
    assert caller.credits == PAID


def test_the_answer_is_kept_before_it_is_used(caller, service, host, registry, monkeypatch):
    """When the process dies while it reads the answer, the answer is in the journal already."""
    service.on("/pay", GOOD)

    def dying(_page):
        raise KeyboardInterrupt

    monkeypatch.setattr("apollo_component.connector.connector.operations.page_from", lambda *_a: dying(None))
    with pytest.raises(KeyboardInterrupt):
        call(caller, "bill")
    last = host.journal.last(Key(caller.run, "run", "0"))
    assert (last.state, last.reply.body) == (RECEIVED, GOOD.body)
    monkeypatch.undo()
    assert call(caller, "bill").records == [{"id": 1}]
    assert len(service.requests) == 1


@pytest.mark.parametrize("effect", WRITES)
def test_a_recorded_answer_is_never_asked_for_again(caller, service, effect):
    """The same place of the same run gives the same page without a request, however often."""
    service.on(path(effect), GOOD)
    pages = [call(caller, effect) for _ in range(3)]
    assert pages[0] == pages[1] == pages[2]
    assert len(service.requests) == 1
    assert caller.credits["spent"] == (effect == "bill")


def test_another_place_is_another_request(caller, service):
    """Two items of a step are two requests."""
    service.always("/pay", GOOD)
    call(caller, "bill", item="0")
    call(caller, "bill", item="1")
    assert len(service.requests) == 2
    assert caller.credits["spent"] == 2


def test_a_free_read_is_not_journaled(caller, service, host):
    """What costs nothing and changes nothing leaves no row."""
    service.always("/find", GOOD)
    call(caller, "read")
    assert host.journal.last(Key(caller.run, "run", "0")) is None


def test_a_recorded_answer_that_was_deleted_is_not_asked_for_again(caller, service, host):
    """After the recorded answers were deleted the request still isn't repeated; it is told instead."""
    service.always("/pay", GOOD)
    call(caller, "bill")
    host.runs.update(caller.run, "failed")
    host.runs.purge(timedelta(0))
    with pytest.raises((OutcomeUnknownError, NotFoundError)):
        call(caller, "bill")
    assert len(service.requests) == 1


# Each effect against each kind of trouble


def test_what_never_left_is_repeated_whatever_the_effect(caller, service, effect):
    """A connection refused did no work: sent again after a pause, paid once, nothing in doubt."""
    service.on(path(effect), NEVER_SENT, NEVER_SENT, GOOD)
    call(caller, effect)
    assert len(service.requests) == 3
    assert caller.credits == (PAID if effect == "bill" else NOTHING)
    assert caller.doubts == []


def test_a_503_is_repeated_whatever_the_effect(caller, service, effect):
    """503 is a refusal before any work."""
    service.on(path(effect), answer({}, 503), GOOD)
    call(caller, effect)
    assert len(service.requests) == 2
    assert caller.doubts == []


def repeated_where_harmless(caller, service, effect):
    """Sent again after a lost answer, or not and the outcome is unknown."""
    if effect in REPEATED:
        call(caller, effect)
    else:
        with pytest.raises(OutcomeUnknownError):
            call(caller, effect)
    assert len(service.requests) == (2 if effect in REPEATED else 1)


def test_a_lost_answer_is_repeated_only_where_that_is_harmless(caller, service, effect):
    """Reads, upserts and, unless told otherwise, billing are sent again; a create and a sending are not."""
    service.on(path(effect), NO_ANSWER, GOOD)
    repeated_where_harmless(caller, service, effect)
    assert effect in REPEATED or caller.doubts == ["sent, answer lost, not repeated"]


@pytest.mark.parametrize(
    "trouble",
    [answer({}, 500), answer({}, 502), answer(b"<html>", 504), answer(b"<html>", 200), UnreadableReplyError("cut")],
)
def test_an_answer_that_is_not_the_services_is_a_lost_one(caller, service, effect, trouble):
    """5xx, a proxy's page and a body cut short may hide an effect: repeated only where that is harmless."""
    service.on(path(effect), trouble, GOOD)
    repeated_where_harmless(caller, service, effect)
    assert len(caller.doubts) == (effect != "read")


@pytest.mark.parametrize("effect", ["create", "send"])
def test_what_may_not_be_repeated_is_not_repeated_later_either(caller, service, effect):
    """Running the same place again after a lost answer sends nothing."""
    service.on(path(effect), NO_ANSWER)
    for _ in range(3):
        with pytest.raises(OutcomeUnknownError):
            call(caller, effect)
    assert len(service.requests) == 1


@pytest.mark.parametrize("effect", ["create", "send"])
@pytest.mark.parametrize("first", [NEVER_SENT, answer({}, 503), answer({}, 429, retry_after="1")])
def test_a_lost_answer_after_a_harmless_refusal_is_not_repeated(caller, service, effect, first):
    """A repeat that was allowed doesn't allow the next one."""
    service.on(path(effect), first, NO_ANSWER, GOOD)
    with pytest.raises(OutcomeUnknownError):
        call(caller, effect)
    assert len(service.requests) == 2


@pytest.mark.parametrize("effect", WRITES)
def test_a_process_that_died_while_sending_leaves_a_doubt(caller, service, host, effect):
    """A row that says `sending` and has no owner any more is treated as a lost answer."""
    made = caller.make(*EFFECTS[effect])
    host.journal.open(made.key, made.action.id, made.effect, made.worst, None)
    service.on(path(effect), GOOD)
    if effect in REPEATED:
        call(caller, effect)
        assert len(service.requests) == 1
        assert caller.doubts[0].startswith("repeated")
    else:
        with pytest.raises(OutcomeUnknownError):
            call(caller, effect)
        assert service.requests == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "bad"}, RejectedError),
        (402, {}, CreditsExhaustedError),
        (403, {}, PermissionDeniedError),
        (404, {}, NotFoundError),
        (409, {}, RejectedError),
        (422, {"error": "no"}, RejectedError),
    ],
)
def test_a_refusal_is_told_once_and_costs_nothing(caller, service, effect, status, body, error):
    """4xx is final: one request, the right error, nothing spent, nothing in doubt."""
    service.on(path(effect), answer(body, status))
    with pytest.raises(error):
        call(caller, effect)
    assert len(service.requests) == 1
    assert caller.credits == NOTHING
    assert caller.doubts == []


def test_a_refused_request_may_be_sent_anew(caller, service, effect):
    """After the cause of a refusal is gone the same place is sent again."""
    service.on(path(effect), answer({}, 422), GOOD)
    with pytest.raises(RejectedError):
        call(caller, effect)
    assert call(caller, effect).records
    assert len(service.requests) == 2


def test_a_used_up_minute_is_waited_for(caller, service, effect, clock):
    """A 429 with a retry-after of seconds is waited out and sent again, whatever the effect."""
    service.on(path(effect), answer({"message": "10 times per minute"}, 429, retry_after="30"), GOOD)
    start = clock.now
    call(caller, effect)
    assert 30 <= clock.now - start < 45
    assert len(service.requests) == 2
    assert caller.doubts == []


@pytest.mark.parametrize(("word", "seconds"), [("hour", 3000), ("day", 80000)])
def test_a_used_up_hour_or_day_stops_with_its_reset(caller, service, effect, clock, word, seconds):
    """The error names the window and the time; the next call is refused by the host itself."""
    refusal = answer({"message": f"600 times per {word}"}, 429, retry_after=str(seconds))
    service.on(path(effect), refusal, GOOD)
    for _ in range(2):
        with pytest.raises(QuotaError) as caught:
            call(caller, effect)
        assert caught.value.window == word
        assert caught.value.resets_at == clock.moment(seconds)
    assert len(service.requests) == 1
    assert clock.waits == []
    clock.now += seconds
    call(caller, effect)
    assert caller.credits == (PAID if effect == "bill" else NOTHING)


def test_a_429_that_means_still_working_is_tried_again(caller, service, effect):
    """It isn't a quota: it is repeated after a pause and no window is noted."""
    service.on(path(effect), answer({"error": "already processing"}, 429), GOOD)
    call(caller, effect)
    assert len(service.requests) == 2


def test_a_service_that_stays_away_is_given_up(caller, service, effect, clock):
    """After some tries inside three minutes the last trouble is told; nothing is in doubt when nothing left."""
    service.always(path(effect), NEVER_SENT)
    start = clock.now
    with pytest.raises(TransientError) as caught:
        call(caller, effect)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert 2 <= len(service.requests) <= 8
    assert clock.now - start <= 180
    assert caller.credits == NOTHING


@pytest.mark.parametrize("effect", ["upsert", "bill"])
def test_lost_answers_without_end_leave_the_outcome_unknown(caller, service, effect):
    """When every repeat is lost too, the outcome is unknown, and what may have been paid stays reserved; what costs is
    sent three times at most."""
    service.always(path(effect), NO_ANSWER)
    with pytest.raises(OutcomeUnknownError):
        call(caller, effect)
    tries = len(service.requests)
    assert tries <= (3 if effect == "bill" else 8)
    assert len(caller.doubts) == tries
    assert caller.credits["reserved"] == (tries if effect == "bill" else 0)


def test_the_error_of_a_read_without_end_is_temporary(caller, service):
    """A read whose answers are all lost can simply be run again."""
    service.always("/find", NO_ANSWER)
    with pytest.raises(TransientError):
        call(caller, "read")


def test_waits_grow(caller, service, clock):
    """Pauses between repeats grow and are spread."""
    service.always("/put", NEVER_SENT)
    with pytest.raises(TransientError):
        call(caller, "upsert")
    assert clock.waits == sorted(clock.waits)
    assert clock.waits[-1] > 5 * clock.waits[0]


# Ownership and quota


def test_whoever_lost_the_run_sends_nothing(caller, service, host, clock):
    """A stalled owner that wakes up can't send what the new owner may have sent."""
    leases = Leases(host.store, clock)
    stalled = leases.acquire("run:x", 10)
    clock.now += 11
    leases.acquire("run:x", 10)
    with pytest.raises(OwnershipLostError):
        call(caller, "upsert", lease=stalled)
    assert service.requests == []


def test_ownership_lost_while_waiting_for_quota_is_seen(caller, service, host, clock):
    """The row is claimed after every wait, right before the request leaves."""
    host.limits.observed("", f"connection:{caller.connection.id}", "put", (), 50.0)
    leases = Leases(host.store, clock)
    lease = leases.acquire("run:x", 10)

    def sleeping(seconds):
        clock.sleep(seconds)
        leases.acquire("run:x", 1000)

    host.limits.sleep = sleeping
    with pytest.raises(OwnershipLostError):
        call(caller, "upsert", lease=lease)
    assert service.requests == []


def test_the_quota_an_answer_tells_counts_for_the_team(caller, service, host):
    """Headers of one answer hold back the next request."""
    service.on("/put", answer({"id": 1}, **windows(day=(0, 1))))
    call(caller, "upsert")
    service.on("/put", GOOD)
    with pytest.raises(QuotaError) as caught:
        call(caller, "upsert", item="1")
    assert caught.value.window == "day"
    assert len(service.requests) == 1


def test_threads_in_one_run_each_send_once(host, key, manifest, service):
    """Forty items on twenty threads are forty requests, each recorded."""
    caller = Caller(host, key, manifest)
    service.always("/pay", GOOD)

    def go(number):
        for place in (number, number + 20):
            call(caller, "bill", item=str(place))

    in_threads(20, go)
    assert len(service.requests) == 40
    assert caller.credits == {"spent": 40, "reserved": 0, "paid_twice": 0}
