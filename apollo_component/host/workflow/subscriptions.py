"""Enabled workflows: what starts their runs, how far they have looked, and how it went."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ...contract.errors import ConnectorError, InputError, NotFoundError, Problem, QuotaError
from ..runs import Runs
from ..store import Store, dumps, iso
from ..tables import runs, seen, subscriptions
from .file import Start, Workflow
from .schedules import following

LONGEST_PAUSE = 3600.0
"""Seconds between two tries at most, however often polling failed."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One enabled (or paused) workflow. `cursor` is None until the first sweep is through; `sweep` counts the sweeps
    begun and `swept` is the last one that was finished."""

    id: str
    name: str
    text: str = field(repr=False)
    connections: Mapping[str, str]
    inputs: Mapping[str, Any] = field(repr=False)
    budget: float | None
    enabled: bool
    since: float | None
    cursor: str | None
    sweep: int
    swept: int
    full_at: float
    next_at: float
    polled_at: float | None
    failures: int
    error: Mapping[str, Any]
    looked: Mapping[str, Any]
    """What the last look that got through saw: `{requests, seen, known, filtered, undated, started, warnings}`."""

    def as_dict(self) -> dict[str, Any]:
        """For people and JSON: times in ISO 8601."""
        return {
            "name": self.name,
            "enabled": self.enabled,
            "connections": dict(self.connections),
            "ready": self.cursor is not None,
            "polled_at": iso(self.polled_at),
            "next_at": iso(self.next_at) if self.enabled else None,
            "failures": self.failures,
            "error": dict(self.error) or None,
            "looked": dict(self.looked) or None,
            "budget": self.budget,
        }


class Subscriptions:
    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store, self.clock = store, clock

    def enable(
        self, workflow: Workflow, stored: Mapping[str, Any], budget: float | None, since: float | None
    ) -> tuple[str, bool]:
        """Store a workflow under its name and start looking: its id, and whether it begins anew.

        Enabling again takes over text, connections and inputs, and goes on where it stood while trigger, filters and
        connection are the same and no `since` is given. Otherwise it begins anew; what has had its run gets no second
        one, unless trigger or connection are others. `stored` is `{inputs, connections}`, checked. Raises InputError
        for a workflow that nothing starts, or a beginning that can't be.
        """
        begin = self._checked(workflow, since)
        now = self.clock()
        values: dict[str, Any] = {
            "text": workflow.text,
            "connections_json": dumps(stored["connections"]),
            "inputs_json": dumps(stored["inputs"]),
            "budget": workflow.budget if budget is None else budget,
            "enabled": True,
            "failures": 0,
            "error_json": "{}",
            "next_at": following(begin.cron, begin.timezone, now) if begin.cron else now,
        }
        anew = {"since": since, "cursor": None, "full_at": 0.0, "looked_json": "{}"}
        with self.store.write() as connection:
            row = connection.execute(_named(workflow.name)).mappings().first()
            if row is None:
                identity = secrets.token_hex(12)
                first = {"id": identity, "name": workflow.name, "created_at": now, "sweep": 0, "swept": 0}
                connection.execute(sa.insert(subscriptions).values(**first, **values, **anew))
                return identity, True
            before, after = _start_of(dict(row)), _start_of(values)
            begins = since is not None or before != after
            values |= anew if begins else {}
            identity = str(row["id"])
            if before[0] != after[0]:
                connection.execute(sa.delete(seen).where(seen.c.subscription == identity))
                identity = values["id"] = secrets.token_hex(12)
            connection.execute(sa.update(subscriptions).where(subscriptions.c.id == row["id"]).values(**values))
            return identity, begins

    def _checked(self, workflow: Workflow, since: float | None) -> Start:
        if workflow.start is None:
            raise InputError(
                "The workflow can't be enabled: nothing starts it.",
                [Problem("is needed: a trigger or a schedule", path="trigger")],
                hint="Run it with `workflow run`, or say in the file what starts it.",
            )
        trigger = workflow.start.trigger
        if since is not None and (trigger is None or not trigger.since_allowed):
            raise InputError(
                "The workflow can't begin in the past.",
                [Problem("goes only with triggers whose records tell when it happened", path="--since")],
                hint="Leave it out to begin now.",
            )
        if since is not None and since > self.clock():
            raise InputError("The workflow was not enabled.", [Problem("must not be in the future", path="--since")])
        return workflow.start

    def disable(self, name: str) -> Subscription:
        """Stop looking; where it stood is kept. Raises NotFoundError."""
        found = self.get(name)
        self.note(found.id, enabled=False)
        return self.get(name)

    def get(self, name: str) -> Subscription:
        """By name or id. Raises NotFoundError."""
        row = self.store.row(_named(name))
        if row is None:
            raise NotFoundError(
                f"No workflow named {name!r} is enabled.", hint="`workflow list` shows those there are."
            )
        return _subscription(row)

    def all(self) -> list[Subscription]:
        return [_subscription(row) for row in self.store.rows(sa.select(subscriptions).order_by(subscriptions.c.name))]

    def due(self) -> list[Subscription]:
        """Those whose time has come, the longest overdue first. A clock set back doesn't keep one waiting for long."""
        now = self.clock()
        found = [item for item in self.all() if item.enabled and (item.next_at <= now or _set_back(item, now))]
        return sorted(found, key=lambda item: item.next_at)

    def note(self, identity: str, **values: Any) -> None:
        with self.store.write(f"subscription:{identity}") as connection:
            self.put(connection, identity, **values)

    def put(self, connection: sa.Connection, identity: str, **values: Any) -> None:
        """The same inside the caller's transaction."""
        connection.execute(sa.update(subscriptions).where(subscriptions.c.id == identity).values(**values))

    def failed(self, subscription: Subscription, error: ConnectorError, every: float) -> None:
        """Try again later: at a quota's reset, else after ever longer pauses."""
        now, failures = self.clock(), subscription.failures + 1
        pause = min(every * 2 ** min(failures - 1, 10), max(every, LONGEST_PAUSE))
        if isinstance(error, QuotaError) and error.resets_at is not None:
            pause = max(0.0, error.resets_at.timestamp() - now)
        values = {"failures": failures, "error_json": dumps(error.as_dict()), "polled_at": now}
        self.note(subscription.id, **values, next_at=now + pause)

    def counts(self, name: str, known: Runs) -> dict[str, int]:
        """How many runs the workflow of that name has started by itself, by their state."""
        return known.counts(runs.c.workflow == name, runs.c.subscription != "")


def _named(name: str) -> sa.Select[Any]:
    return sa.select(subscriptions).where(sa.or_(subscriptions.c.name == name, subscriptions.c.id == name))


def _start_of(row: Mapping[str, Any]) -> tuple[Any, Any]:
    """What a subscription looks at: trigger (or schedule) with its connection, and the filters."""
    from ...contract.located import parse

    data = parse(row["text"], "workflow").data or {}
    item = data.get("trigger") or {}
    alias = item.get("connection") or next(iter(data.get("connections", {})), "")
    source = item.get("on"), data.get("schedule"), json.loads(row["connections_json"]).get(alias)
    return dumps(source), dumps(item.get("with", {}))


def _set_back(item: Subscription, now: float) -> bool:
    return item.polled_at is not None and item.polled_at > now + LONGEST_PAUSE


def _subscription(row: Mapping[str, Any]) -> Subscription:
    same = ("id", "name", "text", "budget", "since", "cursor", "sweep", "swept", "full_at", "next_at", "polled_at")
    return Subscription(
        **{name: row[name] for name in same},
        connections=json.loads(row["connections_json"]),
        inputs=json.loads(row["inputs_json"]),
        enabled=bool(row["enabled"]),
        failures=row["failures"],
        error=json.loads(row["error_json"]),
        looked=json.loads(row["looked_json"]),
    )
