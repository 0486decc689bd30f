"""One request of a run, done right: credential, quota, journal, retries, and what to do when the answer is lost."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..contract.actions import Action, Lookup
from ..contract.digging import moment as moment_at
from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    IncompleteReplyError,
    NotFoundError,
    OutcomeUnknownError,
    PendingError,
    PermissionDeniedError,
    QuotaError,
    ReauthorizationError,
    TransientError,
    UnreadableReplyError,
)
from ..contract.models import Credential, Effect, Page
from .composed import FIND_PAGES, composed_page
from .connections import Connection, Connections
from .contexts import CALL_SECONDS, FreeContext, Means, RefusedMeanwhileError, RunContext, moment
from .events import LogEvent
from .journal import DONE_TOLD, FOUND, IN_DOUBT, OPEN, RECEIVED, Entry, Journal, Key, OwnershipLostError
from .leases import Lease
from .limits import Limits
from .logs import bound, log
from .quota import Party
from .refreshing import Refresher
from .registry import Registry

T = TypeVar("T")
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
BILL_REPEATS = 2
"""How often one call repeats a billing request whose answer was lost: each repeat may pay again."""
LOOKUP_PAUSE = 3.0
"""Between the two look-ups of a lost create: searches lag behind writes."""
CLOCK_SKEW = 300.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a run. `on_unknown` is `repeat` or `stop`, for billing actions whose answer was lost.

    `poll` asks how late work stands: a read whatever the action is, and "not yet" is an answer, not trouble. `party`
    says whose turn at the quota it is; None: its run's, and somebody waits for it.
    """

    key: Key
    connection: str
    action: Action
    input: Mapping[str, Any] = field(repr=False)
    cursor: str | None = None
    lease: Lease | None = None
    on_unknown: str = "repeat"
    max_credits_per_record: float | None = None
    poll: bool = False
    party: Party | None = None

    @property
    def effect(self) -> Effect:
        return Effect.READ if self.poll else self.action.effect.of(self.input)

    def request(self, hook: Callable[..., Any]) -> Page:
        """The request itself; `hook(name, **arguments)` is how the connector is called."""
        page: Page = hook("connector_execute", action=self.action.id, input=dict(self.input), cursor=self.cursor)
        return page

    @property
    def place(self) -> dict[str, Any]:
        """What the log calls it."""
        step = {"run": self.key.run, "step": self.key.step, "item": self.key.item}
        return {**step, "connection": self.connection, "action": self.action.id}

    @property
    def journaled(self) -> bool:
        """A raw request always is, since only its answer tells whether it was free."""
        charged = self.action.raw or self.action.credits.may_cost(self.input)
        return not self.poll and (charged or self.effect is not Effect.READ)

    @property
    def worst(self) -> float | None:
        return self.action.credits.worst(self.input, self.max_credits_per_record)


Addressed = Callable[[Call, Connection], dict[str, Any]]
"""The input of a request that is about to leave: with the address for a result that comes later."""


class Caller:
    def __init__(
        self,
        registry: Registry,
        connections: Connections,
        refresher: Refresher,
        limits: Limits,
        journal: Journal,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        addressed: Addressed = lambda call, _connection: dict(call.input),
    ) -> None:
        self.addressed = addressed
        self.registry, self.connections, self.refresher = registry, connections, refresher
        self.limits, self.journal = limits, journal
        self.clock, self.sleep = clock, sleep
        self.means = Means(limits, journal, refresher.is_refused, clock, sleep)
        self.prepare: Callable[[Call], Call] = lambda call: call
        """What the input becomes before a request is journaled or sent; may ask the service for what it needs."""

    def page(self, call: Call) -> Page:
        """The page of one call, from the journal when it was recorded before. Raises any ConnectorError."""
        if call.action.compose:
            return composed_page(self, self.prepare(call), call.action.compose)
        doubtful: Entry | None = None
        if call.journaled and (last := self.journal.last(call.key)):
            if last.state == DONE_TOLD:
                return _told_page(last)
            if last.state == RECEIVED and last.reply:
                try:
                    return self._once(call, None, last)
                except UnreadableReplyError:
                    last = self.journal.last(call.key) or last
            if last.state == RECEIVED and not last.reply:
                raise NotFoundError(
                    f"{call.action.title} was done before and its answer has been deleted; it was not repeated.",
                    hint="Start a new run.",
                )
            if last.state in (*OPEN, FOUND):
                doubtful = last
        return self._persistently(self.prepare(call), doubtful)

    def _persistently(self, call: Call, doubtful: Entry | None) -> Page:
        """Retries inside the deadline: refusals before work for any effect, lost answers as the effect allows."""
        until, lost = self.clock() + CALL_SECONDS, 0
        for attempt in range(len(BACKOFF) + 1):
            if doubtful and (found := self._resolve(call, doubtful)):
                return found
            try:
                return self._once(call, doubtful, None)
            except OwnershipLostError:
                raise
            except IncompleteReplyError as error:
                last = self.journal.last(call.key) if call.journaled else None
                raise self._given_up(call, last, error) from None
            except QuotaError as error:
                if error.window in ("hour", "day"):
                    raise
                pause = error.retry_after if error.retry_after is not None else BACKOFF[min(attempt, 5)]
                failure: TransientError = error
            except TransientError as error:
                if call.poll and isinstance(error, PendingError):
                    raise
                pause = error.retry_after if error.retry_after is not None else BACKOFF[min(attempt, 5)]
                failure = error
            last = self.journal.last(call.key) if call.journaled else None
            known = doubtful.attempt if doubtful else 0
            doubtful = last if last and last.state in OPEN else None
            lost += doubtful is not None and doubtful.attempt != known
            dear = call.effect is Effect.BILL and lost > BILL_REPEATS
            if dear or attempt == len(BACKOFF) or self.clock() + pause > until:
                raise self._given_up(call, doubtful, failure)
            log(LogEvent.REQUEST_RETRIED, **call.place, error=failure.code, pause_s=round(pause, 1))
            self.sleep(pause * random.uniform(0.8, 1.2))
        raise AssertionError("unreachable")

    def _resolve(self, call: Call, doubtful: Entry) -> Page | None:
        """What to do about a request whose answer was lost; a page when it is found to have worked."""
        if not self.journal.doubt(call.key, doubtful.attempt, call.lease):
            return self.page(call)
        effect = call.effect
        if effect in (Effect.READ, Effect.UPSERT) or (effect is Effect.BILL and call.on_unknown == "repeat"):
            return None
        found = self._looked_up(call, doubtful) if effect is Effect.CREATE else _Found()
        record = found.record
        if record is None:
            note = "sent, answer lost, not repeated"
            log(LogEvent.REQUEST_UNKNOWN, **call.place, attempt=doubtful.attempt)
            self.journal.mark(call.key, doubtful.attempt, IN_DOUBT, note)
            raise OutcomeUnknownError(
                f"{call.action.title} was sent and its answer was lost; it was not repeated.",
                hint=" ".join(filter(None, (found.undated_text, _how_to_tell(call.key)))),
            )
        log(LogEvent.REQUEST_FOUND, **call.place, attempt=doubtful.attempt)
        self.journal.mark(call.key, doubtful.attempt, FOUND, "found by its natural key", spent=0)
        return Page(records=[record], value=record, total=1)

    def _looked_up(self, call: Call, doubtful: Entry) -> "_Found":
        """The record a lost create made, by its natural key; looked for twice, since searches lag."""
        rule = call.action.effect.lookup
        if rule is None or not all(call.input.get(name) for name in rule.match.values()):
            return _Found()
        for last_try in (False, True):
            undated: list[str] = []
            for record in self._namesakes(call, rule):
                created = moment_at(record, rule.created)
                if created is None:
                    undated.append(str(record.get("id")))
                elif created.timestamp() >= doubtful.sent_at - CLOCK_SKEW:
                    return _Found(record)
            if not last_try:
                self.sleep(LOOKUP_PAUSE)
        return _Found(None, tuple(dict.fromkeys(undated)), rule.created)

    def _namesakes(self, call: Call, rule: Lookup) -> Iterator[Mapping[str, Any]]:
        """The records with the natural key of a create, of all that the search gives: it may ignore what it is
        asked."""
        action = self.registry.manifest(self.connections.get(call.connection).connector).actions[rule.action]
        values = {there: call.input[here] for there, here in rule.input.items() if here in call.input}
        key, cursor = Key(call.key.run, call.key.step, f"{call.key.item}:lookup"), None
        for _ in range(FIND_PAGES):
            asked = Call(key, call.connection, action, values, cursor, lease=call.lease, party=call.party)
            page = self._persistently(asked, None)
            for record in page.records:
                if isinstance(record, Mapping) and all(
                    record.get(there) == call.input[here] for there, here in rule.match.items()
                ):
                    yield record
            cursor = page.next_cursor
            if cursor is None:
                return

    def ask(
        self, identity: str, hook: str, action: str, lease: Lease | None = None, *, party: Party, **arguments: Any
    ) -> Any:
        """What a hook that only reads gives for a connection, outside any run: one request, `action`'s.

        With a lease, an answer that comes after it was lost isn't used. Raises any ConnectorError.
        """

        def once(connection: Connection, credential: Credential) -> Any:
            context = FreeContext(self.means, connection, lease, party)
            with bound(connection=connection.id):
                return self._called(connection, hook, action, credential=credential, context=context, **arguments)

        return self._refreshed(identity, once)

    def _once(self, call: Call, doubtful: Entry | None, recorded: Entry | None) -> Page:
        """One request of a run."""

        def once(connection: Connection, credential: Credential) -> Page:
            with bound(**call.place):
                return self._send(call, connection, credential, doubtful, recorded)

        return self._refreshed(call.connection, once)

    def _refreshed(self, identity: str, once: Callable[[Connection, Credential], T]) -> T:
        """The work with a usable credential, with one refresh when the token turns out to be expired."""
        rejected, refusals = None, 0
        while True:
            connection, credential = self.refresher.usable(identity, rejected)
            try:
                return once(connection, credential)
            except RefusedMeanwhileError:
                pass
            except CredentialExpiredError as error:
                refusals += 1
                if refusals > 1:
                    raise self._refused(connection, error) from None
            rejected = connection.version

    def _refused(self, connection: Connection, error: CredentialExpiredError) -> ConnectorError:
        """The verdict on a connection whose new token is refused like the one before it."""
        reason = "The tokens were lost: the service doesn't accept the pair that it just made."
        if not self.connections.mark(connection, "needs_reauthorization", reason):
            return TransientError("The tokens were replaced just now.", hint="Try again.", worked=False)
        return ReauthorizationError(error.message, hint="Link the account again.")

    def _send(
        self,
        call: Call,
        connection: Connection,
        credential: Credential,
        doubtful: Entry | None,
        recorded: Entry | None,
    ) -> Page:
        context = RunContext(self.means, call, connection, doubtful, recorded)

        def hook(name: str, **arguments: Any) -> Any:
            tried = "" if call.action.raw else call.action.id
            return self._called(connection, name, tried, credential=credential, context=context, **arguments)

        try:
            sent = call if recorded else replace(call, input=self.addressed(call, connection))
            page = sent.request(hook)
        except ConnectorError as error:
            context.failed(error)
            raise
        context.settled(page)
        return self._with_excess(call, page)

    def _with_excess(self, call: Call, page: Page) -> Page:
        """Told when the answer reports a higher cost than was reserved, and what that means for the run's budget."""
        if not call.journaled or call.worst is None or (page.spent or 0) <= call.worst:
            return page
        budget = self.journal.budget(call.key.run)
        exceeded = budget is not None and self.journal.spent(call.key.run)["spent"] > budget
        text = f"This cost {page.spent:g} credits, and {call.worst:g} were reserved for it."
        more = f" The budget of {budget:g} credits is exceeded." if exceeded else ""
        return replace(page, warnings=(*page.warnings, text + more))

    def _called(self, connection: Connection, hook: str, tried: str, **arguments: Any) -> Any:
        """The owner's hook; what a refusal says of the connection is remembered, for `tried` if that is an action."""
        try:
            return self.registry.call(connection.connector, hook, **arguments)
        except ConnectorError as error:
            if isinstance(error, QuotaError) and error.resets_at is None and error.retry_after is not None:
                error.resets_at = moment(self.clock() + error.retry_after)
            if isinstance(error, PermissionDeniedError) and tried and "account" not in error.missing:
                self.connections.remember_miss(connection, tried, error.missing)
            elif isinstance(error, ReauthorizationError):
                self.connections.mark(connection, "needs_reauthorization", error.message)
            raise

    def _given_up(self, call: Call, doubtful: Entry | None, failure: TransientError) -> ConnectorError:
        if doubtful is None or call.effect is Effect.READ:
            return failure
        note = "sent, answer lost, gave up repeating"
        log(LogEvent.REQUEST_UNKNOWN, **call.place, attempt=doubtful.attempt)
        self.journal.mark(call.key, doubtful.attempt, IN_DOUBT, note)
        what = "and no answer could be had" if not isinstance(failure, IncompleteReplyError) else "and answered"
        return OutcomeUnknownError(
            f"{call.action.title} was sent {what} ({failure.message})",
            hint=_how_to_tell(call.key),
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look-up found: the record, or the ids of those that may be it but don't tell when they were made."""

    record: Mapping[str, Any] | None = None
    undated: tuple[str, ...] = ()
    created: tuple[str, ...] = ()

    @property
    def undated_text(self) -> str:
        if not self.undated:
            return ""
        ids, names = ", ".join(self.undated[:10]), " or ".join(self.created)
        return f"What was found with the same key doesn't tell when it was made ({names}), so it wasn't taken: {ids}."


def _how_to_tell(key: Key) -> str:
    return (
        "Look in the account whether it took effect, and tell the run before you go on with it: "
        f"runs settle {key.run} --step {key.step} --item {key.item} --as done (or not-done)."
    )


def _told_page(entry: Entry) -> Page:
    """What a person said that a request gave: one record, or none to go on with."""
    record = json.loads(entry.reply.body) if entry.reply else None
    records = [] if record is None else [record]
    return Page(records=records, value=record, total=len(records), warnings=() if records else (_TOLD_DONE,))


_TOLD_DONE = "A person said that it was done, and gave no record of it."
