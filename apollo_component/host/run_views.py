"""One run for a page: how far it is at this moment, and its requests and records a page at a time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..contract.errors import NotFoundError
from ..contract.models import Reply
from .host import Host
from .running import STEP
from .runs import STRIDE, Run
from .tables import journal, records
from .watching import shown_id

REQUESTS = 50
RECORDS = 25
SETTLED_STEPS = ("done", "skipped")


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of many; `next` is what the following part begins after, None at the end."""

    rows: list[dict[str, Any]]
    next: str | None


def steps_of(host: Host, run: Run) -> list[dict[str, Any]]:
    """The steps as they are noted. An action's run has one, which is counted by the run itself."""
    if run.kind != "action":
        return host.runs.steps(run.id)
    return [{**run.detail, "id": STEP, "status": run.status, "requests": run.detail.get("pages", 0)}]


def live(host: Host, run: Run) -> dict[str, Any]:
    """`{status, steps, credits}`; each step `{id, status, requests, records, failed, missed, planned, spent,
    reserved}`, where a step under way is counted by what is stored of it. `run` is as `Runs.current` gave it."""
    steps = steps_of(host, run)
    costs = host.journal.by_step(run.id)
    open_ = [step["id"] for step in steps if step["status"] not in SETTLED_STEPS]
    stored = _stored(host, run.id, open_) if open_ else {}
    sent = _sent(host, run.id, open_) if open_ else {}
    told = []
    for step in steps:
        kept, parts = stored.get(step["id"], (0, 0))
        told.append(
            {
                **{key: step.get(key, 0) for key in ("id", "status", "failed", "missed", "planned")},
                "requests": max(step.get("requests", 0), sent.get(step["id"], 0), parts),
                "records": max(step.get("records", 0), kept),
                **costs.get(step["id"], {"spent": 0.0, "reserved": 0.0}),
            }
        )
    return {"status": run.status, "steps": told, "credits": host.journal.spent(run.id)}


def _stored(host: Host, run: str, steps: list[str]) -> dict[str, tuple[int, int]]:
    """How many records there are, and of how many requests."""
    parts = sa.func.count(sa.distinct(records.c.seq // STRIDE))
    query = sa.select(records.c.step, sa.func.count(), parts).where(records.c.run == run, records.c.step.in_(steps))
    with host.store.read() as connection:
        rows = connection.execute(query.group_by(records.c.step)).all()
    return {step: (int(kept), int(count)) for step, kept, count in rows}


def _sent(host: Host, run: str, steps: list[str]) -> dict[str, int]:
    """How many requests that are journaled were answered."""
    mine = (journal.c.run == run, journal.c.step.in_(steps), journal.c.received_at.is_not(None))
    query = sa.select(journal.c.step, sa.func.count(sa.distinct(journal.c.item))).where(*mine)
    with host.store.read() as connection:
        return {step: int(count) for step, count in connection.execute(query.group_by(journal.c.step))}


def requests(host: Host, run: str, step: str, after: str = "") -> Part:
    """The step's journal, in the order of its items: what was sent, what came of it, what it cost; no bodies."""
    length = sa.func.length(journal.c.item)
    place = sa.tuple_(length, journal.c.item, journal.c.attempt)
    shown = [column for column in journal.c if column.name not in ("run", "body")]
    query = sa.select(*shown).where(journal.c.run == run, journal.c.step == step)
    if after:
        item, _, attempt = after.rpartition(".")
        begin = (sa.literal(len(item)), sa.literal(item), sa.literal(int(attempt) if attempt.isdigit() else 0))
        query = query.where(place > sa.tuple_(*begin))
    rows = host.store.rows(query.order_by(length, journal.c.item, journal.c.attempt).limit(REQUESTS + 1))
    found = [_request(row) for row in rows[:REQUESTS]]
    last = f"{found[-1]['item']}.{found[-1]['attempt']}" if len(rows) > REQUESTS else None
    return Part(found, last)


def _request(row: Mapping[str, Any]) -> dict[str, Any]:
    reply = Reply(row["status_code"] or 0, json.loads(row["headers_json"] or "{}"), b"")
    told = {key: value for key, value in row.items() if key != "headers_json"}
    return {**told, "request_id": shown_id(reply.request_id)}


def kept(host: Host, run: str, step: str, after: str = "") -> Part:
    """The step's records in their order: `{seq, record}`; a record is None where nothing was found."""
    mine = [records.c.run == run, records.c.step == step]
    if after.isdigit():
        mine.append(records.c.seq > int(after))
    query = sa.select(records.c.seq, records.c.json).where(*mine).order_by(records.c.seq).limit(RECORDS + 1)
    rows = host.store.rows(query)
    found = [{"seq": row["seq"], "record": json.loads(row["json"])} for row in rows[:RECORDS]]
    return Part(found, str(found[-1]["seq"]) if len(rows) > RECORDS else None)


def record(host: Host, run: str, step: str, seq: int) -> Any:
    """Raises NotFoundError."""
    mine = (records.c.run == run, records.c.step == step, records.c.seq == seq)
    row = host.store.row(sa.select(records.c.json).where(*mine))
    if row is None:
        raise NotFoundError("That record isn't there.", hint="It may have been deleted when its time was over.")
    return json.loads(row["json"])


def step_names(host: Host, run: str) -> list[str]:
    """The steps that are noted or that sent something; a run of a single action has one, `run`."""
    noted = [str(step["id"]) for step in host.runs.steps(run)]
    query = sa.select(journal.c.step).where(journal.c.run == run).distinct()
    return list(dict.fromkeys([*noted, *(row["step"] for row in host.store.rows(query))]))
