"""Owned leases in the store: who may refresh a connection, who drives a run. One mechanism for both."""

import contextlib
import functools
import hashlib
import os
import secrets
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from ..contract.errors import ConnectorError
from .clocks import Clock, shared_clock
from .events import LogEvent
from .logs import log
from .store import Store, put
from .tables import leases


@dataclass(frozen=True, slots=True)
class Lease:
    """A right that ends by itself. `version` grows with every change of owner, so a stalled one is told apart."""

    name: str
    owner: str
    version: int


class Leases:
    """`owner` is this process (or thread) by a random name.

    Their time is that of the database, so that machines needn't agree. A clock that jumps may end a lease early; what
    its owner still does is told apart by the version.
    """

    def __init__(self, store: Store, clock: Clock = time.time) -> None:
        self.store, self.clock = store, shared_clock(store, clock)

    def acquire(self, name: str, seconds: float) -> Lease | None:
        """The lease, or None while somebody else holds it."""
        with self.store.write(name) as connection:
            now = self.clock()
            row = connection.execute(sa.select(leases).where(leases.c.name == name)).mappings().first()
            if row and holds(row["owner"], row["until"], now):
                return None
            lease = Lease(name, new_owner(), row["version"] + 1 if row else 1)
            values = {"owner": lease.owner, "version": lease.version, "until": now + seconds}
            put(connection, leases, {"name": name}, values)
        if row and row["owner"]:
            log(LogEvent.LEASE_TAKEN, lease=name)
        return lease

    def extend(self, lease: Lease, seconds: float) -> bool:
        """False when the lease was lost: stop, somebody else goes on."""
        with self.store.write(lease.name) as connection:
            until = self.clock() + seconds
            done = connection.execute(sa.update(leases).where(*_mine(lease)).values(until=until))
        return bool(done.rowcount)

    def release(self, lease: Lease) -> None:
        """Compare and release: another owner's lease is left alone, the version is kept."""
        with self.store.write(lease.name) as connection:
            connection.execute(sa.update(leases).where(*_mine(lease)).values(owner="", until=0))

    def held(self, name: str) -> bool:
        with self.store.read() as connection:
            return is_held(connection, name, self.clock())


@functools.cache
def _here() -> str:
    """This machine, boot and process namespace, within which a process id means one process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot, namespace = str(uuid.getnode()), ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]


def new_owner() -> str:
    """A name for something this process holds, at most 32 characters."""
    return f"{_here()}/{os.getpid()}/{secrets.token_hex(5)}"


def is_dead(owner: str) -> bool:
    """Whether the owner was a process of this very machine that is no more: what it held needn't be waited for."""
    place, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if os.name != "posix" or place != _here() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except (OSError, IndexError):
        return False


def is_held(connection: sa.Connection, name: str, now: float) -> bool:
    """Inside a transaction: whether somebody holds this lease; `now` is the database's time."""
    row = connection.execute(sa.select(leases).where(leases.c.name == name)).mappings().first()
    return bool(row and holds(row["owner"], row["until"], now))


def holds(owner: str | None, until: float | None, now: float) -> bool:
    """Whether these columns of a lease say that somebody holds it; both are None where there never was one."""
    return bool(owner and until and until > now and not is_dead(owner))


def owns(connection: sa.Connection, lease: Lease) -> bool:
    """Inside a transaction: whether the lease is still this owner's, so that a stalled one can't act."""
    return connection.execute(owned(lease)).first() is not None


def owned(lease: Lease) -> sa.Select[Any]:
    """Its row while it is this owner's."""
    return sa.select(leases.c.version).where(*_mine(lease))


def _mine(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    return leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.version == lease.version


class Heartbeat:
    """Extends a lease in the background until left; `lost` is set when it could not."""

    def __init__(self, leases_: Leases, lease: Lease, seconds: float) -> None:
        self._leases, self._lease, self._seconds = leases_, lease, seconds
        self._over = threading.Event()
        self.lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {lease.name}", daemon=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the beat and give the lease back; may wait for the database. One that can't be given back ends by
        itself."""
        self._over.set()
        self._thread.join(timeout=5)
        with contextlib.suppress(ConnectorError):
            self._leases.release(self._lease)

    def _beat(self) -> None:
        while not self._over.wait(self._seconds / 4):
            try:
                kept = self._leases.extend(self._lease, self._seconds)
            except Exception:  # noqa: BLE001, S112  # a busy database now may answer at the next beat
                continue
            if not kept:
                log(LogEvent.LEASE_LOST, lease=self._lease.name)
                self.lost.set()
                return
