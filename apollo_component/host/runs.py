"""Runs and their steps: what was asked, where it stands, what it cost, and its records while they are kept."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..contract.errors import InputError, NotFoundError
from .events import LogEvent
from .journal import Journal, check_owner
from .leases import Lease, Leases, holds
from .logs import log
from .store import Store, dumps, insert_many, iso, put
from .tables import deliveries, journal, leases, records, runs, steps

QUEUED = "queued"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
INTERRUPTED = "interrupted"
"""Never stored: running, and nobody drives it."""
QUOTA = "waiting_for_quota"
AUTHORIZATION = "waiting_for_authorization"
BUDGET = "waiting_for_budget"
WAITING = (QUOTA, AUTHORIZATION, BUDGET)
ENDED = (DONE, FAILED, CANCELLED)
TIDY_SECONDS = 3600.0
STRIDE = 10_000
"""Room for the records of one request, which are never more."""
LEASED = sa.outerjoin(runs, leases, leases.c.name == sa.literal("run:") + runs.c.id)
"""Runs, each with its lease: read apart, a run that ended in between would look as if nobody had ended it."""
LEASE = (leases.c.owner, leases.c.until)


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    kind: str
    title: str
    status: str
    detail: Mapping[str, Any]
    text: str = field(repr=False)
    inputs: Mapping[str, Any] = field(repr=False)
    budget: float | None
    created_at: float
    updated_at: float
    ended_at: float | None

    @property
    def ended(self) -> bool:
        return self.status in ENDED and self.ended_at is not None


class Runs:
    def __init__(
        self,
        store: Store,
        ledger: Journal,
        leases: Leases,
        clock: Callable[[], float] = time.time,
        retention: timedelta | None = None,
    ) -> None:
        self.store, self.ledger, self.leases, self.clock = store, ledger, leases, clock
        self.retention = retention
        self._tidied = -TIDY_SECONDS

    def create(
        self,
        kind: str,
        title: str,
        *,
        text: str = "",
        inputs: Mapping[str, Any] | None = None,
        budget: float | None = None,
        workflow: str = "",
        queued: bool = False,
    ) -> Run:
        """A new run; `kind` is action or workflow, `workflow` the name its runs share. It is the caller's to drive and
        `running` from now on; with `queued` any worker takes it. Now and then old runs' data is deleted on the way."""
        self.tidy()
        identity = f"{datetime.fromtimestamp(self.clock(), UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        status = QUEUED if queued else RUNNING
        values: dict[str, Any] = {"id": identity, "kind": kind, "title": title[:200], "status": status, "text": text}
        values |= {"budget": budget, "workflow": workflow, "unattended": queued}
        with self.store.write(f"run:{identity}") as connection:
            self.insert(connection, {**values, "inputs_json": dumps(inputs or {})})
        log(LogEvent.RUN_CHANGED, run=identity, to=status)
        return self.get(identity)

    def tidy(self) -> None:
        """Delete the data of runs that ended longer ago than it is kept; at most once an hour."""
        if self.retention is not None and self.clock() - self._tidied >= TIDY_SECONDS:
            self._tidied = self.clock()
            self.purge(self.retention)

    def insert(self, connection: sa.Connection, values: Mapping[str, Any]) -> None:
        """A new run's row, inside the caller's transaction."""
        now = self.clock()
        connection.execute(sa.insert(runs).values(**values, created_at=now, updated_at=now))

    def started_by_subscriptions(self, limit: int) -> list[Run]:
        """Runs that no person drives and that have not ended: the queued ones first, then the oldest."""
        mine = (runs.c.subscription != "", runs.c.status.not_in(ENDED))
        queued_first = sa.case((runs.c.status == QUEUED, 0), else_=1)
        query = sa.select(runs).where(*mine).order_by(queued_first, runs.c.created_at).limit(limit)
        return [_run(row) for row in self.store.rows(query)]

    def get(self, identity: str) -> Run:
        return _run(self._row(identity, sa.select(runs)))

    def current(self, identity: str) -> Run:
        """As stored, but a run that says running and that nobody drives is `interrupted`."""
        now = self.leases.clock()
        row = self._row(identity, sa.select(runs, *LEASE).select_from(LEASED))
        return replace(_run(row), status=told_status(row, now))

    def _row(self, identity: str, query: sa.Select[Any]) -> Mapping[str, Any]:
        row = self.store.row(query.where(runs.c.id == identity))
        if row is None:
            raise NotFoundError(f"There is no run {identity!r}.", hint="`runs list` shows those there are.")
        return row

    def all(self, limit: int = 100) -> list[Run]:
        query = sa.select(runs).order_by(runs.c.created_at.desc()).limit(limit)
        return [_run(row) for row in self.store.rows(query)]

    def update(
        self, identity: str, status: str, detail: Mapping[str, Any] | None = None, lease: Lease | None = None
    ) -> None:
        """Change where a run stands; a cancelled one stays cancelled. Here and below, who comes with a lease that
        another process has taken over changes nothing and gets OwnershipLostError."""
        now = self.clock()
        values: dict[str, Any] = {"status": status, "updated_at": now, "ended_at": now if status in ENDED else None}
        if detail is not None:
            resumes = self.get(identity).detail.get("resumes", 0)
            values["detail_json"] = dumps({**detail, "resumes": resumes})
        with self.store.write(f"run:{identity}") as connection:
            check_owner(connection, lease)
            connection.execute(
                sa.update(runs).where(runs.c.id == identity, runs.c.status != CANCELLED).values(**values)
            )
        log(LogEvent.RUN_CHANGED, run=identity, to=status, error=(detail or {}).get("error", {}).get("code"))

    def cancel(self, identity: str) -> Run:
        """Ask a run to stop: it sends nothing more. Raises InputError when it has ended."""
        run = self.get(identity)
        if run.ended and run.status != FAILED:
            raise InputError(f"The run {identity} has ended already ({run.status}).")
        now = self.clock()
        with self.store.write(f"run:{identity}") as connection:
            values = {"status": CANCELLED, "updated_at": now, "ended_at": now}
            connection.execute(sa.update(runs).where(runs.c.id == identity).values(**values))
        log(LogEvent.RUN_CHANGED, run=identity, to=CANCELLED)
        return self.get(identity)

    def resume(self, identity: str, budget: float | None = None, *, queued: bool = False) -> Run:
        """Note that a person wants the run to go on, with a new budget if one is given; here, or with `queued` by
        whichever worker takes it.

        `detail.resumes` counts how often a failed run was sent on again. Raises InputError for a run that ended.
        """
        run = self.get(identity)
        values = {"status": QUEUED, "unattended": True} if queued else {"status": RUNNING}
        with self.store.write(f"run:{identity}") as connection:
            self._resume(connection, run, budget, values)
        log(LogEvent.RUN_CHANGED, run=identity, to=values["status"])
        return self.get(identity)

    def _resume(self, connection: sa.Connection, run: Run, budget: float | None, values: dict[str, Any]) -> None:
        if run.status in (DONE, CANCELLED):
            raise InputError(f"The run {run.id} is {run.status}; there is nothing to resume.")
        if run.kind == "workflow" and not run.inputs:
            raise InputError(
                f"What the run {run.id} needs to go on was deleted when its time was over.", hint="Start a new run."
            )
        retries = int(run.detail.get("resumes", 0)) + (run.status == FAILED and "step" in run.detail)
        detail = {**run.detail, "resumes": retries}
        values = {**values, "detail_json": dumps(detail), "ended_at": None, "updated_at": self.clock()}
        if budget is not None:
            values["budget"] = budget
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(**values))

    def note_step(
        self,
        run: str,
        step: str,
        position: int,
        status: str,
        summary: Mapping[str, Any],
        lease: Lease | None = None,
    ) -> None:
        values = {"position": position, "status": status, "summary_json": dumps(summary)}
        with self.store.write(f"run:{run}") as connection:
            check_owner(connection, lease)
            put(connection, steps, {"run": run, "step": step}, values)
        log(LogEvent.RUN_STEP, run=run, step=step, to=status, action=summary.get("action"))

    def steps(self, run: str) -> list[dict[str, Any]]:
        rows = self.store.rows(sa.select(steps).where(steps.c.run == run).order_by(steps.c.position))
        return [{"id": row["step"], "status": row["status"], **json.loads(row["summary_json"])} for row in rows]

    def save_records(self, run: str, step: str, start: int, found: Sequence[Any], lease: Lease | None = None) -> None:
        """Keep a request's records at their place, which has room for `STRIDE`; saving there again replaces them."""
        rows = [{"run": run, "step": step, "seq": start + n, "json": dumps(item)} for n, item in enumerate(found)]
        mine = (records.c.run == run, records.c.step == step)
        with self.store.write(f"run:{run}") as connection:
            check_owner(connection, lease)
            connection.execute(sa.delete(records).where(*mine, records.c.seq >= start, records.c.seq < start + STRIDE))
            insert_many(connection, records, rows)

    def records(self, run: str, step: str) -> Iterator[Any]:
        query = sa.select(records.c.json).where(records.c.run == run, records.c.step == step)
        for row in self.store.rows(query.order_by(records.c.seq)):
            yield json.loads(row["json"])

    def report(self, identity: str) -> dict[str, Any]:
        """Everything a person wants to know of a run, without its records."""
        return self.report_of(self.current(identity))

    def report_of(self, run: Run) -> dict[str, Any]:
        """`report` of a run that `current` gave."""
        credits_by_step = self.ledger.by_step(run.id)
        return {
            "id": run.id,
            "kind": run.kind,
            "title": run.title,
            "status": run.status,
            "started_by": run.inputs.get("started_by"),
            "inputs": run.inputs.get("inputs", {}) if run.kind == "workflow" else {},
            "detail": {key: value for key, value in run.detail.items() if key != "resumes"},
            "budget": run.budget,
            "credits": self.ledger.spent(run.id),
            "steps": [{**step, **credits_by_step.get(step["id"], {})} for step in self.steps(run.id)],
            "in_doubt": self.ledger.doubtful(run.id),
            "created_at": iso(run.created_at),
            "updated_at": iso(run.updated_at),
            "ended_at": iso(run.ended_at),
        }

    def counts(self, *where: sa.ColumnElement[bool]) -> dict[str, int]:
        """How many runs are in each state, as `current` tells it."""
        now, count = self.leases.clock(), sa.func.count()
        others = sa.select(runs.c.status, sa.null(), sa.null(), count).where(*where, runs.c.status != RUNNING)
        running = sa.select(runs.c.status, *LEASE, sa.literal(1).label("count")).select_from(LEASED)
        running = running.where(*where, runs.c.status == RUNNING)
        found: Counter[str] = Counter()
        for row in self.store.rows(sa.union_all(running, others.group_by(runs.c.status))):
            found[told_status(row, now)] += row["count"]
        return dict(found)

    def purge(self, older_than: timedelta, *, summaries: bool = False) -> dict[str, int]:
        """Delete the records and recorded answers of runs that ended before then; with `summaries` the runs too."""
        before = self.clock() - older_than.total_seconds()
        old = sa.select(runs.c.id).where(runs.c.ended_at.is_not(None), runs.c.ended_at <= before)
        with self.store.write() as connection:
            gone = connection.execute(sa.delete(records).where(records.c.run.in_(old))).rowcount
            bodies = sa.update(journal).where(journal.c.run.in_(old), journal.c.body.is_not(None))
            answers = connection.execute(bodies.values(body=None, headers_json=None)).rowcount
            connection.execute(sa.delete(deliveries).where(deliveries.c.run.in_(old)))
            connection.execute(sa.update(runs).where(runs.c.id.in_(old)).values(inputs_json="{}"))
            removed = 0
            if summaries:
                for table in (journal, steps):
                    connection.execute(sa.delete(table).where(table.c.run.in_(old)))
                removed = connection.execute(sa.delete(runs).where(runs.c.id.in_(old))).rowcount
        return {"records": gone, "answers": answers, "runs": removed}


def told_status(row: Mapping[str, Any], now: float) -> str:
    """Of a row of `LEASED`: `interrupted` is what says running and nobody drives at this time of the leases' clock."""
    alone = row["status"] == RUNNING and not holds(row["owner"], row["until"], now)
    return INTERRUPTED if alone else str(row["status"])


def _run(row: Mapping[str, Any]) -> Run:
    plain = {name: row[name] for name in ("id", "kind", "title", "status", "text", "budget")}
    times = {name: row[name] for name in ("created_at", "updated_at", "ended_at")}
    return Run(**plain, **times, detail=json.loads(row["detail_json"]), inputs=json.loads(row["inputs_json"]))
