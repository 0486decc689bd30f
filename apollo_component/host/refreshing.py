"""Exactly one refresh per expiry, however many threads, processes and machines find the token expired.

The new pair is on disk before anyone uses it. A refresh whose answer was lost is never repeated blindly: the
old access token tells whether anything happened. Only the owner of the connection's lease sends and judges; who lost it
meanwhile, because its process stood still, may still save the pair it was given, and that pair is checked before use.
"""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from ..contract.errors import (
    GrantRefusedError,
    ReauthorizationError,
    StoreError,
    TransientError,
)
from ..contract.models import Credential, TestReport
from .connections import Apps, Connection, Connections
from .leases import Heartbeat, Lease, Leases
from .registry import Registry
from .store import stamp
from .unmetered import Unmetered

LEEWAY = timedelta(seconds=60)
"""A token that ends sooner than this is not used any more."""
AHEAD = 0.8
"""The share of a token's life after which it is refreshed while still good, spread by up to 5 % more."""
LEASE_SECONDS = 15.0
"""A heartbeat keeps the lease while its owner works; of an owner on a machine that died it ends after this."""
WAIT_SECONDS = 120.0
"""How long a run waits for somebody else's refresh."""
REST_SECONDS = 300.0
"""After trouble with a refresh ahead of need, the good token is used for this long before the next try."""
RETRY_SECONDS = 1.0
"""After trouble with a refresh that is needed, this process doesn't try again sooner, however many runs want it."""
SAVE_SECONDS = 120.0
"""How long a new pair that the database doesn't take is kept and offered again."""
ACTIVE, UNKNOWN, UNCHECKED, DEAD = "active", "refreshing_unknown", "unchecked", "needs_reauthorization"
_LOST = "The tokens were lost: the service issued a new pair whose answer never arrived, and the old pair is revoked."
_REVOKED = (
    "The tokens were lost: a process stood still in the middle of a refresh, another sent the same refresh token "
    "again, and the service revoked the pair that came of it."
)


class Need(IntEnum):
    """How much a token must be refreshed: not, while it is still good, or before it is used."""

    NONE = 0
    AHEAD = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when a refresh of this version that is needed so much isn't tried again, and what the trouble was."""

    version: int
    until: float
    need: Need
    message: str = ""
    hint: str = ""


class Refresher:
    """`lease_seconds`: how long after an owner's last sign of life another may take its refresh over."""

    def __init__(
        self,
        connections: Connections,
        apps: Apps,
        registry: Registry,
        leases: Leases,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.connections, self.apps, self.registry, self.leases = connections, apps, registry, leases
        self.clock, self.sleep = clock, sleep
        self.lease_seconds = lease_seconds
        self._rests: dict[str, _Rest] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._refused: dict[str, int] = {}

    def usable(self, identity: str, rejected: int | None = None) -> tuple[Connection, Credential]:
        """Connection and credential fit for a call; `rejected` is the version that just got a 401.

        Raises ReauthorizationError when a person must act, TransientError when the service can't say now.
        """
        connection, credential = self.connections.current(identity)
        need = self.need(connection, rejected)
        if need is Need.NONE:
            return connection, credential
        if rejected is not None:
            self._refused[identity] = max(rejected, self._refused.get(identity, 0))
        with self._turn(identity, need) as taken:
            return self._refreshed(identity, rejected) if taken else (connection, credential)

    def is_refused(self, connection: Connection) -> bool:
        """Whether this process knows that the service refuses the token of this version. Who has waited since it
        took the token asks this before sending it."""
        return connection.version <= self._refused.get(connection.id, 0)

    def need(self, connection: Connection, rejected: int | None = None) -> Need:
        """Raises ReauthorizationError for a connection that can't be used until a person acts."""
        if connection.status == DEAD:
            raise ReauthorizationError(
                f"The connection {connection.name!r} must be authorized again: {connection.reason}",
                hint=f"Link it again under the same name: connect {connection.type} --name {connection.name!r}",
            )
        if connection.status == UNCHECKED or (rejected is not None and connection.version <= rejected):
            return Need.NOW
        if connection.expires_at is not None and self._now() >= connection.expires_at - LEEWAY:
            return Need.NOW
        return Need.AHEAD if connection.status == UNKNOWN or self._is_aged(connection) else Need.NONE

    def _is_aged(self, connection: Connection) -> bool:
        """Ahead of expiry; the spread differs by connection, so that many don't refresh at one moment."""
        if connection.expires_at is None or connection.issued_at is None:
            return False
        spread = random.Random(connection.id).uniform(0, 0.05)
        return self._now() >= connection.issued_at + (connection.expires_at - connection.issued_at) * (AHEAD + spread)

    @contextlib.contextmanager
    def _turn(self, identity: str, need: Need) -> Iterator[bool]:
        """One thread of a process asks for the lease, the others wait for it; nobody waits for what can wait."""
        turn = self._turns.setdefault(identity, threading.Lock())
        taken = turn.acquire(timeout=WAIT_SECONDS if need is Need.NOW else 0)
        if not taken and need is Need.NOW:
            raise _busy()
        try:
            yield taken
        finally:
            if taken:
                turn.release()

    def _refreshed(self, identity: str, rejected: int | None) -> tuple[Connection, Credential]:
        """Refresh, or wait until another process has. A token that was just made is used, however short its life."""
        until, pause, first = self.clock() + WAIT_SECONDS, 0.02, None
        while True:
            connection, credential = self.connections.current(identity)
            need = self.need(connection, rejected)
            first = connection.version if first is None else first
            is_new = connection.version > first and connection.status != UNCHECKED
            if need is Need.NONE or is_new or self._rests_now(connection, need):
                return connection, credential
            lease = self.leases.acquire(f"connection:{identity}", self.lease_seconds)
            if lease:
                self._owned(connection, lease, need)
            elif need is Need.AHEAD:
                return connection, credential
            elif self.clock() > until:
                raise _busy()
            else:
                self.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 1.5, 0.5)

    def _rests_now(self, connection: Connection, need: Need) -> bool:
        """Whether trouble is so fresh that the good token is used. Raises it again when there is no good one."""
        rest = self._rests.get(connection.id)
        left = rest.until - self.clock() if rest and rest.need >= need and rest.version == connection.version else 0
        if rest and left > 0 and need is Need.NOW:
            raise TransientError(rest.message, hint=rest.hint, retry_after=left, worked=False)
        return left > 0

    def _owned(self, seen: Connection, lease: Lease, need: Need) -> None:
        """Act under the lease, which is kept alive. Trouble of a refresh ahead of need is left for later."""

        def act() -> None:
            with Heartbeat(self.leases, lease, self.lease_seconds):
                self._act(seen, lease, need)

        try:
            _to_its_end(act)
        except TransientError as error:
            rest = max(REST_SECONDS if need is Need.AHEAD else RETRY_SECONDS, error.retry_after or 0)
            self._rests[seen.id] = _Rest(seen.version, self.clock() + rest, need, error.message, error.hint)
            self._refused.pop(seen.id, None)  # nothing better is to be had, so the service is asked again
            if need is Need.NOW:
                raise

    def _act(self, seen: Connection, lease: Lease, need: Need) -> None:
        """Look again, settle what an earlier refresh left open, then send."""
        connection, credential = self.connections.current(seen.id)
        if connection.version > seen.version:
            return
        self.need(connection)
        if not credential.refresh_token:
            self._judge(connection, lease, "the credential is not accepted and can't be refreshed")
        elif connection.status == UNCHECKED and not self._is_over(connection):
            self._check(connection, credential, lease)
        elif need is Need.AHEAD and connection.refresh_sent_at and self._works(connection, credential):
            self.connections.mark(connection, ACTIVE, "", lease=lease, refresh_sent_at=None)
            self._rests[seen.id] = _Rest(connection.version, self.clock() + REST_SECONDS, need)
        else:
            self._send(connection, credential, lease)

    def _check(self, connection: Connection, credential: Credential, lease: Lease) -> None:
        """A pair that came while others had already sent the old token once more: is it still good?"""
        if self._works(connection, credential):
            self.connections.mark(connection, ACTIVE, "", lease=lease)
        else:
            self._judge(connection, lease, _REVOKED)

    def _send(self, connection: Connection, credential: Credential, lease: Lease) -> None:
        """An earlier refresh that is unknown is settled first: while the old access token works nothing was rotated;
        once it doesn't, the old refresh token is sent once more."""
        _, app = self.apps.get(connection.app_id or "")
        lost = connection.refresh_sent_at is not None
        if lost and not self._is_over(connection):
            self._works(connection, credential)  # raises while nobody answers; sending it then would settle nothing
        sent = self.connections.mark(
            connection, connection.status, connection.reason, lease=lease, refresh_sent_at=self.clock()
        )
        if not sent:
            return
        try:
            fresh = self.registry.call(connection.connector, "connector_refresh", credential=credential, app=app)
        except GrantRefusedError as error:
            self._judge(connection, lease, _LOST if lost else error.message)
        except ReauthorizationError as error:
            self._judge(connection, lease, f"{error.message} {error.hint}".strip())
        except TransientError as error:
            self._unsettled(connection, lease, error)
            raise
        else:
            self._save(connection, fresh, lease)

    def _save(self, connection: Connection, fresh: Credential, lease: Lease) -> None:
        """The pair in hand is the only good one, so a database in trouble is asked again and again. The lease isn't
        needed for it: the newest pair wins, whoever brings it."""
        until = self.clock() + SAVE_SECONDS
        while True:
            try:
                saved = self.connections.replace_credential(
                    connection, fresh, "refreshed", "the tokens were refreshed", lease=lease
                )
                break
            except (StoreError, TransientError) as error:
                if self.clock() > until:
                    text = f"New tokens could not be saved and are lost: {error.message}"
                    raise StoreError(text, hint="Mend the database, then link the account again.") from None
                self.sleep(RETRY_SECONDS)
        if not saved:
            text = "tokens of a refresh came after newer ones were saved, and were dropped"
            self.connections.note(connection, "dropped", text)

    def _judge(self, connection: Connection, lease: Lease, reason: str) -> None:
        """Only the lease's owner judges, and only the version that was refused. Who lost the lease has sent a token
        that another had sent already; what came of that may have ended by it, and is checked before use."""
        if self.connections.mark(connection, DEAD, reason, lease=lease, refresh_sent_at=None):
            return
        newer = self.connections.get(connection.id)
        if newer.version > connection.version and newer.status == ACTIVE:
            self.connections.mark(newer, UNCHECKED, "an old refresh token was sent again after this pair was made")

    def _unsettled(self, connection: Connection, lease: Lease, error: TransientError) -> None:
        """Not sent: nothing happened and all stays as it was. Sent and unanswered: it is unknown."""
        if error.worked:
            reason = "a refresh was sent and its answer was lost; the next use finds out what happened"
            self.connections.mark(connection, UNKNOWN, reason, lease=lease)
        else:
            status, before = connection.status, stamp(connection.refresh_sent_at)
            self.connections.mark(connection, status, connection.reason, lease=lease, refresh_sent_at=before)

    def _works(self, connection: Connection, credential: Credential) -> bool:
        """Whether the access token is accepted. Raises TransientError when the service can't be asked."""
        report: TestReport = self.registry.call(
            connection.connector,
            "connector_test",
            credential=credential,
            actions=(),
            strict=False,
            context=Unmetered(self._now()),
        )
        if report.verdict == "unreachable":
            raise TransientError(
                "An earlier refresh is unsettled and the service can't be reached to find out.",
                hint="Try again later; nothing is lost yet.",
                worked=False,
            )
        return report.verdict != "refused"

    def _is_over(self, connection: Connection) -> bool:
        return connection.expires_at is not None and self._now() >= connection.expires_at

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


def _busy() -> TransientError:
    text = "Another process is refreshing this connection and has not finished."
    return TransientError(text, hint="Try again.", worked=False)


def _to_its_end(act: Callable[[], None]) -> None:
    """Ctrl-C must not lose a pair that is on its way: it is heard once the work is done, which has an end."""
    replaceable = signal.getsignal(signal.SIGINT) is not None  # else it is a handler of C, which can't be put back
    if threading.current_thread() is not threading.main_thread() or not replaceable:
        return act()
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        return act()
    finally:
        signal.signal(signal.SIGINT, before)
        if heard:
            signal.raise_signal(signal.SIGINT)
