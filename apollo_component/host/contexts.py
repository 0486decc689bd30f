"""What a connector sees of the host while it makes one request: quota permits, the time allowed, and the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    StoreError,
    TransientError,
    UnreadableReplyError,
)
from ..contract.models import Effect, Page, Reply, Window
from .connections import Connection
from .events import LogEvent
from .journal import FREE, IN_DOUBT, WITHOUT_EFFECT, Entry, Journal, OwnershipLostError
from .leases import Lease
from .limits import NOBODY, Limits
from .logs import bind, log
from .quota import Party

if TYPE_CHECKING:
    from .calls import Call

REQUEST_SECONDS = 60.0
"""How long one request may take, its waiting for quota not counted."""
CALL_SECONDS = 180.0
"""How long one call may take with all its retries and waits for a minute window."""
KEEP_SECONDS = 30.0
"""How long it is tried to write down an answer that is there, when the database can't take it."""
KEEP_PAUSE = 1.0


class RefusedMeanwhileError(CredentialExpiredError):
    """The token in hand is known to be refused, so the request wasn't sent: a newer token is needed first."""


@dataclass(frozen=True, slots=True)
class Means:
    """What contexts work with; all of it shared."""

    limits: Limits
    journal: Journal
    is_refused: Callable[[Connection], bool]
    clock: Callable[[], float]
    sleep: Callable[[float], None]


class FreeContext:
    """The contract's Context for a request outside any run: quota permits and the time allowed, no journal."""

    def __init__(self, means: Means, connection: Connection, lease: Lease | None, party: Party = NOBODY) -> None:
        self._means, self._connection, self._lease, self._party = means, connection, lease, party
        self._permit = ""
        self._give_up = means.clock() + CALL_SECONDS
        self.deadline = moment(means.clock() + REQUEST_SECONDS)

    def now(self) -> datetime:
        return moment(self._means.clock())

    def permit(self, operation: str, quota_class: str) -> None:  # noqa: ARG002  # windows are per operation
        scope = self._connection.quota_scope
        self._permit = self._means.limits.permit(scope, operation, self._give_up, self._party)
        self.deadline = moment(self._means.clock() + REQUEST_SECONDS)
        try:
            if self._means.is_refused(self._connection):
                raise RefusedMeanwhileError("The token was refused to another while this request waited for quota.")
            self._open()
        except ConnectorError:
            self.observed(operation, (), None)
            raise

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        if self._permit:
            self._means.limits.observed(self._permit, self._connection.quota_scope, operation, windows, retry_after)

    def sending(self) -> Reply | None:
        return None

    def received(self, reply: Reply) -> None:  # noqa: ARG002  # nothing is kept of it
        self._means.journal.check_owner(self._lease)

    def _open(self) -> None:
        """After every wait and right before the request leaves."""
        self._means.journal.check_owner(self._lease)


class RunContext(FreeContext):
    """A request of a run: its journal row is committed before it leaves, its answer before it is used."""

    def __init__(
        self,
        means: Means,
        call: "Call",
        connection: Connection,
        doubtful: Entry | None,
        recorded: Entry | None,
    ) -> None:
        super().__init__(means, connection, call.lease, call.party or Party(call.key.run))
        self._call, self._doubtful, self._recorded = call, doubtful, recorded
        self._attempt = recorded.attempt if recorded else 0
        self._status = recorded.reply.status if recorded and recorded.reply else 0
        self._kept = recorded is not None

    def sending(self) -> Reply | None:
        return self._recorded.reply if self._recorded else None

    def received(self, reply: Reply) -> None:
        self._status = reply.status
        if self._attempt:
            self._keep(reply)
            self._kept = True
        else:
            super().received(reply)

    def _keep(self, reply: Reply) -> None:
        """Write the answer down. It may have been paid for, so a database that is busy, full or away gets some time."""
        until = self._means.clock() + KEEP_SECONDS
        while True:
            try:
                return self._means.journal.received(self._call.key, self._attempt, reply)
            except OwnershipLostError:
                raise
            except (StoreError, TransientError):
                if self._means.clock() >= until:
                    raise
            self._means.sleep(KEEP_PAUSE)

    def failed(self, error: ConnectorError) -> None:
        """Close the row of a request that got no answer of the service: it never left, or it is in doubt. A good
        answer that tells of a failure had no effect but what it says that it cost; one that couldn't be written down
        tells nothing, so its row stays open."""
        if not self._attempt:
            return
        key, journal = self._call.key, self._means.journal
        if self._status and not isinstance(error, UnreadableReplyError):
            if self._kept and self._status < 300:
                journal.mark(
                    key, self._attempt, WITHOUT_EFFECT, "its answer told a failure", **FREE | {"spent": error.spent}
                )
            return
        if not isinstance(error, TransientError) or error.worked:
            log(LogEvent.REQUEST_IN_DOUBT, effect=self._call.effect)
            journal.mark(key, self._attempt, IN_DOUBT)
        else:
            journal.mark(key, self._attempt, WITHOUT_EFFECT, "never reached the service", **FREE)

    def settled(self, page: Page) -> None:
        """A recorded answer is settled too: its process may have died right after it was recorded."""
        if self._attempt:
            self._means.journal.settle(self._call.key, self._attempt, page.spent)

    def _open(self) -> None:
        call = self._call
        if not call.journaled:
            super()._open()
        if not call.journaled or self._attempt:
            return
        twice = (call.worst or 0) if self._doubtful and call.effect is Effect.BILL else 0
        self._attempt = self._means.journal.open(
            call.key,
            call.action.id,
            call.effect,
            call.worst,
            call.lease,
            repeat_paid=twice,
            estimated=call.action.raw,
        )
        bind(attempt=self._attempt)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
