"""Drives one run: steps one after the other, each step's requests side by side, every request a durable step.

What a request ended with is recorded as data, never as an exception. When one can't go on (quota, authorization,
budget, or a failure that stops the run) the run is parked at that very place; it goes on there.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dbos import DBOS

from ...contract.errors import (
    BudgetExhaustedError,
    ConnectorError,
    QuotaError,
    ReauthorizationError,
    RejectedError,
    WrongServerError,
)
from ...contract.models import Page
from ...contract.schemas import schemas_at
from ..accounts import accounts_of
from ..calls import Call
from ..events import LogEvent
from ..host import Host
from ..journal import Key, OwnershipLostError, RunCancelledError
from ..late import Count
from ..leases import Lease
from ..logs import log
from ..plans import PageFacts
from ..quota import Party
from ..runs import AUTHORIZATION, BUDGET, CANCELLED, DONE, FAILED, QUOTA, RUNNING, Run
from ..store import PASSING
from .file import Step, Workflow
from .pages import HELD, LaterPages, split_fields
from .units import Planner, Unit

UNFINISHED = "unfinished"
MAX_THREADS = 16
ERRORS_KEPT = LATE_KEPT = 1000
UNTOLD_RESET = 60.0
"""How long a quota is waited for when the service doesn't say until when."""
MAX_RECORDS = 10**9
Outcome = dict[str, Any]


class CancelledRunError(Exception):
    """Leaves the procedure of a run that a person cancelled."""


class Driver:
    """One run in this process. `parked` is the state it waits in; `lost` is set when another process took over."""

    def __init__(
        self, host: Host, workflow: Workflow, run: str, lease: Lease, *, wait: bool, progress: Callable[[str], None]
    ) -> None:
        self.host, self.workflow, self.run, self.lease = host, workflow, run, lease
        self.wait, self.progress = wait, progress
        self.parked = ""
        self.lost = False
        self.away: ConnectorError | None = None
        """Set when the database could not be used: the run is left as it stands, for whoever takes it up."""
        self.crash: Exception | None = None
        stored = host.runs.get(run).inputs
        self.connections: dict[str, str] = stored["connections"]
        self.inputs = stored["inputs"]
        self.event = stored.get("trigger")
        self.failures = 0
        self.pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="workflow")
        self.count = Count(0, progress, host.clock)
        self.stopping = False
        self._task: asyncio.Task[Any] | None = None
        self.live = False
        """Whether a request was made by this process: a replay of recorded steps tells nothing new."""

    def close(self) -> None:
        """Leave the run where it stands. A parked procedure is ended without a trace in its record, so that it goes
        on from there another time, here or elsewhere."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def whole(self) -> str:
        """The durable procedure; ends as done or cancelled."""
        self._task = asyncio.current_task()
        try:
            for step in self.workflow.steps:
                await self._step(step)
            await self._thread(self._update, DONE, {})
        except CancelledRunError:
            return CANCELLED
        except OwnershipLostError:
            self.lost = True
            await asyncio.Event().wait()
        except ConnectorError as error:  # the store's: whatever a step may raise is its outcome
            await self._left(error)
        except Exception as error:  # noqa: BLE001  # a bug must not end the durable run for good
            await self._crashed(error)
        return DONE

    async def _crashed(self, error: Exception) -> None:
        """A fault of ours: nothing is recorded of it, so that mended code goes on where the run stands."""
        if self.lost:
            await asyncio.Event().wait()
        self.crash = error
        log(LogEvent.RUN_CRASHED, run=self.run, error=type(error).__name__)
        detail = {"error": {"code": "bug", "message": f"an unexpected {type(error).__name__}", "exit_code": 1}}
        try:
            await self._thread(self._update, FAILED, detail)
        except ConnectorError as problem:
            await self._left(problem)
        await asyncio.Event().wait()

    async def _left(self, error: ConnectorError) -> None:
        """Stand still without a trace until the procedure is ended from outside."""
        self.away = error
        await asyncio.Event().wait()

    def _update(self, status: str, detail: Mapping[str, Any]) -> None:
        self.host.runs.update(self.run, status, detail, self.lease)

    async def _step(self, step: Step) -> None:
        planner = await self._thread(self._planner, step)
        while True:
            try:
                wanted = await self._thread(planner.wanted, step)
                units = await self._thread(planner.units, step, self._check(step)) if wanted else []
                fields = await self._thread(split_fields, self.host, step, units)
                break
            except PASSING:
                raise
            except ConnectorError as error:
                await self._park(waiting_state(error) or FAILED, step, error.as_dict())
        if not wanted:
            await self._note(step, "skipped", [])
            return
        await self._note(step, RUNNING, [], planned=len(units))
        outcomes = await self._with_late(step, units, await self._all_of(step, units))
        if not step.all:
            outcomes = [_with_rest(outcome) for outcome in outcomes]
        elif outcomes and outcomes[0].get("ok"):
            later = LaterPages(self.host, self.run, step, partial(self._all_of, step), self._thread, self.progress)
            outcomes += await later.all(units[0], outcomes[0], fields)
        await self._note(step, DONE, outcomes)

    async def _with_late(self, step: Step, units: list[Unit], outcomes: list[Outcome]) -> list[Outcome]:
        """After all requests, what comes later: one durable wait for each that tells of it, in their order."""
        late = [replace(unit, late=True) for unit, told in zip(units, outcomes, strict=True) if told.get("awaited")]
        if not late:
            return outcomes
        self.count = Count(len(late), lambda text: self.progress(f"{step.id}: {text}"), self.host.clock)
        arrived = dict(zip((unit.number for unit in late), await self._all_of(step, late), strict=True))
        return [arrived.get(unit.number, told) for unit, told in zip(units, outcomes, strict=True)]

    async def _all_of(self, step: Step, units: list[Unit]) -> list[Outcome]:
        """Every unit's outcome, in order: rounds over what is unfinished, parked between rounds when need be."""
        outcomes: dict[int, Outcome] = {}
        pending = units
        while pending:
            for unit, outcome in zip(pending, await self._round(step, pending), strict=True):
                outcomes[unit.number] = outcome
            pending = [unit for unit in pending if self._unfinished(step, outcomes[unit.number])]
            if pending:
                await self._note(step, UNFINISHED, list(outcomes.values()), planned=len(units))
                await self._park_for(step, [outcomes[unit.number] for unit in pending])
        return [outcomes[unit.number] for unit in units]

    def _unfinished(self, step: Step, outcome: Outcome) -> bool:
        if outcome.get("ok"):
            return False
        return bool(outcome.get(HELD) or outcome.get("waits")) or step.on_error == "stop"

    async def _round(self, step: Step, units: list[Unit]) -> list[Outcome]:
        """One durable step per unit, numbered before any of them starts, so that a replay numbers them alike."""
        await self._cancelled()
        self.stopping = False
        gate = asyncio.Semaphore(step.concurrency)
        done = 0

        async def one(slot: Any, unit: Unit) -> Outcome:
            nonlocal done
            async with gate:
                name = {"name": f"{step.id}:{unit.name}"}
                outcome: Outcome = await slot.run_async(name, self._unit, step, unit)
            if not outcome.get("ok") and (outcome.get("waits") or step.on_error == "stop"):
                self.stopping = True
            done += not (outcome.get(HELD) or outcome.get("waits"))
            if self.live and not unit.late and (done % 25 == 0 or done == len(units)):
                self.progress(f"{step.id}: {done}/{len(units)} requests")
            return outcome

        slots = [DBOS.reserve_step() for _ in units]
        results = await asyncio.gather(
            *(one(slot, unit) for slot, unit in zip(slots, units, strict=True)), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                self.lost = True
                raise result
        return [result for result in results if isinstance(result, dict)]

    async def _unit(self, step: Step, unit: Unit) -> Outcome:
        """One request. Its outcome is small and plain; the records go to the host's own table."""
        self.live = True
        if self.stopping or self.lost or self.away:
            return {HELD: True}
        try:
            outcome: Outcome = await self._thread(self._request, step, unit)
            return outcome
        except OwnershipLostError:
            self.lost = True
            await asyncio.Event().wait()
            raise
        except RunCancelledError:
            self.stopping = True
            return {HELD: True}
        except PASSING as error:
            await self._left(error)
            raise
        except ConnectorError as error:
            return {"ok": False, "item": unit.item, "error": error.as_dict(), "waits": waiting_state(error)}
        except Exception as error:
            await self._crashed(error)
            raise

    def _request(self, step: Step, unit: Unit) -> Outcome:
        call = Call(
            Key(self.run, step.id, unit.item),
            self.connections[step.connection],
            step.action,
            unit.input,
            unit.cursor,
            self.lease,
            step.on_unknown,
            step.max_credits_per_record,
            party=Party(self.workflow.name, background=True),
        )
        page = self.host.waiter.page(call, step.wait)
        wanted = self.host.waiter.wanted(call, step.wait)
        if unit.late or not wanted:
            page = self._finished(step, unit, call, page)
        self.host.runs.save_records(self.run, step.id, unit.start, page.records, self.lease)
        outcome = {
            "ok": True,
            "found": page.given,
            "total": page.total,
            "next": page.next_cursor,
            "size": page.size,
            "pages": page.pages,
            "mark": PageFacts.of(page, step.action.key).mark if step.all else "",
            "rows": len(page.records),
            "warnings": list(page.warnings),
            **_accounts(page),
        }
        return outcome if page.late is None else {**outcome, "late": dict(page.late.input), "awaited": wanted}

    def _finished(self, step: Step, unit: Unit, call: Call, page: Page) -> Page:
        """A page with its late part; a record whose late part failed goes like that of any refused request."""
        try:
            return self.host.waiter.finish(call, page, step.wait, self.count)
        except RejectedError:
            self.host.runs.save_records(self.run, step.id, unit.start, [], self.lease)
            raise

    async def _park_for(self, step: Step, outcomes: list[Outcome]) -> None:
        """Park for the gravest of the causes: a failure before a wait."""
        errors = [outcome for outcome in outcomes if "error" in outcome]
        failed = [outcome for outcome in errors if not outcome["waits"]]
        if chosen := (failed or errors):
            await self._park(chosen[0]["waits"] or FAILED, step, chosen[0]["error"], chosen[0].get("item", ""))

    async def _park(self, state: str, step: Step, error: dict[str, Any], item: str = "") -> None:
        """Stand still here until the cause is gone. A failure goes on only when a person resumes the run."""
        self.failures += state == FAILED
        if state == QUOTA and not error.get("resets_at"):
            error["resets_at"] = datetime.fromtimestamp(self.host.clock() + UNTOLD_RESET, UTC).isoformat()
        detail = {"step": step.id, "item": item, "error": error, "connection": step.connection}
        if await self._thread(self._released, state, detail):
            return
        await self._thread(self._update, state, detail)
        self.progress(f"{step.id}: {state.replace('_', ' ')}: {error['message']}")
        while not await self._thread(self._released, state, detail):
            if not self.wait or state == FAILED:
                self.parked = state
            await asyncio.sleep(0.5)
            await self._cancelled()
        self.parked = ""
        await self._thread(self._update, RUNNING, {})

    def _released(self, state: str, detail: dict[str, Any]) -> bool:
        run = self.host.runs.get(self.run)
        if state == FAILED:
            return int(run.detail.get("resumes", 0)) >= self.failures
        return released(self.host, run, state, detail)

    async def _cancelled(self) -> None:
        run = await self._thread(self.host.runs.get, self.run)
        if run.status == CANCELLED:
            self.stopping = True
            raise CancelledRunError

    async def _note(self, step: Step, status: str, outcomes: list[Outcome], *, planned: int = 0) -> None:
        errors = [{"item": o["item"], "error": o["error"]} for o in outcomes if "error" in o and not o["waits"]]
        warnings = list(dict.fromkeys(text for outcome in outcomes for text in outcome.get("warnings", [])))
        counts = {name: sum(outcome.get(name, 0) for outcome in outcomes) for name in ("asked", "not_found", "missed")}
        misses = [miss for outcome in outcomes for miss in outcome.get("misses", [])]
        summary = {
            "action": step.action.id,
            "requests": sum(not outcome.get(HELD) and not outcome.get("waits") for outcome in outcomes),
            "records": min(sum(outcome.get("found", 0) for outcome in outcomes), step.limit or MAX_RECORDS),
            "failed": len(errors),
            "errors": errors[:ERRORS_KEPT] if step.on_error == "collect" else [],
            "warnings": warnings[:20],
            **accounts_of(records=sum(outcome.get("found", 0) for outcome in outcomes), misses=misses, **counts),
            **({"planned": planned} if planned else {}),
            "late": [outcome["late"] for outcome in outcomes if outcome.get("late")][:LATE_KEPT],
        }
        place = (self.run, step.id, step.position)
        await self._thread(self.host.runs.note_step, *place, status, summary, self.lease)
        if status not in (RUNNING, UNFINISHED) and self.live:
            told = ", ".join((status, _counted(summary["records"], "record")))
            self.progress(f"{step.id}: {told} in {_counted(summary['requests'], 'request')}")

    def _check(self, step: Step) -> Callable[[Mapping[str, Any]], Any]:
        """Names of custom fields are looked up before a step's first request, not when it is played back."""
        if any(item["id"] == step.id for item in self.host.runs.steps(self.run)):
            return dict
        return partial(self.host.fields.resolved, self.connections[step.connection], step.action)

    def _planner(self, step: Step) -> Planner:
        schemas = schemas_at(self.host.registry.manifest(step.connector).root)
        return Planner(self.workflow, self.host.runs, self.run, self.inputs, schemas, self.event)

    async def _thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Blocking work on this run's own threads, so that DBOS's are never used up."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, lambda: context.run(function, *arguments))


def _with_rest(outcome: Outcome) -> Outcome:
    """A first page is told as one."""
    if not outcome.get("next"):
        return outcome
    total = outcome.get("total")
    much = f"{outcome['found']:,} of {total:,} records" if total is not None else f"{outcome['found']:,} records"
    text = f"one page was read: {much}; `all: true` reads the rest"
    return {**outcome, "warnings": [*outcome["warnings"], text]}


def _accounts(page: Page) -> dict[str, Any]:
    """What a page accounts for; nothing for a search."""
    if page.asked is None and not page.misses:
        return {}
    misses = [miss.as_dict() for miss in page.misses]
    return {"asked": page.asked or 0, "not_found": page.not_found, "missed": page.missed, "misses": misses}


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s'[: count != 1]}"


def released(host: Host, run: Run, state: str, detail: Mapping[str, Any]) -> bool:
    """Whether what a run waits for is there: the time of a reset, a good connection that belongs to
    the servers of this process, a budget that is large enough."""
    if resets_at := detail["error"].get("resets_at"):
        return datetime.fromisoformat(resets_at) <= datetime.fromtimestamp(host.clock(), UTC)
    if state == AUTHORIZATION:
        connection = host.connections.get(run.inputs["connections"][detail["connection"]])
        return connection.status != "needs_reauthorization" and host.connections.is_here(connection)
    return run.budget is None or run.budget >= detail["error"].get("needed", 0)


def waiting_state(error: ConnectorError) -> str | None:
    """What the run waits for; None when the error is a failure."""
    if isinstance(error, BudgetExhaustedError):
        return BUDGET
    if isinstance(error, ReauthorizationError | WrongServerError):
        return AUTHORIZATION
    if isinstance(error, QuotaError):
        return QUOTA
    return None
