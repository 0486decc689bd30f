"""One time for all machines on a database, whatever their own clocks say."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError
from apollo_component.contract.models import Effect
from apollo_component.host.clocks import KEPT_SECONDS, LEAP_SECONDS, DatabaseClock, shared_clock
from apollo_component.host.journal import Journal, Key
from apollo_component.host.leases import Leases
from apollo_component.host.limits import Limits
from apollo_component.host.store import Store
from apollo_component.host.tables import leases, runs
from apollo_component.host.workflow.backlog import Backlog
from apollo_component.host.workflow.fleet import Workers
from apollo_component.host.workflow.overview import overview

ELSEWHERE = "0123456789ab/77/aaaaaaaaaa"


class Machine:
    """A machine and a database's server: the seconds that passed, and how wrong the machine's clock is."""

    def __init__(self):
        self.seconds, self.wrong, self.slept, self.asked = 1000.0, 90.0, 0.0, 0
        self.delay = 0.0

    def clock(self):
        return self.seconds + self.wrong

    def counter(self):
        return self.seconds - self.slept

    @contextmanager
    def read(self):
        yield self

    def execute(self, statement):
        """Only the question for the time takes its time; the way there and the way back are as long."""
        if "epoch" in str(statement):
            self.asked += 1
            self.told = self.seconds + self.delay
            self.seconds += 2 * self.delay
        return self

    def scalar_one(self):
        return self.told


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def agreed(machine):
    return DatabaseClock(machine, machine.clock, machine.counter)


def test_the_servers_time_is_asked_for_every_ten_minutes(machine, agreed):
    """In between it is reckoned on, so that it costs no statement."""
    for _ in range(5):
        machine.seconds += KEPT_SECONDS / 5 - 0.1
        assert agreed() == machine.seconds
    assert machine.asked == 1
    machine.seconds += 0.5
    assert agreed() == machine.seconds
    assert machine.asked == 2


def test_an_answer_counts_as_given_halfway(machine):
    """However slow the way to the server, it is the same there and back."""
    machine.delay = 3.0
    assert DatabaseClock(machine, machine.clock, machine.counter)() == machine.seconds


@pytest.mark.parametrize("leap", [LEAP_SECONDS, -LEAP_SECONDS, 3600.0, -3600.0])
def test_a_clock_that_is_set_changes_nothing(machine, agreed, leap):
    """Whoever sets a machine's clock moves no lease and no window: the server is asked again, once."""
    machine.wrong += leap
    assert [agreed() for _ in range(3)] == [machine.seconds] * 3
    assert machine.asked == 2
    machine.wrong += LEAP_SECONDS * 0.9
    assert agreed() == machine.seconds
    assert machine.asked == 2


def test_a_machine_that_slept_asks_again(machine, agreed):
    """A counter that stood still while the machine slept doesn't hold the time back."""
    machine.seconds += 60
    machine.slept += 60
    assert agreed() == machine.seconds
    assert machine.asked == 2


def test_while_one_thread_asks_the_others_reckon_on(machine, agreed):
    """A thread that holds a connection to the database never waits for another that needs one."""
    machine.seconds += KEPT_SECONDS
    asks, answers, told, read = threading.Event(), threading.Event(), [], machine.read

    def slow():
        asks.set()
        answers.wait(20)
        return read()

    machine.read = slow
    thread = threading.Thread(target=lambda: told.append(agreed()))
    thread.start()
    assert asks.wait(20)
    assert agreed() == machine.seconds
    answers.set()
    thread.join(20)
    assert told == [machine.seconds]


def test_a_server_that_is_away_is_asked_again_later(machine, agreed):
    """Trouble is told as it is, and nobody is kept from asking once it is over."""
    machine.seconds += KEPT_SECONDS
    read = machine.read

    def away():
        raise InputError("away")

    machine.read = away
    with pytest.raises(InputError):
        agreed()
    machine.read = read
    assert agreed() == machine.seconds
    assert machine.asked == 2


def test_everybody_goes_by_the_servers_time(postgres):
    """Leases, quotas and what is told of a run go by the server's clock without being asked to."""
    url = postgres.database()
    store = Store.open(url)
    try:
        for clock in (Leases(store).clock, Limits(store).shared, Journal(store).shared):
            assert isinstance(clock, DatabaseClock)
            assert abs(clock() - time.time()) < 5
        given = shared_clock(store, time.time)
        assert Leases(store, given).clock is given
        wrong = DatabaseClock(store, lambda: time.time() + 90)
        assert abs(wrong() - time.time()) < 5
    finally:
        store.close()
        postgres.drop(url)


@pytest.mark.sqlite
def test_on_sqlite_it_is_the_machines_own(store):
    """SQLite is used from one machine; a clock that was handed in is used everywhere."""
    assert shared_clock(store, time.time) is time.time
    assert Leases(store).clock is Limits(store).shared is Journal(store).shared is time.time


@pytest.fixture
def fast(host, clock):
    """The same host on a machine whose clock is an hour ahead."""
    return replace(host, clock=lambda: clock() + 3600, shared=clock)


@pytest.fixture
def driven(host, clock):
    """A run that a worker elsewhere drives."""
    values = {"id": "t-1", "kind": "workflow", "title": "feed", "status": "running", "subscription": "feed"}
    values |= {"unattended": True}
    with host.store.write() as connection:
        host.runs.insert(connection, {**values, "workflow": "feed", "text": "", "inputs_json": "{}"})
        lease = {"name": "run:t-1", "owner": ELSEWHERE, "version": 1, "until": clock.now + 20}
        connection.execute(sa.insert(leases).values(**lease))
    return "t-1"


def test_a_machine_whose_clock_is_ahead_takes_no_run_away(fast, driven, clock):
    """What another drives stays its own until its lease ends by the time of the database."""
    assert Backlog(fast)._interrupted(fast.shared()) == []
    looking = Backlog(fast)
    looking._look()
    assert driven not in looking._found
    clock.now += 21
    looking._look()
    assert driven in looking._found


def test_a_machine_whose_clock_is_ahead_shows_the_fleet_as_it_is(fast, driven, clock):
    """Who works is alive, and what it drives is told as its own, wherever one looks."""
    with Workers(fast.store, clock).joined(2) as me:
        with fast.store.write() as connection:
            connection.execute(sa.update(leases).values(owner=f"{me.rpartition('/')[0]}/bbbbbbbbbb"))
        found = overview(fast)
    assert [(worker["id"], worker["state"], worker["busy"]) for worker in found["workers"]] == [(me, "alive", 1)]
    assert [(run["id"], run["worker"]) for run in found["running"]] == [(driven, me)]


def test_what_is_under_way_is_not_told_by_a_wrong_clock(store, clock):
    """A person on a machine whose clock is ahead can't tell what came of a request that is still on its way."""
    here = Journal(store, lambda: clock() + 3600, shared=clock)
    with store.write() as connection:
        values = {"kind": "action", "title": "x", "status": "running", "text": "", "inputs_json": "{}"}
        connection.execute(sa.insert(runs).values(id="t-1", **values, created_at=clock.now, updated_at=clock.now))
    key = Key("t-1", "one", "0")
    here.open(key, "pay", Effect.BILL, 1.0, None)
    assert Leases(store, clock).acquire("run:t-1", 20)
    with pytest.raises(InputError, match="under way"):
        here.tell(key, done=False)
    clock.now += 21
    assert here.tell(key, done=False) == 1
