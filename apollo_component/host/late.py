"""Waits for results that come after the answer: a delivery if there is one, else by asking; then one whole record.

The request is journaled like any other. What is waited for comes from its recorded answer, so a restarted process
goes on waiting without sending anything again, until the same moment: it is counted from when the request was sent.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..contract.errors import (
    ConnectorError,
    CreditsExhaustedError,
    GoneError,
    NotFoundError,
    PendingError,
    PermissionDeniedError,
    QuotaError,
    ReauthorizationError,
    RejectedError,
    TransientError,
    WrongServerError,
)
from ..contract.models import Late, Page
from ..contract.waits import Standing, Wait
from .calls import Call, Caller
from .deliveries import Deliveries
from .journal import OwnershipLostError

SLICE_SECONDS = 1.0
"""How often a waiter looks for a delivery, and whether the run goes on."""
SLOWER = 6
"""When a delivery is expected, the service is asked so much more seldom."""
TOLD_SECONDS = 5.0
REPEATED_SECONDS = 60.0
_FINAL = (NotFoundError, RejectedError, PermissionDeniedError, CreditsExhaustedError)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the waiting: the last question's page (None for a delivery), the result, or why there is none.
    `error` is the refusal that ended it."""

    page: Page | None = None
    result: Any = None
    problem: str = ""
    failed: bool = False
    error: ConnectorError | None = None

    @property
    def gone(self) -> bool:
        """Whether the service had the result and has it no longer."""
        return isinstance(self.error, GoneError)


class Count:
    """Tells how many results are still waited for: on every change at most every few seconds, else once a minute."""

    def __init__(self, total: int, say: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self.left, self.say, self.clock = total, say, clock
        self._told: tuple[int, float] = (0, 0.0)
        self._lock = threading.Lock()

    def tick(self) -> None:
        with self._lock:
            count, at = self._told
            if self.clock() - at < (TOLD_SECONDS if count != self.left else REPEATED_SECONDS):
                return
            self._told = (self.left, self.clock())
            self.say(f"waiting for {self.left:,} late result{'s'[: self.left != 1]}")

    def done(self) -> None:
        with self._lock:
            self.left -= 1


class Waiter:
    def __init__(self, caller: Caller, deliveries: Deliveries) -> None:
        self.caller, self.deliveries = caller, deliveries
        self.clock, self.sleep, self.journal = caller.clock, caller.sleep, caller.journal

    def page(self, call: Call, wait: bool | None = None) -> Page:
        """The page of a call. Something asked for that isn't ready yet is a page without records that tells so."""
        if call.journaled or call.action.wait is None:
            return self.caller.page(call)
        try:
            return self.caller.page(replace(call, poll=True))
        except PendingError:
            if not self.wanted(call, wait):
                raise
            return Page(late=Late(dict(call.input)))

    def finished(
        self, calls: Sequence[Call], pages: Iterable[Page], wait: bool | None, say: Callable[[str], None]
    ) -> Iterator[Page]:
        """The pages of calls, each with what came late. All requests are made first, so that the waits overlap."""
        rule = calls[0].action.wait
        if rule is None or not rule.expected(calls[0].input):
            yield from pages
            return
        if not self.wanted(calls[0], wait):
            yield from (_unwaited(rule, page) for page in pages)
            return
        held, failure = _held(pages)
        yield from self._waited(rule, list(zip(calls, held, strict=False)), say)
        if failure:
            raise failure

    def _waited(self, rule: Wait, held: Sequence[tuple[Call, Page]], say: Callable[[str], None]) -> Iterator[Page]:
        count = Count(sum(page.late is not None for _, page in held), say, self.clock)
        for number, (call, page) in enumerate(held):
            try:
                done = self._last_chance(call, rule, page, count)
            except KeyboardInterrupt:
                yield from (self._given_up(rule, *left) for left in held[number:])
                raise
            yield done

    def _given_up(self, rule: Wait, call: Call, page: Page) -> Page:
        """What was paid for is handed out although nobody waits for the rest."""
        if not page.late or not page.records:
            return page
        return self._without(call, rule, page, Found(problem="Not waited for any longer."))

    def _last_chance(self, call: Call, rule: Wait, page: Page, count: Count) -> Page:
        """Such a run can't be resumed, so a record that was paid for comes although nobody may ask any more."""
        try:
            return self.finish(call, page, True, count)
        except (ReauthorizationError, WrongServerError) as error:
            return self._without(call, rule, page, Found(problem=_told(error)))

    def wanted(self, call: Call, wait: bool | None) -> bool:
        """Whether to wait: as told, else unless the result goes to an address of the person's own."""
        rule = call.action.wait
        own = rule is not None and rule.callback is not None and bool(call.input.get(rule.callback.url))
        return not own if wait is None else wait

    def finish(self, call: Call, page: Page, wait: bool | None, count: Count) -> Page:
        """The page once its late part is there, merged by id and in the same order.

        When it doesn't come the page stays as it came, keeps `late`, and a warning says what was paid and how to
        fetch it. Raises RejectedError for failed work that the manifest calls an error.
        """
        rule = call.action.wait
        if page.late is None or rule is None:
            return page
        if not self.wanted(call, wait):
            return _unwaited(rule, page)
        found = self._found(call, rule, page.late, count)
        count.done()
        if found.problem:
            return self._without(call, rule, page, found)
        return self._with(call, rule, page, page.late, found)

    def _found(self, call: Call, rule: Wait, late: Late, count: Count) -> Found:
        """Look for a delivery at every step and ask at its own pace; one last time when the time is over."""
        last = self.journal.last(call.key) if call.journaled else None
        begun = last.sent_at if last else self.clock()
        expected = bool(rule.callback and self.deliveries.of(call.key))
        connector = self.caller.connections.get(call.connection).connector
        end, pace = begun + rule.timeout, rule.every * (SLOWER if expected else 1)
        due = begun + pace
        while True:
            self.journal.check_run(call.key.run, call.lease)
            if expected and (payload := self.deliveries.arrived(call.key, connector, late.ids)) is not None:
                return Found(result=payload)
            over = self.clock() >= end
            if over or self.clock() >= due:
                found, pause = self._ask(call, rule, late, connector)
                if found or over:
                    return found or Found(problem=f"Nothing has arrived within {_span(rule.timeout)}.")
                due = self.clock() + max(pause or 0.0, pace)
            count.tick()
            self.sleep(max(0.0, min(SLICE_SECONDS, min(due, end) - self.clock())))

    def _ask(self, call: Call, rule: Wait, late: Late, connector: str) -> tuple[Found | None, float | None]:
        """What there is, or how long the service wants to be left alone. Trouble on the way is no failure."""
        action = self.caller.registry.manifest(connector).actions[rule.action]
        place = replace(call.key, item=f"{call.key.item}:late"[:40])
        try:
            page = self.caller.page(
                Call(place, call.connection, action, late.input, lease=call.lease, poll=True, party=call.party)
            )
        except OwnershipLostError:
            raise
        except QuotaError as error:
            seconds = error.resets_at.timestamp() - self.clock() if error.resets_at else error.retry_after
            return None, seconds
        except TransientError as error:
            return None, error.retry_after
        except _FINAL as error:
            if error.code in rule.pending and not isinstance(error, GoneError):
                return None, None
            return Found(problem=_told(error), error=error), None
        standing = rule.standing(page.value)
        if standing is Standing.WORKING:
            return None, rule.pause(page.value)
        if standing is Standing.FAILED:
            why = rule.why(page.value)
            return Found(page, problem=f"It failed{f': {why}' if why else ''}.", failed=True), None
        result = rule.part(page.value)
        return Found(page, result, problem="It came without a result." if result is None else ""), None

    def _with(self, call: Call, rule: Wait, page: Page, late: Late, found: Found) -> Page:
        if rule.merge is None:
            last = found.page or page
            return replace(last, late=None, warnings=(*page.warnings, *last.warnings))
        credits_ = rule.credits(found.result)
        spent = None if credits_ is None or late.spent is None else late.spent + credits_
        if call.journaled and spent is not None and (entry := self.journal.last(call.key)):
            self.journal.settle(call.key, entry.attempt, spent)
        records = rule.merge.into(page.records, found.result)
        value = records[0] if page.value is not None and records else page.value
        return replace(page, records=records, value=value, spent=spent, late=None)

    def _without(self, call: Call, rule: Wait, page: Page, found: Found) -> Page:
        if found.failed and rule.failure == "error":
            raise RejectedError(f"{call.action.title}: {found.problem}", hint="The request itself was accepted.")
        if not page.records and not call.journaled:
            raise found.error or PendingError(found.problem, worked=False, hint="Ask again later.")
        late = page.late or Late({})
        if found.gone:
            return self._closed(call, page, late, found)
        fetch = "" if found.failed else _fetch(rule, late)
        parts = (found.problem, "The record stays as it came.", _paid(call, late), fetch)
        return _warned(page, " ".join(part for part in parts if part))

    def _closed(self, call: Call, page: Page, late: Late, found: Found) -> Page:
        """The page when nothing can come any more: what its answer told is its cost, and nothing is left to fetch."""
        paid = _paid(call, late)
        if call.journaled and late.spent is not None and (entry := self.journal.last(call.key)):
            self.journal.settle(call.key, entry.attempt, late.spent)
            paid = paid and f"Paid: {_credits(late.spent)}; nothing more is reserved for it."
        parts = (found.problem, "The record stays as it came.", paid)
        return _warned(replace(page, late=None, spent=late.spent), " ".join(part for part in parts if part))


def _held(pages: Iterable[Page]) -> tuple[list[Page], ConnectorError | None]:
    """All pages there are, and what ended them."""
    held: list[Page] = []
    try:
        held.extend(pages)
    except ConnectorError as error:
        return held, error
    return held, None


def _unwaited(rule: Wait, page: Page) -> Page:
    return _warned(page, f"More comes later and isn't waited for. {_fetch(rule, page.late)}") if page.late else page


def _told(error: ConnectorError) -> str:
    return " ".join(part for part in (error.message, error.hint) if part)


def _paid(call: Call, late: Late) -> str:
    """What was paid for, as far as it is known."""
    worst = call.worst
    if worst == 0:
        return ""
    if worst is None or late.spent is None:
        return "What it costs isn't known."
    return f"Paid so far: {_credits(late.spent)}; up to {worst - late.spent:g} more stay reserved for what is late."


def _credits(count: float) -> str:
    return f"{count:g} credit{'s'[: count != 1]}"


def _fetch(rule: Wait, late: Late) -> str:
    asked = ", ".join(f"{name} {value}" for name, value in late.input.items())
    return " ".join(part for part in (f"Fetch it later with {rule.action}, {asked}.", rule.later) if part)


def _warned(page: Page, text: str) -> Page:
    return replace(page, warnings=(*page.warnings, text))


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
