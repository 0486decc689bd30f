"""The processes that drive durable runs on one database, on whatever machine: who is there, and who has gone."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from ...contract.errors import ConnectorError
from ..leases import is_dead, new_owner
from ..store import PASSING, Store, put
from ..tables import workers

BEAT_SECONDS = 5.0
SILENT_SECONDS = 20.0
"""A worker that gave no sign for so long is told; by then others have taken up its runs."""
FORGET_SECONDS = 86_400.0
"""How long a worker that went without a word is remembered, unless it is known to be dead."""
ALIVE = "alive"
SILENT = "silent"
DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Member:
    """One process. `slots` is how many runs it takes at a time, 0 for a `workflow run`."""

    id: str
    machine: str
    pid: int
    slots: int
    began_at: float
    beat_at: float

    def state(self, now: float) -> str:
        """Whether it lives: dead is certain (its machine says so), silent is not."""
        if is_dead(self.id):
            return DEAD
        return ALIVE if now - self.beat_at <= SILENT_SECONDS else SILENT

    def drives(self, owner: str) -> bool:
        """Whether the owner of a lease is this process."""
        return owner.rpartition("/")[0] == self.id.rpartition("/")[0]


class Workers:
    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store, self.clock = store, clock

    @contextmanager
    def joined(self, slots: int) -> Iterator[str]:
        """Be among the fleet, with a beat in the background; the process's id."""
        now = self.clock()
        me = Member(new_owner(), socket.gethostname()[:200], os.getpid(), slots, now, now)
        self._tidy(now)
        self._beat(me)
        over = threading.Event()
        thread = threading.Thread(target=self._beats, args=(me, over), name="worker beat", daemon=True)
        thread.start()
        try:
            yield me.id
        finally:
            over.set()
            thread.join(timeout=BEAT_SECONDS)
            with suppress(*PASSING):  # then it is forgotten later, as one that died
                self._forget(me)

    def all(self) -> list[Member]:
        """Whoever is known, the longest there first."""
        rows = self.store.rows(sa.select(workers).order_by(workers.c.began_at, workers.c.id))
        return [Member(**row) for row in rows]

    def working(self) -> list[Member]:
        """Those that live and take runs."""
        now = self.clock()
        return [member for member in self.all() if member.slots and member.state(now) == ALIVE]

    def known(self) -> set[str]:
        return {member.id for member in self.all()}

    def _beats(self, me: Member, over: threading.Event) -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                self._beat(me)
            except ConnectorError:  # a database that is away now may answer at the next beat
                continue

    def _beat(self, me: Member) -> None:
        values = {"machine": me.machine, "pid": me.pid, "slots": me.slots, "began_at": me.began_at}
        with self.store.write(_on(me.id)) as connection:
            put(connection, workers, {"id": me.id}, {**values, "beat_at": self.clock()})

    def _tidy(self, now: float) -> None:
        """Forget who is dead, and who went long ago."""
        for member in self.all():
            if is_dead(member.id) or now - member.beat_at > FORGET_SECONDS:
                self._forget(member)

    def _forget(self, member: Member) -> None:
        with self.store.write(_on(member.id)) as connection:
            connection.execute(sa.delete(workers).where(workers.c.id == member.id))


def _on(identity: str) -> str:
    return f"worker:{identity}"
