"""Calls: what is sent, what is repeated and what is not, and what it is booked as."""

import itertools
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apollo_component.contract.errors import (
    BudgetExhaustedError,
    CreditsExhaustedError,
    InputError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    QuotaError,
    ReauthorizationError,
    RejectedError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.host.journal import FOUND, RECEIVED, SENDING, Journal, Key, OwnershipLostError
from apollo_component.host.leases import Leases

from .conftest import START, TOKEN_PATH, Caller, answer, page, windows

EFFECTS = {
    "read": ("find", {"q": "x"}),
    "upsert": ("put", {"name": "x"}),
    "create": ("blind", {"name": "x"}),
    "bill": ("pay", {"items": [1]}),
    "send": ("mail", {"name": "x"}),
}
EVERY = list(EFFECTS)
WRITES = EVERY[1:]
REPEATED = ("read", "upsert", "bill")
NEVER_SENT = TransientError("not reached", worked=False)
NO_ANSWER = TransientError("no answer")
GOOD = answer({"records": [{"id": 1}], "total": 1, "id": 1, "spent": 1})
PAID = {"spent": 1, "reserved": 0, "paid_twice": 0}
NOTHING = {"spent": 0, "reserved": 0, "paid_twice": 0}


@pytest.fixture(params=EVERY)
def effect(request):
    return request.param


def path(effect):
    return "/" + EFFECTS[effect][0]


def call(caller, effect, **more):
    return caller.page(*EFFECTS[effect], **more)


def created_at(seconds, name="x", **more):
    return {"id": 9, "name": name, "created_at": datetime.fromtimestamp(START + seconds, UTC).isoformat()} | more


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


def test_a_lost_answer_is_repeated_only_where_that_is_harmless(caller, service, effect):
    """Reads, upserts and, unless told otherwise, billing are sent again; a create and a sending are not."""
    service.on(path(effect), NO_ANSWER, GOOD)
    if effect in REPEATED:
        call(caller, effect)
        assert len(service.requests) == 2
    else:
        with pytest.raises(OutcomeUnknownError):
            call(caller, effect)
        assert len(service.requests) == 1
        assert caller.doubts == ["sent, answer lost, not repeated"]


@pytest.mark.parametrize(
    "trouble",
    [answer({}, 500), answer({}, 502), answer(b"<html>", 504), answer(b"<html>", 200), UnreadableReplyError("cut")],
)
def test_an_answer_that_is_not_the_services_is_a_lost_one(caller, service, effect, trouble):
    """5xx, a proxy's page and a body cut short may hide an effect: repeated only where that is harmless."""
    service.on(path(effect), trouble, GOOD)
    if effect in REPEATED:
        call(caller, effect)
        assert len(service.requests) == 2
    else:
        with pytest.raises(OutcomeUnknownError):
            call(caller, effect)
        assert len(service.requests) == 1
    with_rows = effect != "read"
    assert len(caller.doubts) == with_rows


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


# Credits


def test_a_repeated_bill_is_booked_as_possibly_paid_twice(caller, service):
    """A lost answer keeps its worst cost reserved, the repeat is booked, and what may be double is counted."""
    service.on("/pay", NO_ANSWER, GOOD)
    call(caller, "bill")
    assert caller.credits == {"spent": 1, "reserved": 1, "paid_twice": 1}
    assert caller.doubts == ["repeated, possibly paid twice"]


def test_a_refusal_in_between_doesnt_hide_a_possible_second_payment(caller, service):
    """Lost, then not reached, then answered: still possibly paid twice."""
    service.on("/pay", NO_ANSWER, NEVER_SENT, GOOD)
    call(caller, "bill")
    assert caller.credits == {"spent": 1, "reserved": 1, "paid_twice": 1}


def test_refusals_before_work_dont_use_up_the_repeats_of_a_bill(caller, service):
    """Only lost answers count against the repeats of a request that costs, not refusals that cost nothing."""
    service.on("/pay", NO_ANSWER, answer({}, 503), NEVER_SENT, answer({}, 429), GOOD)
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


# A lost create


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


@pytest.mark.parametrize("created", [-9999, -301])
def test_an_older_record_with_the_same_key_is_not_taken(caller, service, created):
    """A namesake from before the request isn't what the request made."""
    service.always("/find", page(created_at(created)))
    with pytest.raises(OutcomeUnknownError):
        lost(caller, service)


def test_a_record_with_other_case_or_name_is_not_taken(caller, service):
    """The natural key must be equal."""
    service.always("/find", page(created_at(1, "y")))
    with pytest.raises(OutcomeUnknownError):
        lost(caller, service)


def test_a_lookup_passes_over_what_is_no_record(caller, service):
    """Whatever else a search answers, the record is found and nothing breaks."""
    service.always("/find", answer({"records": [None, 7, "x", [1], created_at(1)], "total": 5}))
    assert lost(caller, service).value["id"] == 9


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


# Credentials


@pytest.fixture
def theirs(host, oauth, manifest):
    return Caller(host, oauth, manifest)


EXPIRED = answer({"error": "expired"}, 401)


def test_a_401_refreshes_and_repeats_this_one_request(theirs, service, effect):
    """A token that is refused is refreshed once and the request sent again, whatever its effect."""
    service.on(path(effect), EXPIRED, GOOD)
    call(theirs, effect)
    first, second = service.sent(path(effect))
    assert first.headers["authorization"] == "Bearer access-0"
    assert second.headers["authorization"] == "Bearer access-1"
    assert len(service.sent(TOKEN_PATH)) == 1
    assert theirs.credits == (PAID if effect == "bill" else NOTHING)


def test_a_fresh_token_that_is_refused_too_needs_the_person(theirs, service, effect, host, oauth):
    """Two 401 in a row end in one verdict; no third request and no second refresh is made."""
    service.always(path(effect), EXPIRED)
    with pytest.raises(ReauthorizationError):
        call(theirs, effect)
    assert len(service.sent(path(effect))) == 2
    assert len(service.sent(TOKEN_PATH)) == 1
    assert host.connections.get(oauth.id).status == "needs_reauthorization"
    with pytest.raises(ReauthorizationError):
        call(theirs, effect)
    assert len(service.requests) == 3


def test_a_token_that_was_refused_meanwhile_is_not_sent(theirs, service, host, oauth, clock, effect):
    """A call that waits for quota sends the pair that came of it when another finds its token refused."""
    host.limits.observed("", oauth.quota_scope, EFFECTS[effect][0], (), 50.0)

    def sleeping(seconds):
        clock.sleep(seconds)
        host.refresher.usable(oauth.id, rejected=1)

    host.limits.sleep = sleeping
    service.on(path(effect), GOOD)
    call(theirs, effect)
    assert [sent.headers["authorization"] for sent in service.sent(path(effect))] == ["Bearer access-1"]
    assert theirs.credits == (PAID if effect == "bill" else NOTHING)


def test_what_was_refused_to_others_is_no_verdict_on_the_connection(theirs, service, host, oauth, effect, monkeypatch):
    """A second token that is refused to another while this call waits for quota is being replaced, too: only two
    refusals that the call itself got say that no token is good."""
    waits, permit, refreshing = itertools.count(), host.limits.permit, threading.Event()
    another = threading.Thread(target=host.refresher.usable, args=(oauth.id, 2))

    def slowly(request):
        refreshing.set()
        time.sleep(0.2)
        return service._tokens(request)

    def waiting(*asked):
        if next(waits) == 1:
            service.on(TOKEN_PATH, slowly)
            another.start()
            assert refreshing.wait(10)
        return permit(*asked)

    monkeypatch.setattr(host.limits, "permit", waiting)
    service.on(path(effect), EXPIRED, GOOD)
    call(theirs, effect)
    another.join(10)
    sent = [one.headers["authorization"] for one in service.sent(path(effect))]
    assert sent == ["Bearer access-0", "Bearer access-2"]
    assert host.connections.get(oauth.id).status == "active"


def test_a_refused_token_is_asked_about_again_when_none_is_better(theirs, service, effect):
    """While the refresh can't be sent, each try asks the service once more whether it refuses the token."""
    service.on(path(effect), EXPIRED, GOOD)
    service.on(TOKEN_PATH, NEVER_SENT)
    call(theirs, effect)
    assert [sent.headers["authorization"] for sent in service.sent(path(effect))] == ["Bearer access-0"] * 2


def test_a_refused_key_needs_the_person(caller, service, host, key):
    """A key has nothing to refresh: one request, and later ones aren't sent."""
    service.always("/put", EXPIRED)
    for _ in range(2):
        with pytest.raises(ReauthorizationError):
            call(caller, "upsert")
    assert len(service.requests) == 1
    assert host.connections.get(key.id).status == "needs_reauthorization"


def test_a_permission_that_is_missing_is_remembered(caller, service, host, key):
    """A refusal for want of a right is kept with the connection, which stays active."""
    service.on("/put", answer({"error": "no"}, 403))
    with pytest.raises(PermissionDeniedError):
        call(caller, "upsert")
    found = host.connections.get(key.id)
    assert found.status == "active"
    assert set(found.missed) == {"put"}


def test_a_scope_that_was_not_granted_costs_no_request(host, clock, manifest, service, oauth):
    """What the granted scopes rule out isn't sent."""
    host.connections.replace_credential(
        oauth, replace(host.connections.credential(oauth), scopes=("find_scope",)), "", ""
    )
    caller = Caller(host, oauth, manifest)
    with pytest.raises(PermissionDeniedError, match="put_scope"):
        call(caller, "upsert")
    assert service.requests == []


def test_no_credential_is_in_an_error_or_the_journal(theirs, service, host, home):
    """Whatever goes wrong, neither message nor journal holds a token."""
    service.on("/put", answer({"error": "denied"}, 422))
    with pytest.raises(RejectedError) as caught:
        call(theirs, "upsert")
    assert "access-0" not in repr(caught.value.as_dict()) + repr(theirs.make("put"))
    host.store.close()
    data = b"".join(file.read_bytes() for file in home.iterdir())
    assert b"access-0" not in data


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
    numbers = itertools.count()

    def go():
        for _ in range(2):
            call(caller, "bill", item=str(next(numbers)))

    threads = [threading.Thread(target=go) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(service.requests) == 40
    assert caller.credits == {"spent": 40, "reserved": 0, "paid_twice": 0}
