"""Who guessed wrong lately: so many wrong tries of one address within a time, and then it must wait."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from ..contract.errors import TransientError

TRIES, TRY_SECONDS = 10, 60.0
"""So many wrong tries from one address within that time."""
ADDRESSES = 1000
"""Remembered at most; those that tried longest ago go first."""


class Tries:
    def __init__(self, clock: Callable[[], float], message: str) -> None:
        self.clock, self.message = clock, message
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TransientError while an address has guessed too often."""
        with self._lock:
            tries = self._recent(address)
            if len(tries) >= TRIES:
                wait = max(1.0, tries[0] + TRY_SECONDS - self.clock())
                raise TransientError(self.message, hint=f"Wait {wait:.0f} seconds.", retry_after=wait)

    def failed(self, address: str) -> None:
        with self._lock:
            self._recent(address).append(self.clock())

    def _recent(self, address: str) -> deque[float]:
        tries = self._tries.setdefault(address, deque())
        self._tries.move_to_end(address)
        while tries and tries[0] <= self.clock() - TRY_SECONDS:
            tries.popleft()
        while len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        return tries
