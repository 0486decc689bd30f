"""One time for all machines that share a database: the database's own."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from .store import Store

Clock = Callable[[], float]
KEPT_SECONDS = 600.0
"""How long what was measured is reckoned on from."""
LEAP_SECONDS = 1.0
"""A machine's clock that ran on by so much more or less than its counter of seconds was set, or the machine slept."""


def shared_clock(store: Store, clock: Clock) -> Clock:
    """The clock that all processes on the database agree on. SQLite is used from one machine, so the machine's own
    will do there; so will any that was handed in."""
    return clock if store.is_sqlite or clock is not time.time else DatabaseClock(store, clock)


class DatabaseClock:
    """The server's time, asked for every ten minutes and reckoned on in between, whatever this machine's clock is set
    to meanwhile. `counter` counts seconds, such as since the machine's start."""

    def __init__(self, store: Store, clock: Clock = time.time, counter: Clock = time.monotonic) -> None:
        self._store, self._clock, self._counter = store, clock, counter
        self._alone = threading.Lock()
        self._last = self._measured()

    def __call__(self) -> float:
        if self._is_old() and self._alone.acquire(blocking=False):  # the others need not wait for the answer
            try:
                self._last = self._measured()
            finally:
                self._alone.release()
        last = self._last
        return last.told + self._counter() - last.counter

    def _is_old(self) -> bool:
        last = self._last
        passed = self._counter() - last.counter
        return passed >= KEPT_SECONDS or abs(self._clock() - last.machine - passed) >= LEAP_SECONDS

    def _measured(self) -> "_Measured":
        """The answer counts as given halfway between the question and its arrival."""
        with self._store.read() as connection:
            connection.execute(sa.text("SELECT 1"))
            before = self._counter()
            told = float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            return _Measured(told, self._clock(), (before + self._counter()) / 2)


class _Measured(NamedTuple):
    """The server's time, and what this machine's clock and counter said then."""

    told: float
    machine: float
    counter: float
