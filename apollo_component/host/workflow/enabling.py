"""Letting a workflow start by itself: what a command and a page do alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...contract.errors import InputError, Problem
from ..host import Host
from .engine import prepared
from .file import Workflow
from .subscriptions import Subscription, Subscriptions
from .sweeps import Sweeps


@dataclass(frozen=True, slots=True)
class Enabled:
    """`anew`: it begins with now (or `since`), not where it stood. `queued` runs wait for a worker."""

    subscription: Subscription
    anew: bool
    queued: int


def enable(
    host: Host,
    workflow: Workflow,
    inputs: Mapping[str, Any],
    connections: Mapping[str, str],
    budget: float | None = None,
    since: float | None = None,
    *,
    looking: Callable[[], None] | None = None,
) -> Enabled:
    """Store it. With `looking`, which is called before, what is there now is looked at here and at once; else the
    first worker does. Raises InputError, and when looking what the service's answer raises."""
    stored = prepared(host, workflow, inputs, connections)
    subscriptions = Subscriptions(host.store, host.clock)
    identity, anew = subscriptions.enable(workflow, stored, budget, since)
    found = subscriptions.get(identity)
    if looking and found.cursor is None and workflow.start and workflow.start.trigger:
        looking()
        Sweeps(host, subscriptions).look(found, workflow)
    found = subscriptions.get(identity)
    return Enabled(found, anew, subscriptions.counts(found.name, host.runs).get("queued", 0))


def begin_of(text: str) -> float:
    """A date, or a date and a time; without an offset it is UTC. Raises InputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        problem = Problem("must be a date such as 2026-05-01 or a time such as 2026-05-01T09:00:00Z", path="--since")
        raise InputError("The workflow was not enabled.", [problem]) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def unreachable(host: Host, workflow: Workflow) -> bool:
    """Whether its trigger is something delivered to this host, which nobody can reach."""
    trigger = workflow.start.trigger if workflow.start else None
    return bool(trigger and trigger.action is None and not host.settings.public_url)
