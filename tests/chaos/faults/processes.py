"""The faults of processes: a child does the work and dies or stands still while its request waits at the door; this
process goes on with the run. Or the database's server is the one that goes."""

import contextlib
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx

from apollo_component.connector import client
from apollo_component.host.deliveries import Expected
from apollo_component.host.workflow.sweeps import LEASE_SECONDS as SWEEP_SECONDS

from . import door
from .bench import Target, World
from .strikes import when_answered
from .works import Delivery, Effect, Evidence, Work

SECONDS = 60.0
LEASE_SECONDS = 30.0


def killed(work: Work, *, before: bool) -> Evidence:
    """SIGKILL while the request waits, before the service works on it or after; a delivery, before it is kept or
    after."""
    if isinstance(work, Delivery):
        return _received(work, before=before)
    pid = _begun(work, before=before)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    work.world.door.calm()
    return _gone_on(work)


def stopped(work: Work) -> Evidence:
    """SIGSTOP while the answer waits. Another owner takes the run over; then the first one wakes and gets its answer.
    A delivery is kept when the service has given up waiting for an answer."""
    if isinstance(work, Delivery):
        return _received(work, before=True, kill=False)
    pid = _begun(work, before=False)
    os.kill(pid, signal.SIGSTOP)
    work.world.clock.moved += 2 * max(LEASE_SECONDS, SWEEP_SECONDS)
    _own(work)
    found = _gone_on(work)
    saw = work.world.worked(work.target.operation), work.world.doubts
    os.kill(pid, signal.SIGCONT)
    work.world.door.calm()
    os.waitpid(pid, 0)
    assert saw == (work.world.worked(work.target.operation), work.world.doubts), "who had lost the run did something"
    work.look()
    return found


def restarted(work: Work) -> Evidence:
    """PostgreSQL goes while the answer is on its way, and is there again when the host waits for it."""

    def halted(world: World, target: Target) -> None:
        _own(work)
        when_answered(world, target, world.halt)
        world.clock.when_waiting = world.heal

    return work.run(halted)


def _begun(work: Work, *, before: bool) -> int:
    """A child that does the work, once its request waits at the door."""
    work.link()
    work.prepare()
    _own(work)
    work.world.begin_anew()
    work.world.door.strikes.append(door.Strike(work.target.path, before, door.hold))
    pid = _forked(work, work.attempt)
    assert work.world.door.held.wait(SECONDS), "the request never came"
    return pid


def _forked(work: Work, do: Callable[[], None]) -> int:
    """A child with connections of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the threads here hold no lock that a child needs
        pid = os.fork()
    if not pid:
        try:
            work.world.store.engine.dispose(close=False)
            client.shared_client.cache_clear()
            do()
        finally:
            os._exit(0)
    return pid


def _received(work: Delivery, *, before: bool, kill: bool = True) -> Evidence:
    """A child that receives deliveries stands still in the first one and is killed there, and this process receives
    what comes again. Or it is stopped until the service gives up, and receives it again itself."""
    work.link()
    work.prepare()
    work.world.begin_anew()
    (told, tell), (waits, go_on) = os.pipe(), os.pipe()
    pid = _forked(work, lambda: _receive(work, before, tell, waits))
    os.close(tell)
    assert os.read(told, 1), "nobody receives"
    service = threading.Thread(target=_come, args=(work,))
    service.start()
    assert os.read(told, 1), "nothing came"
    os.kill(pid, signal.SIGKILL if kill else signal.SIGSTOP)
    if kill:
        os.waitpid(pid, 0)
    service.join(SECONDS)
    while any(one["state"] == "sending" for one in work.world.sandbox.ask("/webhooks")):
        time.sleep(0.1)
    os.close(go_on)
    with work.open() if kill else _awake(pid):
        work.come_again()
    os.close(told)
    os.close(waits)
    return work.found


def _come(work: Delivery) -> None:
    with contextlib.suppress(httpx.TimeoutException):  # the service has more patience than we
        work.come()


def _receive(work: Delivery, before: bool, tell: int, waits: int) -> None:
    """Receive deliveries; in the first one tell so, and wait until there is something to read."""
    keep, first = work.world.host.deliveries.keep, iter([True])

    def kept(expected: Expected, body: bytes) -> bool:
        done = False if before else keep(expected, body)
        if next(first, False):
            os.write(tell, b"2")
            select.select([waits], [], [], SECONDS)
        return keep(expected, body) if before else done

    work.world.host.deliveries.keep = kept  # type: ignore[method-assign]
    with work.open():
        os.write(tell, b"1")
        time.sleep(2 * SECONDS)


@contextlib.contextmanager
def _awake(pid: int) -> Iterator[None]:
    """A child that was stopped goes on, and is ended at last."""
    os.kill(pid, signal.SIGCONT)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _own(work: Work) -> None:
    """From now on this process drives the run."""
    if isinstance(work, Effect):
        lease = work.world.host.leases.acquire(f"run:{work.world.run}", LEASE_SECONDS)
        work.call = replace(work.call, lease=lease)


def _gone_on(work: Work) -> Evidence:
    work.world.clock.moved += 1
    work.found.worked_at_first = work.world.worked(work.target.operation)
    work.attempt()
    if (error := work.found.tries[-1]) and error.code != "outcome_unknown":
        work.go_on(error)
        work.attempt()
    work.found.worked = work.world.worked(work.target.operation)
    work.found.doubts = work.world.doubts
    work.look()
    return work.found


ON_SERVER = {"restarted"}
"""These need a database on a server."""
PROCESSES: dict[str, Callable[[Work], Evidence]] = {
    "killed_before": lambda work: killed(work, before=True),
    "killed_after": lambda work: killed(work, before=False),
    "stopped": stopped,
    "restarted": restarted,
}
