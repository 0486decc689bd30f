"""Leases: one owner at a time, told apart from a stalled one."""

import time

from apollo_component.host.clocks import DatabaseClock
from apollo_component.host.leases import Heartbeat, Leases, owns
from apollo_component.host.store import Store

from .conftest import in_threads


def test_one_owner_at_a_time(store, clock):
    """While a lease is held nobody else gets it, from any process on the database."""
    first, second = Leases(store, clock), Leases(store, clock)
    lease = first.acquire("n", 10)
    assert lease
    assert second.acquire("n", 10) is None
    assert second.held("n")
    assert second.acquire("m", 10)


def test_a_lease_ends_by_itself(store, clock):
    """When an owner dies its lease ends, and the next owner has a higher version."""
    leases = Leases(store, clock)
    dead = leases.acquire("n", 10)
    clock.now += 11
    assert not leases.held("n")
    alive = leases.acquire("n", 10)
    assert alive.version == dead.version + 1
    assert not leases.extend(dead, 10)
    with store.read() as connection:
        assert owns(connection, alive)
        assert not owns(connection, dead)


def test_a_stalled_owner_releases_nothing(store, clock):
    """Releasing compares: the lease of a later owner stays."""
    leases = Leases(store, clock)
    dead = leases.acquire("n", 10)
    clock.now += 11
    leases.acquire("n", 10)
    leases.release(dead)
    assert leases.held("n")


def test_a_released_lease_is_free_and_its_version_grows_on(store, clock):
    """Versions never go back, so an old owner can't be taken for a new one."""
    leases = Leases(store, clock)
    versions = []
    for _ in range(3):
        lease = leases.acquire("n", 10)
        versions.append(lease.version)
        leases.release(lease)
    assert versions == [1, 2, 3]
    assert not leases.held("n")


def test_of_many_that_ask_at_once_one_gets_it(store):
    """Of thirty threads that ask together exactly one becomes the owner."""
    leases, won = Leases(store), []

    def go(_number):
        if leases.acquire("n", 10):
            won.append(1)

    in_threads(30, go)
    assert won == [1]


def test_a_heartbeat_keeps_a_lease_and_lets_it_go(store):
    """A lease is held as long as its heartbeat runs, however short it is, and free right after."""
    leases = Leases(store)
    lease = leases.acquire("n", 1)
    with Heartbeat(leases, lease, 1) as beat:
        time.sleep(1.5)
        assert leases.held("n")
        assert not beat.lost.is_set()
    assert not leases.held("n")


def test_a_heartbeat_tells_that_the_lease_was_lost(store, clock):
    """Whoever lost its lease learns it from the heartbeat."""
    leases = Leases(store, clock)
    lease = leases.acquire("n", 0.1)
    clock.now += 1
    leases.acquire("n", 10)
    with Heartbeat(leases, lease, 0.1) as beat:
        assert beat.lost.wait(2)
    assert leases.held("n")


def test_a_clock_that_jumps_takes_no_right_away_unseen(store, clock):
    """After a jump forward another gets the lease, the first is told apart and can't act; a jump back changes
    nothing of that."""
    leases = Leases(store, clock)
    first = leases.acquire("n", 15)
    clock.now += 3600
    second = leases.acquire("n", 15)
    clock.now -= 7200
    assert second.version == first.version + 1
    assert not leases.extend(first, 15)
    assert leases.held("n")
    with store.read() as connection:
        assert owns(connection, second)
        assert not owns(connection, first)


def test_machines_whose_clocks_differ_agree_on_a_lease(postgres):
    """On PostgreSQL the server's clock counts: a machine whose own clock is an hour wrong takes nothing away, and what
    it holds is held for all."""

    def wrong():
        return time.time() + 3600

    url = postgres.database()
    store = Store.open(url)
    try:
        right, late = Leases(store), Leases(store, DatabaseClock(store, wrong))
        assert right.acquire("n", 15)
        assert late.acquire("n", 15) is None
        assert late.acquire("m", 0.2)
        time.sleep(0.3)
        assert right.acquire("m", 15)
    finally:
        store.close()
        postgres.drop(url)
