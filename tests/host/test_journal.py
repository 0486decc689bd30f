"""The journal: what was sent, what came of it, and what it cost at most."""

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import BudgetExhaustedError, ConnectorError, InputError
from apollo_component.contract.models import Effect, Reply
from apollo_component.host import tables
from apollo_component.host.daily import PER_DAY
from apollo_component.host.journal import (
    DONE_TOLD,
    FOUND,
    IN_DOUBT,
    NOT_DONE_TOLD,
    RECEIVED,
    SENDING,
    WITHOUT_EFFECT,
    Key,
    OwnershipLostError,
    RunCancelledError,
    state_after,
)
from apollo_component.host.leases import Leases
from tests.host.conftest import START

from .conftest import in_threads


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
        (299, RECEIVED),
        (300, WITHOUT_EFFECT),
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
    refused = []

    def go(number):
        try:
            opened(host, Key(run, "s", str(number)))
        except BudgetExhaustedError:
            refused.append(number)

    in_threads(30, go)
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


def test_a_doubt_is_told_whole(host, run, clock):
    """Where it was, which attempt of what, with what effect, what it may have cost, and in the order of sending."""
    opened(host, Key(run, "b", "2"), 3.0)
    clock.now += 1
    opened(host, Key(run, "a", "1"), 0.0)
    clock.now += 1
    opened(host, Key(run, "a", "1"), 0.0)
    host.journal.received(Key(run, "a", "1"), 2, reply())
    assert host.journal.doubtful(run) == [
        {"step": "b", "item": "2", "attempt": 1, "action": "pay", "effect": "bill", "worst_credits": 3.0,
         "outcome": "outcome unknown", "open": True},
        {"step": "a", "item": "1", "attempt": 1, "action": "pay", "effect": "bill", "worst_credits": 0.0,
         "outcome": "repeated, harmless by its effect", "open": False},
    ]  # fmt: skip


def test_the_newest_doubt_of_a_request_is_no_repeat(host, key, run):
    """An attempt that stands alone, and one whose repeat is open too, are unknown, not repeated."""
    opened(host, key)
    opened(host, key)
    assert [row["outcome"] for row in host.journal.doubtful(run)] == ["outcome unknown"] * 2


def test_a_row_says_whose_it_is(host, key, run, clock):
    """A row keeps the owner's version, 0 where the run has no lease, and when it left and was answered."""
    lease = Leases(host.store, clock).acquire("run:x", 10)
    Leases(host.store, clock).release(lease)
    lease = Leases(host.store, clock).acquire("run:x", 10)
    opened(host, key, lease=lease)
    opened(host, Key(run, "s", "1"))
    clock.now += 2
    host.journal.received(Key(run, "s", "1"), 1, reply(422))
    rows = {row["item"]: row for row in host.store.rows(sa.select(tables.journal))}
    assert (rows["0"]["owner_version"], rows["1"]["owner_version"]) == (2, 0)
    assert (rows["1"]["sent_at"], rows["1"]["received_at"], rows["1"]["status_code"]) == (START, START + 2, 422)
    assert (rows["1"]["spent"], rows["1"]["paid_twice"], rows["1"]["body"]) == (0, 0, None)
    assert (rows["0"]["note"], rows["0"]["effect"], rows["0"]["action"]) == ("", "bill", "pay")
    host.journal.mark(key, 1, FOUND)
    assert host.store.row(sa.select(tables.journal).where(tables.journal.c.item == "0"))["note"] == ""


def test_a_run_that_only_waits_is_looked_after(host, key, run, clock):
    """Nobody waits on for a run that another took over or a person cancelled."""
    leases = Leases(host.store, clock)
    mine = leases.acquire(f"run:{run}", 10)
    host.journal.check_owner(mine)
    host.journal.check_run(run, mine)
    host.journal.check_run(run, None)
    clock.now += 11
    leases.acquire(f"run:{run}", 10)
    for check in (lambda: host.journal.check_owner(mine), lambda: host.journal.check_run(run, mine)):
        with pytest.raises(OwnershipLostError):
            check()
    opened(host, key)
    with pytest.raises(OwnershipLostError):
        host.journal.doubt(key, 1, mine)
    host.runs.cancel(run)
    with pytest.raises(RunCancelledError):
        host.journal.check_run(run, None)


def test_only_an_open_attempt_falls_into_doubt(host, run):
    """What was recorded meanwhile, or refused before any work, isn't in doubt."""
    keys = {item: Key(run, "s", item) for item in ("open", "done", "refused")}
    for key in keys.values():
        opened(host, key)
    host.journal.received(keys["done"], 1, reply())
    host.journal.received(keys["refused"], 1, reply(422))
    assert [host.journal.doubt(key, 1, None) for key in keys.values()] == [True, False, False]
    with pytest.raises(OwnershipLostError):
        host.journal.received(keys["open"], 1, reply())


@pytest.mark.parametrize(
    ("done", "told"), [(True, {1: IN_DOUBT, 2: DONE_TOLD}), (False, dict.fromkeys((1, 2), NOT_DONE_TOLD))]
)
def test_a_person_settles_one_request_whole(host, key, run, done, told):
    """Done, its newest attempt stands for it; not done, none of its attempts counts. Other requests stay as they are."""
    other = Key(run, "s", "1")
    for doubted, attempt in ((other, 1), (key, 1), (key, 2), (other, 2)):
        opened(host, doubted)
        host.journal.mark(doubted, attempt, IN_DOUBT, "no answer")
    assert host.journal.tell(key, done=done) == sum(state != IN_DOUBT for state in told.values())
    rows = host.store.rows(sa.select(tables.journal))
    assert {row["attempt"]: row["state"] for row in rows if row["item"] == key.item} == told
    assert {row["attempt"]: row["state"] for row in rows if row["item"] == other.item} == {1: IN_DOUBT, 2: IN_DOUBT}
    assert all(row["note"] == ("no answer" if row["state"] == IN_DOUBT else "") for row in rows)


@pytest.mark.parametrize(("record", "given"), [({"id": 7}, Reply(200, {}, b'{"id":7}')), (None, None)])
def test_what_a_person_gives_is_an_answer(host, record, given):
    """The record stands for the answer, as a good one; without a record there is none. A cost nobody knows is none."""
    free = Key(host.runs.create("action", "free").id, "s", "0")
    opened(host, free, None)
    host.journal.tell(free, done=True, record=record)
    assert host.journal.last(free).reply == given
    assert host.store.row(sa.select(tables.journal.c.status_code))["status_code"] == 200
    assert host.journal.spent(free.run) == {"spent": 0, "reserved": 0, "paid_twice": 0}


def test_a_budget_is_that_of_the_run(host, run):
    """What a run may spend; None where nothing bounds it or there is no such run."""
    assert host.journal.budget(run) == 10
    assert host.journal.budget(host.runs.create("action", "free").id) is None
    assert host.journal.budget("no such run") is None


def test_a_request_is_found_by_the_end_of_its_item(host, run, clock):
    """The first of a run that had or may have had an effect; signs of patterns mean themselves."""
    other = host.runs.create("action", "other").id
    for of, step, item in ((other, "z", "0:job"), (run, "a", "1:job"), (run, "b", "2:job"), (run, "c", "3%job")):
        opened(host, Key(of, step, item), 0.0)
        clock.now += 1
    assert host.journal.of_run(run, ":job") == Key(run, "a", "1:job")
    assert host.journal.of_run(run, "%job") == Key(run, "c", "3%job")
    host.journal.received(Key(run, "a", "1:job"), 1, reply(422))
    assert host.journal.of_run(run, ":job") == Key(run, "b", "2:job")
    assert host.journal.of_run(run, ":other") is None


def test_costs_nobody_knows_count_for_nothing(host):
    """Without a budget a request whose worst cost is unknown reserves nothing, and nothing at all is zero."""
    free = host.runs.create("action", "free").id
    assert host.journal.spent(free) == {"spent": 0.0, "reserved": 0.0, "paid_twice": 0.0}
    opened(host, Key(free, "s", "0"), None)
    opened(host, Key(free, "t", "0"), 2.0)
    opened(host, Key(free, "t", "1"), 2.0)
    host.journal.settle(Key(free, "t", "1"), 1, 1)
    host.journal.settle(Key(free, "t", "1"), 1, 9)
    assert host.journal.spent(free) == {"spent": 1.0, "reserved": 2.0, "paid_twice": 0.0}
    assert host.journal.by_step(free) == {"s": {"spent": 0.0, "reserved": 0.0}, "t": {"spent": 1.0, "reserved": 2.0}}


def test_the_last_credit_of_a_budget_may_be_used(host, run):
    """A request that takes exactly what is left goes, free ones go on, the next that costs doesn't."""
    opened(host, Key(run, "s", "0"), 10.0)
    opened(host, Key(run, "s", "1"), 0.0)
    with pytest.raises(BudgetExhaustedError):
        opened(host, Key(run, "s", "2"), 0.5)


def test_what_a_refusal_of_the_journal_says(host, run, clock):
    """The words and hints of each, to the letter."""
    with pytest.raises(BudgetExhaustedError) as over:
        opened(host, Key(run, "s", "0"), 12.0)
    assert over.value.as_dict() == {
        "code": "budget_exhausted",
        "message": "The budget of 10 credits doesn't cover the next request: 0 are spent or reserved and it may cost 12.",
        "hint": "Raise the budget to go on; this request was not sent.",
        "exit_code": over.value.exit_code,
        "needed": 12.0,
    }
    with pytest.raises(InputError) as unbounded:
        opened(host, Key(run, "s", "0"), None)
    assert unbounded.value.message == (
        "Nothing limits what this request may cost, so no budget can cover it; nothing was sent."
    )
    assert [problem.as_dict() for problem in unbounded.value.problems] == [
        {"path": "max_credits_per_record", "text": "is required with a budget"}
    ]
    host.runs.cancel(run)
    with pytest.raises(RunCancelledError) as cancelled:
        opened(host, Key(run, "s", "0"))
    assert cancelled.value.message == "The run was cancelled; nothing more was sent."
    lost = Leases(host.store, clock).acquire("run:x", 10)
    Leases(host.store, clock).release(lost)
    with pytest.raises(OwnershipLostError) as other:
        host.journal.check_owner(lost)
    assert (other.value.message, other.value.hint) == (
        "Another process has taken this run over; nothing more is sent.", "Follow it with `runs show`.",
    )  # fmt: skip


@pytest.mark.parametrize(("spent", "allowed"), [(4.0, True), (5.0, False)])
def test_a_day_s_budget_binds_all_runs_of_a_workflow(host, spent, allowed):
    """What other runs of the same workflow spent in 24 hours counts; a request that costs nothing always goes."""
    inputs = {PER_DAY: 6}
    first, second = (host.runs.create("workflow", "w", inputs=inputs, workflow="w").id for _ in range(2))
    opened(host, Key(first, "s", "0"), spent)
    opened(host, Key(second, "s", "free"), 0.0)
    if allowed:
        opened(host, Key(second, "s", "0"), 2.0)
        return
    with pytest.raises(BudgetExhaustedError):
        opened(host, Key(second, "s", "0"), 2.0)
    with pytest.raises(InputError):
        opened(host, Key(second, "s", "0"), None)
