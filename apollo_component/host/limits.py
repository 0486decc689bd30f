"""Quota shared by every thread, process and machine on one database, led by what the answers' headers say."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa

from ..contract.errors import QuotaError, StoreError, TransientError
from ..contract.models import Window
from .clocks import Clock, shared_clock
from .events import LogEvent
from .leases import is_dead, new_owner
from .logs import log
from .quota import Block, Party, Quota
from .store import Store, put
from .tables import quotas

RESERVE = 0.1
"""The share of each window that background work leaves for interactive calls."""
TOLD_SECONDS = 2.0
"""A wait for quota that is longer is told."""
PAUSE_SECONDS = 0.02
LONGEST_PAUSE, FIRST_PAUSE = 0.5, 0.1
"""The pauses between asking again grow up to this; whose turn is next asks more often."""
LOOK_SECONDS = 5.0
"""A wait for a window is interrupted so often, to see whether somebody has learnt better."""
NOBODY = Party()


class Limits:
    """`clock` is this process's, in which callers speak; `shared` the one that all on the database agree on. `reserve`
    is a share of each window, 0 to keep none."""

    def __init__(
        self,
        store: Store,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        notice: Callable[[str], None] = lambda _text: None,
        *,
        reserve: float = RESERVE,
        shared: Clock | None = None,
    ) -> None:
        self.store, self.clock, self.sleep, self.notice = store, clock, sleep, notice
        self.reserve, self.shared = reserve, shared or shared_clock(store, clock)
        self._told: set[tuple[str, str, int]] = set()
        self._lines: WeakValueDictionary[tuple[str, str, Party], _Line] = WeakValueDictionary()
        self._guard = threading.Lock()
        self._owed: deque[tuple[str, str, str, Sequence[Window], float | None]] = deque()

    def permit(self, scope: str, operation: str, deadline: float, party: Party = NOBODY) -> str:
        """A permit's id. Waits for its turn and for a minute window inside `deadline` (epoch seconds).

        Raises QuotaError naming the window and its reset when it is an hour's or a day's, or too far off.
        """
        with self._line(scope, operation, party, deadline):
            pause = PAUSE_SECONDS
            while isinstance(taken := self._try(scope, operation, party, deadline, pause), Block):
                until = taken.until - self._ahead()
                wait = max(0.0, until - self.clock()) if taken.window else pause
                if wait > TOLD_SECONDS:
                    self._tell(operation, taken.window, until)
                self.sleep(min(wait, LOOK_SECONDS) + random_share(pause))
                pause = min(pause * 1.5, FIRST_PAUSE if taken.first else LONGEST_PAUSE)
            return taken

    def observed(
        self, permit: str, scope: str, operation: str, told: Sequence[Window], retry_after: float | None
    ) -> None:
        """Give the permit back and keep what the answer told. Trouble with the database must not hide the answer that
        is there: what can't be kept now is owed, and kept before the next permit is asked for."""
        try:
            self._observe(permit, scope, operation, told, retry_after)
        except (StoreError, TransientError):
            self._owed.append((permit, scope, operation, told, retry_after))

    def _observe(
        self, permit: str, scope: str, operation: str, told: Sequence[Window], retry_after: float | None
    ) -> None:
        with self._quota(scope, operation) as held:
            held.quota = held.quota.told(permit, told, retry_after, held.now)

    def _pay(self) -> None:
        for _ in range(len(self._owed)):
            with suppress(IndexError):  # another thread was faster
                self.observed(*self._owed.popleft())

    def of(self, scope: str) -> list[dict[str, Any]]:
        """What is known of a team's windows, for people."""
        rows = self.store.rows(sa.select(quotas).where(quotas.c.scope == scope).order_by(quotas.c.operation))
        return [
            {
                "operation": row["operation"],
                "window": name,
                "limit": window.limit,
                "left": window.left,
                "resets_at": datetime.fromtimestamp(window.resets_at - self._ahead(), UTC).isoformat(),
            }
            for row in rows
            for name, window in Quota.loads(row["state_json"]).windows.items()
        ]

    def in_flight(self) -> int:
        """How many permits are out, of all operations and teams."""
        return sum(len(Quota.loads(row["state_json"]).permits) for row in self.store.rows(sa.select(quotas)))

    def _try(self, scope: str, operation: str, party: Party, deadline: float, pause: float) -> str | Block:
        """A permit, or what is in the way while the party stands in the queue. Raises QuotaError when waiting is no
        use."""
        self._pay()
        with self._quota(scope, operation) as held:
            quota = held.quota.at(held.now)
            block = quota.block(party, held.now, self.reserve)
            if block and (dead := [name for name in quota.permits if is_dead(name)]):
                quota = quota.without(dead)
                block = quota.block(party, held.now, self.reserve)
            if block is None:
                identity = new_owner()
                held.quota = quota.granted(identity, party, held.now)
                return identity
            until = max(block.until, held.now) if block.window else held.now + pause
            if block.window not in ("hour", "day") and until - held.ahead <= deadline:
                held.quota = quota.waiting(party, min(until, held.now + LOOK_SECONDS))
                return block
        raise quota_error(block.window, block.until - held.ahead, kept=block.kept)

    @contextmanager
    def _quota(self, scope: str, operation: str) -> Iterator["_Held"]:
        """What is known of one operation, alone, stored again when it was changed."""
        place = {"scope": scope, "operation": operation}
        query = sa.select(quotas.c.state_json).where(quotas.c.scope == scope, quotas.c.operation == operation)
        now, ahead = self.shared(), self._ahead()
        with self.store.write(f"quota:{scope}:{operation}", durable=False) as connection:
            text = connection.execute(query).scalar()
            before = Quota.loads(text) if text else Quota()
            held = _Held(before, now, ahead)
            yield held
            if held.quota is not before:
                put(connection, quotas, place, {"state_json": held.quota.dumps()})

    @contextmanager
    def _line(self, scope: str, operation: str, party: Party, deadline: float) -> Iterator[None]:
        """Of all threads of a party here one asks, the others stand behind it: many threads ask no more than one."""
        with self._guard:
            line = self._lines.setdefault((scope, operation, party), _Line())
        if not line.lock.acquire(timeout=max(0.0, min(deadline - self.clock(), threading.TIMEOUT_MAX))):
            raise quota_error("", self.clock())
        try:
            yield
        finally:
            line.lock.release()

    def _ahead(self) -> float:
        """How far the shared clock is ahead of this process's."""
        return 0.0 if self.shared is self.clock else self.shared() - self.clock()

    def _tell(self, operation: str, window: str, resets_at: float) -> None:
        """Once for each wait, and once a minute, however many threads wait."""
        place = (operation, window, int(resets_at // 60))
        if place not in self._told:
            self._told.add(place)
            log(LogEvent.QUOTA_WAITED, window=window, pause_s=round(resets_at - self.clock(), 1))
            until = datetime.fromtimestamp(resets_at, UTC)
            self.notice(f"waiting for the {window} quota of {operation} until {until:%H:%M:%S} UTC")


class _Held:
    """A quota inside a transaction; `now` by the shared clock, `ahead` what that is ahead of this process's."""

    def __init__(self, quota: Quota, now: float, ahead: float) -> None:
        self.quota, self.now, self.ahead = quota, now, ahead


class _Line:
    """The threads of one party in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def quota_error(window: str, resets_at: float, *, kept: bool = False) -> QuotaError:
    moment = datetime.fromtimestamp(resets_at, UTC)
    rest = ", but for what is kept for interactive use" if kept else ""
    return QuotaError(
        f"The {window or 'request'} quota is used up until {moment:%Y-%m-%d %H:%M:%S} UTC{rest}.",
        window=window,
        resets_at=moment,
        hint="Run again after that time; a workflow waits by itself.",
    )


def random_share(seconds: float) -> float:
    """Jitter, so that waiting threads don't wake as one."""
    return secrets.randbelow(1000) / 1000 * seconds
