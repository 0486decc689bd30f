"""One look at a trigger's source: what is new there, and exactly one run for each of it.

A run is queued and its event noted as seen in one transaction, so a process may die at any moment: the next sweep
reads the same records again and finds which of them have their run. Only a sweep that got through moves the cursor.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ...contract.errors import ConnectorError, InputError, NotFoundError, Problem
from ...contract.models import Event, Poll
from ...contract.triggers import Trigger
from ..column_types import shortened
from ..daily import PER_DAY
from ..events import LogEvent
from ..host import Host
from ..journal import check_owner
from ..leases import Lease
from ..logs import bound, log
from ..quota import Party
from ..runs import QUEUED
from ..store import dumps, put
from ..tables import runs, seen
from .expressions import evaluate
from .file import Start, Workflow
from .schedules import following, latest
from .subscriptions import Subscription, Subscriptions

LEASE_SECONDS = 120.0
"""How long a sweep keeps others out; extended with every page."""
FULL_SECONDS = 86_400.0
"""How often a sweep that could stop early reads everything, should a change have slipped past it."""
AGAIN_SECONDS = 2.0
"""The pause before a sweep is repeated in which records vanished."""
LATE_SECONDS = 60.0
"""How far before the last delivery it is looked again: one that came first may have been stored last."""
WARNINGS = 20
"""Warnings of one look that are kept."""
GONE = "(gone)"
"""The version of a record that left; its return is an event."""
PLACE = 200
"""Characters of a record's id and version that are kept, longer ones by a digest."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: requests sent; records `seen`, of which some were `known`, `filtered` or `undated` and the rest
    `started` a run each; `began` on the first sweep of all."""

    requests: int = 0
    seen: int = 0
    known: int = 0
    filtered: int = 0
    undated: int = 0
    started: int = 0
    began: bool = False

    def as_dict(self) -> dict[str, int]:
        """`{requests, seen, known, filtered, undated, started}`."""
        return {name: value for name, value in asdict(self).items() if name != "began"}


@dataclass(slots=True)
class _Sweep:
    subscription: Subscription
    workflow: Workflow
    start: Start
    trigger: Trigger
    lease: Lease
    number: int
    full: bool

    @property
    def began(self) -> bool:
        return self.subscription.cursor is None

    def place(self, event: Event) -> str:
        """Where an event is remembered: with its record, or with its delivery, which comes but once."""
        return shortened(event.id if self.trigger.action else f"{event.version}:{event.id}", PLACE)

    @property
    def may_stop(self) -> bool:
        """Whether a page that is as it was ends the sweep: newest first, without a time that says so itself."""
        return self.trigger.style == "newest" and not self.trigger.time and not self.full

    def undated(self, event: Event) -> bool:
        """Whether the record lacks the time by which its trigger tells what is new."""
        return event.at is None and self.trigger.since_allowed

    def passes_over(self, event: Event) -> bool:
        """An undated record starts nothing. It is noted only among those that were there before the beginning, so
        that one made later has its run once its time can be read."""
        return self.undated(event) and not (self.began and self.subscription.since is None)


class Sweeps:
    def __init__(self, host: Host, subscriptions: Subscriptions) -> None:
        self.caller, self.runs, self.leases, self.deliveries = host.caller, host.runs, host.leases, host.deliveries
        self.store, self.clock, self.subscriptions = host.store, host.clock, subscriptions

    def look(self, subscription: Subscription, workflow: Workflow) -> Swept | None:
        """One sweep, or a schedule's run; None while another process does it. Raises any ConnectorError, which is
        noted, so that the next try comes later."""
        start = workflow.start
        assert start is not None  # noqa: S101  # nothing else can be enabled
        lease = self.leases.acquire(f"subscription:{subscription.id}", LEASE_SECONDS)
        if lease is None:
            return None
        try:
            current = self.subscriptions.get(subscription.id)
            self._check_connections(current)
            looked = self._scheduled if start.cron else self._swept
            with bound(subscription=subscription.id):
                found = looked(current, workflow, start, lease)
                log(LogEvent.TRIGGER_LOOKED, **asdict(found))
            return found
        except ConnectorError as error:
            log(LogEvent.TRIGGER_FAILED, subscription=subscription.id, error=error.code)
            self.subscriptions.failed(subscription, error, start.every)
            raise
        finally:
            self.leases.release(lease)

    def _check_connections(self, subscription: Subscription) -> None:
        known = {link.id for link in self.caller.connections.all()}
        for alias, identity in subscription.connections.items():
            if identity not in known:
                raise NotFoundError(
                    f"The connection {alias} of this workflow was removed.",
                    hint="Link an account, and enable the workflow again with it.",
                )

    def _scheduled(self, subscription: Subscription, workflow: Workflow, start: Start, lease: Lease) -> Swept:
        """One run for the time that has come; times that passed while nobody looked are one run, for the last."""
        now = self.clock()
        if subscription.next_at > now:
            return Swept()
        later = following(start.cron, start.timezone, now)
        moment = datetime.fromtimestamp(latest(start.cron, start.timezone, now), UTC)
        with self.store.write(lease.name) as connection:
            check_owner(connection, lease)
            self._queue(connection, subscription, workflow, Event("", moment.isoformat(), None, moment), 1)
            self.subscriptions.put(
                connection, subscription.id, next_at=later, polled_at=now, failures=0, error_json="{}"
            )
        return Swept(started=1)

    def _swept(self, subscription: Subscription, workflow: Workflow, start: Start, lease: Lease) -> Swept:
        assert start.trigger is not None  # noqa: S101
        full = self.clock() - subscription.full_at >= FULL_SECONDS
        number = subscription.sweep + 1
        self.subscriptions.note(subscription.id, sweep=number)
        sweep = _Sweep(subscription, workflow, start, start.trigger, lease, number, full)
        tally, warnings, poll = Counter[str](), list[str](), None
        for poll in self._polls(sweep):
            noted, settled = self._noted(sweep, poll.events)
            asked = sweep.trigger.style != "callback"
            tally += noted + Counter(requests=int(asked), seen=poll.seen, known=poll.known, filtered=poll.filtered)
            warnings += poll.warnings
            if settled and sweep.may_stop:
                break
        found = Swept(**tally, began=sweep.began)
        if poll is not None:
            self._finished(sweep, poll, found, warnings)
        return found

    def _polls(self, sweep: _Sweep) -> Iterator[Poll]:
        if sweep.trigger.style == "callback":
            yield self._delivered(sweep)
            return
        cursor = sweep.subscription.cursor
        while True:
            poll = self._poll(sweep, cursor)
            yield poll
            if poll.next is None:
                return
            cursor = poll.next
            self.leases.extend(sweep.lease, LEASE_SECONDS)

    def _delivered(self, sweep: _Sweep) -> Poll:
        """What came to this host since the last look; nothing is asked for."""
        cursor, connection = sweep.subscription.cursor, sweep.subscription.connections[sweep.start.connection]
        after = json.loads(cursor)["received_at"] - LATE_SECONDS if cursor else 0.0
        found, last = self.deliveries.events(sweep.trigger.id, connection, sweep.start.connector, after)
        return Poll(
            events=found, seen=len(found), resume=dumps({"received_at": last if cursor else max(last, self.clock())})
        )

    def _poll(self, sweep: _Sweep, cursor: str | None) -> Poll:
        since = sweep.subscription.since
        poll: Poll = self.caller.ask(
            sweep.subscription.connections[sweep.start.connection],
            "connector_poll",
            sweep.trigger.action or "",
            sweep.lease,
            party=Party(sweep.workflow.name, background=True),
            trigger=sweep.trigger.id,
            input=dict(sweep.start.with_),
            cursor=cursor,
            since=None if since is None else datetime.fromtimestamp(since, UTC),
        )
        return poll

    def _noted(self, sweep: _Sweep, events: Sequence[Event]) -> tuple[Counter[str], bool]:
        """Queue a run for each event that is new, and note all as seen, in one transaction. What became of each, and
        whether all was as the last finished sweep left it."""
        mine = seen.c.subscription == sweep.subscription.id
        tally, settled = Counter[str](), True
        tally["undated"] = sum(map(sweep.passes_over, events))
        events = [event for event in events if not sweep.passes_over(event)]
        with self.store.write(sweep.lease.name) as connection:
            check_owner(connection, sweep.lease)
            places = [sweep.place(event) for event in events]
            query = sa.select(seen).where(mine, seen.c.record.in_(places))
            known = {row["record"]: dict(row) for row in connection.execute(query).mappings()}
            for event, place in zip(events, places, strict=True):
                row = known.get(place)
                if row and _same(row, event, sweep):
                    settled = settled and row["sweep"] <= sweep.subscription.swept
                    tally["known"] += 1
                    continue
                settled = False
                known[place] = self._remember(connection, sweep, event, row)
                kind = self._kind(sweep, event, row) if _changed(row, event) else "known"
                tally[kind] += 1
                if kind == "started":
                    self._queue(connection, sweep.subscription, sweep.workflow, event, known[place]["count"])
            if sweep.trigger.leaves and known:
                connection.execute(sa.update(seen).where(mine, seen.c.record.in_(known)).values(sweep=sweep.number))
        return tally, settled

    def _remember(
        self, connection: sa.Connection, sweep: _Sweep, event: Event, row: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        count = (row["count"] if row else 0) + _changed(row, event)
        values = {"version": event.version, "mark": event.mark, "count": count, "sweep": sweep.number}
        key = {"subscription": sweep.subscription.id, "record": sweep.place(event)}
        put(connection, seen, key, {**values, "at": self.clock()})
        return {**key, **values}

    def _kind(self, sweep: _Sweep, event: Event, row: Mapping[str, Any] | None) -> str:
        """What becomes of an event that is new: `known` was there before the beginning, `filtered` isn't wanted, and
        `started` is a run."""
        since = sweep.subscription.since
        if sweep.began and since is None:
            return "undated" if sweep.undated(event) else "known"
        if since is not None and event.at is not None and event.at.timestamp() < since:
            return "known"
        if sweep.trigger.changes and row is None:
            return "known"
        when = sweep.start.when
        try:
            return "started" if when is None or evaluate(when, described(event)) else "filtered"
        except InputError as error:
            raise InputError(
                f"The trigger's `when` doesn't fit the record {event.id}.",
                [Problem(problem.text, path="trigger.when") for problem in error.problems],
                hint="Mend it (a value may be null: `record.x && ...`) and enable the file again; the event is kept.",
            ) from None

    def _queue(
        self, connection: sa.Connection, subscription: Subscription, workflow: Workflow, event: Event, count: int
    ) -> None:
        told = "|".join((subscription.id, event.id, event.version, str(count)))
        identity = f"t-{hashlib.sha256(told.encode()).hexdigest()[:24]}"
        if connection.execute(sa.select(runs.c.id).where(runs.c.id == identity)).first():
            return  # a clock set back brings a schedule's time once more
        on = workflow.start.trigger.id if workflow.start and workflow.start.trigger else "schedule"
        inputs = {
            "started_by": {"on": on, **{key: value for key, value in described(event).items() if key != "record"}},
            "inputs": subscription.inputs,
            "connections": subscription.connections,
            "trigger": described(event),
            PER_DAY: workflow.budget_per_day,
        }
        self.runs.insert(
            connection,
            {
                "id": identity,
                "kind": "workflow",
                "title": workflow.name[:200],
                "status": QUEUED,
                "text": subscription.text,
                "inputs_json": dumps(inputs),
                "budget": subscription.budget,
                "workflow": workflow.name[:200],
                "subscription": subscription.id,
                "unattended": True,
            },
        )

    def _finished(self, sweep: _Sweep, poll: Poll, found: Swept, warnings: list[str]) -> None:
        """Only now is everything behind the cursor. When records vanished meanwhile, others may have moved up past
        the place where we read: then the sweep doesn't count as through and is repeated at once."""
        now = self.clock()
        if found.undated:
            warnings.append(_undated_text(found.undated, sweep.trigger))
        looked = {**found.as_dict(), "warnings": list(dict.fromkeys(warnings))[:WARNINGS]}
        values: dict[str, Any] = {"polled_at": now, "failures": 0, "error_json": "{}", "looked_json": dumps(looked)}
        if poll.shrunk:
            values |= {"next_at": now + AGAIN_SECONDS} | ({} if sweep.began else {"cursor": poll.resume})
        else:
            values |= {"next_at": now + sweep.start.every, "cursor": poll.resume, "swept": sweep.number}
        whole = poll.next is None and not poll.shrunk
        with self.store.write(sweep.lease.name) as connection:
            check_owner(connection, sweep.lease)
            if sweep.trigger.leaves and whole:
                _forget_absent(connection, sweep, poll.total)
            self.subscriptions.put(connection, sweep.subscription.id, **values, **({"full_at": now} if whole else {}))


def _undated_text(count: int, trigger: Trigger) -> str:
    records = "1 record has" if count == 1 else f"{count} records have"
    return f"{records} no readable time ({' or '.join(trigger.time)}) and started nothing"


def described(event: Event) -> dict[str, Any]:
    """What expressions see of an event."""
    at = event.at.isoformat() if event.at else None
    return {"record": event.record, "id": event.id, "version": event.version, "at": at}


def _same(row: Mapping[str, Any], event: Event, sweep: _Sweep) -> bool:
    """Seen as it is, or a later version already: a search that lags may show an older one once more."""
    timed = sweep.trigger.style == "newest" and bool(sweep.trigger.time)
    if timed and row["version"] != GONE and event.version < row["version"]:
        return True
    return bool(row["version"] == shortened(event.version, PLACE) and row["mark"] == event.mark)


def _changed(row: Mapping[str, Any] | None, event: Event) -> bool:
    return row is None or row["version"] != shortened(event.version, PLACE)


def _forget_absent(connection: sa.Connection, sweep: _Sweep, total: int | None) -> None:
    """Records that a whole scan didn't show have left, unless pages shifted and some were only overlooked."""
    mine = (seen.c.subscription == sweep.subscription.id, seen.c.version != GONE)
    here = sa.select(sa.func.count()).where(*mine, seen.c.sweep == sweep.number)
    if total is None or (connection.execute(here).scalar() or 0) >= total:
        connection.execute(sa.update(seen).where(*mine, seen.c.sweep < sweep.number).values(version=GONE))
