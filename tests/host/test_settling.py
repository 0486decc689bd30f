"""What happens to an answer the database can't take, and to a request of which only a person knows what became."""

import pytest

from apollo_component.contract.errors import InputError, NotFoundError, OutcomeUnknownError, StoreError, TransientError
from apollo_component.host.journal import Key
from apollo_component.host.leases import Leases

from .conftest import Caller, answer, page

LOST = TransientError("No answer.")
BUSY = TransientError("The database is locked.", worked=False)
FULL = StoreError("The disk is full.")


def failing(function, *errors):
    """The function, after it has raised these."""
    left = list(errors)

    def wrapped(*arguments, **options):
        if left:
            raise left.pop(0)
        return function(*arguments, **options)

    return wrapped


def lost(caller, service, name="blind", path="/blind", **more):
    service.on(path, LOST)
    with pytest.raises(OutcomeUnknownError) as caught:
        caller.page(name, {"name": "A", "items": [1]}, **more)
    return caught.value


@pytest.mark.parametrize("trouble", [BUSY, FULL])
def test_an_answer_waits_for_the_database(caller, service, host, clock, monkeypatch, trouble):
    """An answer that is there is written down as soon as the database takes it; nothing is sent again for that."""
    service.on("/pay", page({"id": 1}))
    monkeypatch.setattr(host.journal, "received", failing(host.journal.received, trouble, trouble))
    assert caller.page("pay", {"items": [1]}).records == [{"id": 1}]
    assert len(service.requests) == 1
    assert (caller.credits["paid_twice"], caller.doubts) == (0, [])


def test_an_answer_the_database_never_takes_is_in_doubt(caller, service, host, clock, monkeypatch):
    """After half a minute it is given up, and the request stays listed."""
    service.on("/blind", answer({"id": 1}))
    monkeypatch.setattr(host.journal, "received", failing(host.journal.received, *[FULL] * 100))
    with pytest.raises(StoreError):
        caller.page("blind")
    assert 30 <= sum(clock.waits) <= 32
    assert caller.doubts == ["outcome unknown"]


@pytest.mark.parametrize("trouble", [BUSY, FULL])
def test_a_quota_that_cant_be_kept_hides_no_answer(caller, service, host, monkeypatch, trouble):
    """A database that can't take what an answer told of quotas makes nobody believe that nothing was sent."""
    service.on("/blind", answer({"id": 1}))
    monkeypatch.setattr(host.limits, "_observe", failing(host.limits._observe, trouble))
    assert caller.page("blind").value == {"id": 1}
    assert len(service.requests) == 1


def test_a_person_says_that_it_was_done(caller, service, host):
    """The request isn't sent again; the record that the person gave stands for its answer."""
    error = lost(caller, service)
    assert f"runs settle {caller.run} --step run --item 0 --as done" in error.hint
    assert host.journal.tell(Key(caller.run, "run", "0"), done=True, record={"id": "made"}) == 1
    found = caller.page("blind", {"name": "A"})
    assert (found.value, found.records, found.warnings) == ({"id": "made"}, [{"id": "made"}], ())
    assert len(service.requests) == 1
    assert caller.doubts == ["had taken effect: a person looked"]


def test_done_without_a_record_says_so(caller, service, host):
    """There is nothing to go on with, and a warning tells why."""
    lost(caller, service)
    host.journal.tell(Key(caller.run, "run", "0"), done=True)
    found = caller.page("blind", {"name": "A"})
    assert (found.value, list(found.records)) == (None, [])
    assert "gave no record" in found.warnings[0]


def test_a_person_says_that_it_was_not_done(caller, service, host):
    """The next time it is sent as if for the first time, once."""
    lost(caller, service)
    host.journal.tell(Key(caller.run, "run", "0"), done=False)
    service.on("/blind", answer({"id": 2}))
    assert caller.page("blind", {"name": "A"}).value == {"id": 2}
    assert caller.page("blind", {"name": "A"}).value == {"id": 2}
    assert len(service.requests) == 2
    assert caller.doubts == ["had not taken effect: a person looked"]


@pytest.mark.parametrize(("done", "spent"), [(True, 1), (False, 0)])
def test_what_a_person_says_settles_the_credits(caller, service, host, done, spent):
    """Done counts with its worst cost, not done costs nothing, and nothing stays reserved."""
    lost(caller, service, "pay", "/pay", on_unknown="stop")
    assert caller.credits["reserved"] == 1
    host.journal.tell(Key(caller.run, "run", "0"), done=done)
    assert caller.credits == {"spent": spent, "reserved": 0, "paid_twice": 0}


def test_only_what_is_in_doubt_can_be_settled(caller, service, host):
    """An answered request, one that was settled, and one that never was are refused."""
    service.on("/blind", answer({"id": 1}))
    caller.page("blind", item="1")
    lost(caller, service)
    host.journal.tell(Key(caller.run, "run", "0"), done=True)
    for item in ("0", "1", "2"):
        with pytest.raises(NotFoundError) as caught:
            host.journal.tell(Key(caller.run, "run", item), done=False)
        assert caught.value.message == "No request of that step and item is in doubt."
        assert caught.value.hint == f"`runs show {caller.run}` lists those that are."


def test_what_is_under_way_cant_be_settled(caller, service, host, clock):
    """While a process drives the run, a request without an answer may still get one."""
    leases = Leases(host.store, clock)
    lease = leases.acquire(f"run:{caller.run}", 60)
    call = caller.make("blind")
    host.journal.open(call.key, "blind", call.effect, 0, lease)
    with pytest.raises(InputError) as caught:
        host.journal.tell(call.key, done=False)
    assert caught.value.message == "The run is under way, and so may be this request."
    assert caught.value.hint == "Wait for it, or stop it."
    leases.release(lease)
    assert host.journal.tell(call.key, done=False) == 1


def test_a_stalled_owner_cant_answer_what_was_settled(caller: Caller, service, host):
    """An answer that comes after a person has spoken changes nothing."""
    call = caller.make("blind")
    attempt = host.journal.open(call.key, "blind", call.effect, 0, None)
    host.journal.tell(call.key, done=True, record={"id": "told"})
    with pytest.raises(TransientError):
        host.journal.received(call.key, attempt, answer({"id": "late"}))
    assert host.caller.page(call).value == {"id": "told"}
