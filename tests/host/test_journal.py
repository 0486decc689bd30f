"""The journal: what was sent, what came of it, and what it cost at most."""

import threading

import pytest

from apollo_component.contract.errors import BudgetExhaustedError, ConnectorError
from apollo_component.contract.models import Effect, Reply
from apollo_component.host.journal import (
    FOUND,
    IN_DOUBT,
    RECEIVED,
    SENDING,
    WITHOUT_EFFECT,
    Key,
    OwnershipLostError,
    RunCancelledError,
    state_after,
)
from apollo_component.host.leases import Leases


@pytest.fixture
def run(host):
    return host.runs.create("action", "test", budget=10).id


@pytest.fixture
def key(run):
    return Key(run, "s", "0")


def opened(host, key, worst=1.0, lease=None, **more):
    return host.journal.open(key, "pay", Effect.BILL, worst, lease, **more)


def reply(status=200):
    return Reply(status, {"x-a": "b"}, b'{"a": 1}')


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, RECEIVED),
        (204, RECEIVED),
        (301, WITHOUT_EFFECT),
        (400, WITHOUT_EFFECT),
        (401, WITHOUT_EFFECT),
        (422, WITHOUT_EFFECT),
        (429, WITHOUT_EFFECT),
        (500, IN_DOUBT),
        (502, IN_DOUBT),
        (503, WITHOUT_EFFECT),
        (504, IN_DOUBT),
    ],
)
def test_a_status_tells_whether_there_was_an_effect(status, state):
    """2xx had one, refusals and 503 had none, other 5xx may have had one."""
    assert state_after(status) == state


def test_an_answer_comes_back_as_it_was(host, key):
    """What was received is kept whole: status, headers and body."""
    attempt = opened(host, key)
    assert host.journal.last(key).state == SENDING
    host.journal.received(key, attempt, reply())
    last = host.journal.last(key)
    assert (last.state, last.reply) == (RECEIVED, reply())


def test_attempts_are_counted_and_the_newest_leads(host, key):
    """A repeat is a row of its own; the newest that may have had an effect tells where the request stands."""
    assert (opened(host, key), opened(host, key)) == (1, 2)
    assert host.journal.last(key).attempt == 2
    host.journal.received(key, 2, reply(422))
    assert (host.journal.last(key).attempt, host.journal.last(key).state) == (1, SENDING)
    assert host.journal.last(Key(key.run, "s", "1")) is None


def test_the_worst_cost_is_reserved_and_then_settled(host, key, run):
    """Open and doubtful requests count with their worst cost, answered ones with what they cost, refused ones nothing."""
    attempts = [opened(host, Key(run, "s", str(number)), 2.0) for number in range(4)]
    assert host.journal.spent(run) == {"spent": 0, "reserved": 8, "paid_twice": 0}
    host.journal.received(Key(run, "s", "0"), attempts[0], reply())
    host.journal.settle(Key(run, "s", "0"), attempts[0], 1)
    host.journal.received(Key(run, "s", "1"), attempts[1], reply(422))
    host.journal.mark(Key(run, "s", "2"), attempts[2], IN_DOUBT)
    host.journal.received(Key(run, "s", "3"), attempts[3], reply())
    host.journal.settle(Key(run, "s", "3"), attempts[3], None)
    assert host.journal.spent(run) == {"spent": 1, "reserved": 4, "paid_twice": 0}
    assert host.journal.by_step(run) == {"s": {"spent": 1, "reserved": 4}}


def test_a_budget_is_checked_before_anything_is_noted(host, run):
    """The request that would go over is refused with what would be needed, and leaves no row."""
    for number in range(3):
        opened(host, Key(run, "s", str(number)), 3.0)
    with pytest.raises(BudgetExhaustedError) as caught:
        opened(host, Key(run, "s", "3"), 3.0)
    assert caught.value.needed == 12
    assert host.journal.last(Key(run, "s", "3")) is None
    opened(host, Key(run, "s", "4"), 1.0)
    opened(host, Key(run, "s", "5"), 0.0)


def test_a_cost_without_a_limit_is_refused_under_a_budget(host, key):
    """A request whose worst cost nobody knows can't be covered by any budget; without one it may go."""
    with pytest.raises(ConnectorError, match="limit"):
        opened(host, key, None)
    assert host.journal.last(key) is None
    free = host.runs.create("action", "no budget").id
    assert opened(host, Key(free, "s", "0"), None) == 1


def test_threads_never_reserve_more_than_the_budget(host, run):
    """Of thirty requests of one credit that ask together, ten are let through by a budget of ten."""
    gate, refused = threading.Barrier(30), []

    def go(number):
        gate.wait()
        try:
            opened(host, Key(run, "s", str(number)))
        except BudgetExhaustedError:
            refused.append(number)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 20
    assert host.journal.spent(run)["reserved"] == 10


def test_an_owner_that_lost_its_run_can_not_send(host, key, clock):
    """Without the lease no row is opened; with it one is."""
    leases = Leases(host.store, clock)
    stalled = leases.acquire("run:x", 10)
    assert opened(host, key, lease=stalled) == 1
    clock.now += 11
    owner = leases.acquire("run:x", 10)
    with pytest.raises(OwnershipLostError):
        opened(host, key, lease=stalled)
    assert opened(host, key, lease=owner) == 2


def test_every_doubt_is_listed_with_what_became_of_it(host, run):
    """Open, repeated, found and given up: each in words."""
    for item in ("open", "repeated", "found", "noted"):
        opened(host, Key(run, "s", item))
    opened(host, Key(run, "s", "fine"))
    host.journal.received(Key(run, "s", "fine"), 1, reply())
    host.journal.mark(Key(run, "s", "repeated"), 1, IN_DOUBT)
    opened(host, Key(run, "s", "repeated"), repeat_paid=1)
    host.journal.received(Key(run, "s", "repeated"), 2, reply())
    host.journal.mark(Key(run, "s", "found"), 1, FOUND)
    host.journal.mark(Key(run, "s", "noted"), 1, IN_DOUBT, "not repeated")
    told = {row["item"]: row["outcome"] for row in host.journal.doubtful(run)}
    assert told == {
        "open": "outcome unknown",
        "repeated": "repeated, possibly paid twice",
        "found": "had taken effect: found again by its natural key",
        "noted": "not repeated",
    }
    assert host.journal.spent(run)["paid_twice"] == 1


def test_a_cancelled_run_sends_nothing_more(host, key, run):
    """From the moment a run is cancelled no request of it is let through."""
    opened(host, key)
    host.runs.cancel(run)
    with pytest.raises(RunCancelledError):
        opened(host, Key(run, "s", "1"))
