"""What a worker may take up: runs that a trigger, a schedule or a page started, and that nobody drives."""

import itertools
import random
from collections.abc import Iterator

import sqlalchemy as sa

from ...contract.errors import ConnectorError
from ..events import LogEvent
from ..host import Host
from ..leases import Lease, holds
from ..logs import log
from ..runs import ENDED, LEASE, LEASED, QUEUED, RUNNING, WAITING, Run
from ..tables import runs
from .driver import released

LEASE_SECONDS = 20.0
"""How long a run stays its worker's without a sign of life; then a worker on any machine takes it up. A worker that
was killed on the same machine is noticed at once."""
AHEAD = 50
"""How many runs are looked at in one round."""
KEPT_SECONDS = 2.0
"""How long what was found is taken from before the database is asked again."""
WAITING_SECONDS = 2.0
"""How often waiting runs are looked at, `AHEAD` of them each time."""
_MINE = runs.c.unattended


class Backlog:
    """Several workers look at the same backlog: each takes what it found in an order of its own, so that they seldom
    want the same run, and the lease decides when they do."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._found: list[str] = []
        self._until = self._look_at_waiting = 0.0
        self._after = ""

    def taken(self, room: int, driving: frozenset[str]) -> list[tuple[Run, Lease]]:
        """At most `room` runs to drive, each with its lease; `driving` are this worker's own."""
        return list(itertools.islice(self._taken(driving), room))

    def stale(self) -> None:
        """There is something new."""
        self._until = 0.0

    def _taken(self, driving: frozenset[str]) -> Iterator[tuple[Run, Lease]]:
        if not self._found or self.host.clock() >= self._until:
            self._look()
        while self._found:
            identity = self._found.pop()
            if identity not in driving and (taken := self._claimed(identity)):
                yield taken

    def _look(self) -> None:
        """What was interrupted first, then what can go on, then what is new."""
        now = self.host.clock()
        self._until = now + KEPT_SECONDS
        found = self._interrupted(self.host.shared())
        if now >= self._look_at_waiting:
            self._look_at_waiting = now + WAITING_SECONDS
            found += self._waiting()
        query = sa.select(runs.c.id).where(_MINE, runs.c.status == QUEUED).order_by(runs.c.created_at).limit(AHEAD)
        queued = [str(row["id"]) for row in self.host.store.rows(query)]
        random.shuffle(queued)
        self._found = [*queued, *reversed(found)]

    def _interrupted(self, now: float) -> list[str]:
        """Runs that say running and whose owner let go, fell silent, or is dead."""
        query = sa.select(runs.c.id, *LEASE).select_from(LEASED).where(_MINE, runs.c.status == RUNNING)
        rows = self.host.store.rows(query.order_by(runs.c.created_at))
        return [row["id"] for row in rows if not holds(row["owner"], row["until"], now)][:AHEAD]

    def _waiting(self) -> list[str]:
        """The next of the waiting runs, round and round, that have what they waited for."""
        query = sa.select(runs.c.id).where(_MINE, runs.c.status.in_(WAITING))
        page = [str(row["id"]) for row in self.host.store.rows(_after(query, self._after))]
        if not page and self._after:
            page = [str(row["id"]) for row in self.host.store.rows(_after(query, ""))]
        self._after = page[-1] if len(page) == AHEAD else ""
        return [identity for identity in page if _can_go_on(self.host, self.host.runs.get(identity))]

    def _claimed(self, identity: str) -> tuple[Run, Lease] | None:
        """None when another has it, or it ended or was held up since it was found."""
        lease = self.host.leases.acquire(f"run:{identity}", LEASE_SECONDS)
        if lease is None:
            return None
        run = self.host.runs.get(identity)
        if run.status in ENDED or not _can_go_on(self.host, run):
            self.host.leases.release(lease)
            return None
        if run.status == RUNNING:
            log(LogEvent.WORKER_TOOK_OVER, run=identity)
        self.host.runs.update(identity, RUNNING, run.detail, lease)
        return run, lease


def _after(query: sa.Select[tuple[str]], identity: str) -> sa.Select[tuple[str]]:
    return query.where(runs.c.id > identity).order_by(runs.c.id).limit(AHEAD)


def _can_go_on(host: Host, run: Run) -> bool:
    try:
        return run.status in (QUEUED, RUNNING) or released(host, run, run.status, run.detail)
    except (ConnectorError, KeyError):
        return False
