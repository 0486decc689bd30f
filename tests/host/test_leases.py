"""Leases: one owner at a time, told apart from a stalled one."""

import threading
import time

from apollo_component.host.leases import Heartbeat, Leases, owns


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
    leases, gate, won = Leases(store), threading.Barrier(30), []

    def go():
        gate.wait()
        if leases.acquire("n", 10):
            won.append(1)

    threads = [threading.Thread(target=go) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_a_heartbeat_keeps_a_lease_and_lets_it_go(store):
    """A lease is held as long as its heartbeat runs, however short it is, and free right after."""
    leases = Leases(store)
    lease = leases.acquire("n", 0.2)
    with Heartbeat(leases, lease, 0.2) as beat:
        time.sleep(0.5)
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
