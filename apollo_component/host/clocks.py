"""One time for all machines that share a database: the database's own."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from .store import Store

KEPT_SECONDS = 600.0
"""How long a difference that was measured is believed."""


def shared_clock(store: Store, clock: Callable[[], float]) -> Callable[[], float]:
    """The clock that all processes on the database agree on. SQLite is used from one machine, so the machine's own
    will do there; so will any that was handed in."""
    return clock if store.is_sqlite or clock is not time.time else DatabaseClock(store, clock)


class DatabaseClock:
    """The server's time, asked for every ten minutes and reckoned on in between."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._ahead, self._again = 0.0, float("-inf")

    def __call__(self) -> float:
        if time.monotonic() >= self._again:
            self._ahead, self._again = self._measured(), time.monotonic() + KEPT_SECONDS
        return self._clock() + self._ahead

    def _measured(self) -> float:
        """How far the server's clock is ahead of ours; the answer counts as given halfway."""
        with self._store.read() as connection:
            connection.execute(sa.text("SELECT 1"))
            before = self._clock()
            told = float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            return told - (before + self._clock()) / 2
