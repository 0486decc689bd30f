"""Runs one action and prints what arrives; the run is noted in the store whatever way it ends."""

import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..contract.errors import ConnectorError
from ..contract.models import Effect, Page
from .output import STOPPED, Output, line, pretty
from .planning import Plan
from .pointing import pointing

if TYPE_CHECKING:
    from ..host.connections import Connection
    from ..host.host import Host
    from ..host.runner import Job

LEASE_SECONDS = 30.0
WRITING = (Effect.UPSERT, Effect.CREATE, Effect.SEND)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan with the connection and the way it is run."""

    plan: Plan
    connection: "Connection"
    on_unknown: str
    concurrency: int
    wait: bool | None = None


@dataclass(slots=True)
class Tally:
    """What was printed so far, and how the run ended."""

    pages: int = 0
    records: int = 0
    not_found: int = 0
    """How many were asked for and came back as null."""
    warned: bool = False
    """Whether an answer said something by itself."""
    matching: int | None = None
    """How many match in all, where every page was asked for and the service told."""
    status: str = "failed"
    detail: dict[str, Any] = field(default_factory=dict)


def stream(host: "Host", chosen: Chosen, out: Output) -> int:
    """Print the records (or the single value) while they arrive; the exit code."""
    from ..host.leases import Heartbeat
    from ..host.runner import Job

    plan = chosen.plan
    asked = {"action": f"{plan.manifest.id}.{plan.action.id}", "connection": chosen.connection.name}
    run = host.runs.create("action", plan.action.title, inputs=asked, budget=plan.budget)
    lease = host.leases.acquire(f"run:{run.id}", LEASE_SECONDS)
    assert lease is not None  # noqa: S101  # the run is new, so nobody else can hold it
    job = Job(
        run.id,
        chosen.connection.id,
        plan.action,
        plan.values,
        every_page=plan.every_page,
        limit=plan.limit,
        split_by=plan.fields(),
        concurrency=chosen.concurrency,
        lease=lease,
        on_unknown=chosen.on_unknown,
        max_credits_per_record=plan.max_credits_per_record,
        wait=chosen.wait,
    )
    with Heartbeat(host.leases, lease, LEASE_SECONDS):
        return _noted(host, job, plan, out)


def _noted(host: "Host", job: "Job", plan: Plan, out: Output) -> int:
    """Whatever happens, the run says how it ended and the person what it cost."""
    tally, code = Tally(), 0
    try:
        _print(host, job, plan, out, tally)
    except BrokenPipeError as error:
        tally.status, tally.detail = "cancelled", {"reason": "the reader of the records went away"}
        code = out.failure(error)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the run must be noted
        code = _ended(error, tally, out)
    host.runs.update(job.run, tally.status, _counts(tally) | tally.detail)
    _summary(host, job.run, tally, out)
    return code


def _counts(tally: Tally) -> dict[str, Any]:
    missing = {"not_found": tally.not_found} if tally.not_found else {}
    return {"records": tally.records, "pages": tally.pages, **missing}


def _ended(error: BaseException, tally: Tally, out: Output) -> int:
    code = out.failure(error)
    tally.status = "cancelled" if code == STOPPED else "failed"
    told = error.as_dict() if isinstance(error, ConnectorError) else {"code": "bug", "message": type(error).__name__}
    tally.detail = {"reason": "stopped by a person"} if code == STOPPED else {"error": {**told, "exit_code": code}}
    return code


def _print(host: "Host", job: "Job", plan: Plan, out: Output, tally: Tally) -> None:
    name = host.connections.get(job.connection).name
    with pointing(plan.manifest, plan.action, name, plan.values), closing(host.runner.pages(job)) as pages:
        for page in pages:
            for warning in page.warnings:
                out.warn(warning)
            tally.warned = tally.warned or bool(page.warnings)
            if plan.every_page and not tally.pages:
                tally.matching = page.total
            _print_page(page, plan, out)
            tally.pages += 1
            found = sum(record is not None for record in page.records)
            tally.records += found
            tally.not_found += len(page.records) - found
            if host.runs.get(job.run).status == "cancelled":
                tally.status = "cancelled"
                return
    tally.status = "done"
    in_background = plan.action.job and tally.warned
    if plan.effect in WRITING and not (tally.records or in_background):
        out.warn("the answer has no record, so nothing was changed as far as it tells; check the ids that were given")


def _print_page(page: Page, plan: Plan, out: Output) -> None:
    if plan.streams:
        for record in page.records:
            line(record)
    elif out.as_json:
        line(page.value)
    else:
        pretty(page.value)
    sys.stdout.flush()


def _summary(host: "Host", run: str, tally: Tally, out: Output) -> None:
    credits_, doubtful = host.journal.spent(run), host.journal.doubtful(run)
    told = {"id": run, "status": tally.status, "records": tally.records, "not_found": tally.not_found}
    told |= {"credits": credits_, "in_doubt": doubtful}
    told |= {} if tally.matching is None else {"matching": tally.matching}
    spent = credits_["spent"]
    parts = [f"{tally.records:,} record{'s'[: tally.records != 1]}"]
    parts += [f"{tally.not_found:,} not found"] if tally.not_found else []
    parts += [f"{spent:g} credit{'s'[: spent != 1]} spent"]
    parts += [f"{credits_['reserved']:g} reserved"] if credits_["reserved"] else []
    parts += [f"{credits_['paid_twice']:g} possibly paid twice"] if credits_["paid_twice"] else []
    parts += [f"{len(doubtful)} in doubt (see `runs show {run}`)"] if doubtful else []
    out.facts({"run": told}, f"{', '.join(parts)}. Run {run}: {tally.status}.")
