"""Exactly one refresh per expiry, however many threads, processes and machines find the token expired.

The new pair is on disk before anyone uses it. A refresh whose answer was lost is never repeated blindly: the
old access token tells whether anything happened.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ..contract.errors import (
    GrantRefusedError,
    ReauthorizationError,
    TransientError,
)
from ..contract.models import Credential, Reply, Window
from .connections import Apps, Connection, Connections
from .leases import Lease, Leases
from .registry import Registry
from .store import stamp

LEEWAY = timedelta(seconds=60)
"""A token that ends sooner than this is not used any more."""
AHEAD = 0.8
"""The share of a token's life after which it is refreshed while still good, spread by up to 5 % more."""
LEASE_SECONDS = 90.0
"""Outlives the bounded token call and the check after a lost answer."""
WAIT_SECONDS = 120.0
REST_SECONDS = 300.0
"""After trouble with a refresh ahead of need, the good token is used for this long before the next try."""
_LOST = "The tokens were lost: the service issued a new pair whose answer never arrived, and the old pair is revoked."


class Refresher:
    def __init__(
        self,
        connections: Connections,
        apps: Apps,
        registry: Registry,
        leases: Leases,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connections, self.apps, self.registry, self.leases = connections, apps, registry, leases
        self.clock, self.sleep = clock, sleep
        self._rests_until: dict[str, float] = {}

    def usable(self, identity: str, rejected: int | None = None) -> tuple[Connection, Credential]:
        """Connection and credential fit for a call; `rejected` is the version that just got a 401.

        Raises ReauthorizationError when a person must act, TransientError when the service can't say now.
        """
        until = self.clock() + WAIT_SECONDS
        pause = 0.02
        while True:
            connection, credential = self.connections.current(identity)
            self._refuse_dead(connection)
            needed = self._needed(connection, rejected)
            if not needed and not self._due(connection):
                return connection, credential
            lease = self.leases.acquire(f"refresh:{identity}", LEASE_SECONDS)
            if lease:
                self._refresh_once(identity, connection.version, lease, needed=needed)
            elif not needed:
                return connection, credential
            elif self.clock() > until:
                raise TransientError(
                    "Another process is refreshing this connection and has not finished.",
                    hint="Try again.",
                    worked=False,
                )
            else:
                self.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 1.5, 0.5)

    def _refuse_dead(self, connection: Connection) -> None:
        if connection.status == "needs_reauthorization":
            raise ReauthorizationError(
                f"The connection {connection.name!r} must be authorized again: {connection.reason}",
                hint=f"Link it again under the same name: connect {connection.type} --name {connection.name!r}",
            )

    def _needed(self, connection: Connection, rejected: int | None) -> bool:
        if rejected is not None and connection.version <= rejected:
            return True
        return connection.expires_at is not None and self._now() >= connection.expires_at - LEEWAY

    def _due(self, connection: Connection) -> bool:
        """Ahead of expiry; the spread differs by connection, so that many don't refresh at one moment."""
        if connection.expires_at is None or connection.issued_at is None:
            return False
        if self.clock() < self._rests_until.get(connection.id, 0):
            return False
        spread = random.Random(connection.id).uniform(0, 0.05)
        return self._now() >= connection.issued_at + (connection.expires_at - connection.issued_at) * (AHEAD + spread)

    def _refresh_once(self, identity: str, seen: int, lease: Lease, *, needed: bool) -> None:
        """Under the lease: look again, then send. Trouble of a refresh ahead of need is left for later."""
        try:
            connection, credential = self.connections.current(identity)
            if connection.version > seen:
                return
            self._refuse_dead(connection)
            self._refuse_key(connection, credential)
            self._send(connection, credential)
        except TransientError:
            if needed:
                raise
            self._rests_until[identity] = self.clock() + REST_SECONDS
        finally:
            self.leases.release(lease)

    def _refuse_key(self, connection: Connection, credential: Credential) -> None:
        if not credential.refresh_token:
            reason = "the credential is not accepted and can't be refreshed"
            self.connections.mark(connection, "needs_reauthorization", reason)
            self._refuse_dead(self.connections.get(connection.id))

    def _send(self, connection: Connection, credential: Credential) -> None:
        lost = connection.refresh_sent_at is not None
        if lost:
            self._settle_lost(connection, credential)
        if not self.connections.mark(connection, connection.status, connection.reason, refresh_sent_at=self.clock()):
            return
        try:
            _, app = self.apps.get(connection.app_id or "")
            fresh = self.registry.call(connection.connector, "connector_refresh", credential=credential, app=app)
        except GrantRefusedError as error:
            self._refused(connection, _LOST if lost else error.message)
        except ReauthorizationError as error:
            self._refused(connection, f"{error.message} {error.hint}".strip())
        except TransientError as error:
            self._unsettled(connection, error)
            raise
        else:
            self.connections.replace_credential(connection, fresh, "refreshed", "the tokens were refreshed")

    def _refused(self, connection: Connection, reason: str) -> None:
        """Judge only after reading again: a faster refresh elsewhere may have saved the next pair."""
        if self.connections.mark(connection, "needs_reauthorization", reason, refresh_sent_at=None):
            self._refuse_dead(self.connections.get(connection.id))

    def _unsettled(self, connection: Connection, error: TransientError) -> None:
        """Not sent: nothing happened and all stays as it was. Sent and unanswered: it is unknown."""
        if error.worked:
            reason = "a refresh was sent and its answer was lost; the next use finds out what happened"
            self.connections.mark(connection, "refreshing_unknown", reason)
        else:
            before = stamp(connection.refresh_sent_at)
            self.connections.mark(connection, connection.status, connection.reason, refresh_sent_at=before)

    def _settle_lost(self, connection: Connection, credential: Credential) -> None:
        """An earlier refresh is unknown. While the old access token still works nothing was rotated; once it
        doesn't, the old refresh token is sent once more, which is what follows here."""
        if connection.expires_at is not None and self._now() >= connection.expires_at:
            return
        report = self.registry.call(
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

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


class Unmetered:
    """A context for the few free calls that belong to linking and testing, not to a run."""

    def __init__(self, start: datetime, seconds: float = 30) -> None:
        self.deadline = start + timedelta(seconds=seconds)
        self._start, self._begun = start, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._begun)

    def permit(self, operation: str, quota_class: str) -> None:
        pass

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        pass

    def sending(self) -> Reply | None:
        return None

    def received(self, reply: Reply) -> None:
        pass
