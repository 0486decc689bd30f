"""What an operator wants to see at a glance: who works, what is enabled, where runs stand, and what isn't well."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..host import Host
from ..runs import INTERRUPTED, LEASE, LEASED, QUEUED, RUNNING, WAITING
from ..tables import runs
from .fleet import ALIVE, DEAD, SILENT, Member, Workers
from .subscriptions import Subscriptions

LISTED = 50
"""How many running and how many waiting runs are listed, the oldest first; all are counted."""
_LATE_SECONDS = 120.0
"""How long past its time a look is told to be overdue."""


def overview(host: Host) -> dict[str, Any]:
    """`{well, notes, workers, workflows, runs, running, waiting}`; times in ISO 8601, `notes` for people."""
    now, shared = host.clock(), host.shared()
    members = Workers(host.store, host.shared).all()
    driven = list(_running(host, members, shared))
    subscriptions = Subscriptions(host.store, host.clock)
    workflows = [{**item.as_dict(), "runs": subscriptions.counts(item.name, host.runs)} for item in subscriptions.all()]
    found = {
        "workers": [_shown(member, driven, shared) for member in members],
        "workflows": workflows,
        "runs": host.runs.counts(runs.c.unattended),
        "running": driven[:LISTED],
        "waiting": list(_waiting(host)),
    }
    notes = list(_notes(found, now))
    return {"well": not notes, "notes": notes, **found}


def _running(host: Host, members: list[Member], now: float) -> Iterator[dict[str, Any]]:
    columns = (runs.c.id, runs.c.workflow, runs.c.updated_at, *LEASE)
    query = sa.select(*columns).select_from(LEASED).where(runs.c.unattended, runs.c.status == RUNNING)
    alive = [member for member in members if member.state(now) != DEAD]
    for row in host.store.rows(query.order_by(runs.c.updated_at)):
        held = row["owner"] and row["until"] > now
        worker = next((member.id for member in alive if held and member.drives(row["owner"])), None)
        yield {"id": row["id"], "workflow": row["workflow"], "since": _iso(row["updated_at"]), "worker": worker}


def _waiting(host: Host) -> Iterator[dict[str, Any]]:
    mine = (runs.c.unattended, runs.c.status.in_(WAITING))
    query = sa.select(runs.c.id).where(*mine).order_by(runs.c.updated_at).limit(LISTED)
    for row in host.store.rows(query):
        run = host.runs.get(row["id"])
        error = run.detail.get("error", {})
        yield {
            "id": run.id,
            "workflow": run.title,
            "status": run.status,
            "step": run.detail.get("step", ""),
            "until": error.get("resets_at"),
            "reason": error.get("message", ""),
        }


def _shown(member: Member, driven: list[dict[str, Any]], now: float) -> dict[str, Any]:
    return {
        "id": member.id,
        "machine": member.machine,
        "pid": member.pid,
        "state": member.state(now),
        "slots": member.slots,
        "busy": sum(run["worker"] == member.id for run in driven),
        "since": _iso(member.began_at),
        "beat_at": _iso(member.beat_at),
    }


def _notes(found: Mapping[str, Any], now: float) -> Iterator[str]:
    """What isn't well, and what to do about it."""
    working = [worker for worker in found["workers"] if worker["state"] == ALIVE and worker["slots"]]
    enabled = [item for item in found["workflows"] if item["enabled"]]
    waits = {status: found["runs"].get(status, 0) for status in (QUEUED, INTERRUPTED)}
    if not working and (enabled or any(waits.values())):
        queued = f" {waits[QUEUED]} queued runs wait for one." if waits[QUEUED] else ""
        yield f"No worker is alive.{queued} Start one: `workflow worker`."
    for worker in found["workers"]:
        if worker["state"] != ALIVE:
            gone = "gave no sign for some time" if worker["state"] == SILENT else "is dead"
            yield f"The worker {worker['machine']}/{worker['pid']} {gone}; others take up its runs."
    for item in enabled:
        yield from _looking_notes(item, now if working else None)
    if waits[INTERRUPTED]:
        yield f"{waits[INTERRUPTED]} runs were interrupted; a worker takes them up."
    for status, what in (("failed", "failed: `runs list` and `runs show RUN` tell why"), *_HELD):
        if count := found["runs"].get(status):
            yield f"{count} runs {what}."


def _looking_notes(item: Mapping[str, Any], now: float | None) -> Iterator[str]:
    """How an enabled workflow looks; without a time nobody is there who could."""
    yield from (f"{item['name']}: {text}." for text in (item["looked"] or {}).get("warnings", ()))
    if item["error"]:
        yield f"{item['name']} fails: {item['error']['message']}"
    elif now is not None and datetime.fromisoformat(item["next_at"]).timestamp() < now - _LATE_SECONDS:
        yield f"{item['name']} is overdue: its next look was to be at {item['next_at'][:16].replace('T', ' ')} UTC."


_HELD = (
    ("waiting_for_authorization", "wait for an account to be linked again: `connections` shows which"),
    ("waiting_for_budget", "wait for their budget: resume them with a higher one, or wait for a budget by the day"),
)


def _iso(value: float) -> str:
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
