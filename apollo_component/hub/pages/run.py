"""One run: how far it is, what it waits for, what is in doubt, and what a person can do about it."""

import json
from typing import Any

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError, NotFoundError, Problem
from ...host.journal import Key
from ...host.run_views import live, step_names
from ...host.runs import AUTHORIZATION, BUDGET, ENDED, FAILED, INTERRUPTED, QUEUED, RUNNING, Run
from ...host.workflow.catalogue import parsed
from ..drawing import drawn
from ..visits import Place, Visit
from .runs import nobody_works

MOVING = (RUNNING, QUEUED, INTERRUPTED)
MOST_CREDITS = 1e9


def show(visit: Visit, error: ConnectorError | None = None, status: int = 200, about: str = "") -> Response:
    """`about` is the form that the error belongs to; what was typed there is shown again. Above all stands an error
    whose form isn't there any more."""
    run = visit.host.runs.current(visit.path["run"])
    report = visit.host.runs.report_of(run)
    workflow, _ = parsed(visit.host, run.text)
    now = live(visit.host, run)
    waits, may = _waits(visit, run), _may(run)
    doubts = [row for row in report["in_doubt"] if row["open"] and run.status not in (RUNNING, QUEUED)]
    forms = {f"{row['step']} {row['item']}" for row in doubts}
    forms |= {"resume"} if waits and (may["resume"] or may["retry"]) else set()
    return visit.page(
        "run.html",
        status,
        run=run,
        report=report,
        now=now,
        mark=_mark(run),
        steps=_steps(visit, run, now, workflow),
        drawing=drawn(workflow, visit.host.registry.manifests, visit.hub.texts) if workflow else None,
        workflow=workflow,
        waits=waits,
        may=may,
        settled=[row for row in report["in_doubt"] if not row["open"]],
        doubts=doubts,
        purged=run.ended and run.kind == "workflow" and not run.inputs,
        idle=run.status in MOVING and nobody_works(visit),
        error=error,
        about=about,
        homeless=error if about not in forms else None,
    )


def told(visit: Visit) -> Response:
    """What changes while a run goes on; `mark` changes when the page itself would be another."""
    run = visit.host.runs.current(visit.path["run"])
    now = live(visit.host, run)
    more = {"mark": _mark(run), "place": run.detail.get("step", "")}
    return visit.told({**now, **more, "moving": now["status"] not in ENDED})


def _mark(run: Run) -> str:
    return f"{run.status} {run.detail.get('step', '')} {run.detail.get('resumes', 0)} {run.budget}"


def ask_cancel(visit: Visit) -> Response:
    return visit.page("run_cancel.html", run=visit.host.runs.get(visit.path["run"]))


def cancel(visit: Visit) -> Response:
    run = visit.host.runs.cancel(visit.path["run"])
    visit.hub.nudge()
    return visit.to(f"/runs/{run.id}")


def resume(visit: Visit) -> Response:
    """Whichever worker takes it goes on, with a new budget if one is given."""
    run = visit.host.runs.get(visit.path["run"])
    if run.kind != "workflow":
        raise InputError("Only runs of workflows can go on.")
    try:
        visit.host.runs.resume(run.id, credits_given(visit), queued=True)
    except InputError as error:
        return show(visit, error, 422, "resume")
    visit.hub.nudge()
    return visit.to(f"/runs/{run.id}")


def settle(visit: Visit) -> Response:
    """What a person found of a request whose answer was lost. Nothing is sent."""
    run = visit.host.runs.get(visit.path["run"])
    key = Key(run.id, visit.form.get("step", ""), visit.form.get("item", ""))
    try:
        done = _told_done(visit)
        visit.host.journal.tell(key, done=done, record=_record(visit) if done else None)
    except (InputError, NotFoundError) as error:
        return show(visit, error, 422, f"{key.step} {key.item}")
    return visit.to(f"/runs/{run.id}#doubts")


def credits_given(visit: Visit) -> float | None:
    """The form's budget, None when it is empty. Raises InputError."""
    text = visit.form.get("budget", "").strip()
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= MOST_CREDITS:
        raise InputError("Nothing was changed.", [Problem(visit.hub.texts("run.no_number"), path="budget")])
    return found


def _told_done(visit: Visit) -> bool:
    told_ = visit.form.get("told", "")
    if told_ not in ("done", "not_done"):
        raise InputError("Nothing was changed.", [Problem(visit.hub.texts("run.settle.choose"), path="told")])
    return told_ == "done"


def _record(visit: Visit) -> Any:
    text = visit.form.get("record", "").strip()
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        found = False
    if found is None or isinstance(found, dict):
        return found
    raise InputError("Nothing was changed.", [Problem(visit.hub.texts("run.settle.no_json"), path="record")])


def _steps(visit: Visit, run: Run, now: dict[str, Any], workflow: Any) -> list[dict[str, Any]]:
    """Every step in its order, also those that haven't begun."""
    begun = {step["id"]: step for step in now["steps"]}
    names = [step.id for step in workflow.steps] if workflow else step_names(visit.host, run.id)
    actions = {step.id: step.action for step in workflow.steps} if workflow else {}
    nothing = dict.fromkeys(("requests", "records", "failed", "missed", "planned", "spent", "reserved"), 0)
    held = run.detail.get("step", "")
    found = []
    for name in names:
        step = {"id": name, "status": "", **nothing, **begun.get(name, {})}
        if name == held and run.status == FAILED:
            step["status"] = FAILED
        found.append({**step, "action": actions.get(name)})
    return found


def _waits(visit: Visit, run: Run) -> dict[str, Any] | None:
    """What the run waits for, with the connection that must be linked again."""
    error = run.detail.get("error")
    if not error:
        return None
    alias = run.detail.get("connection", "")
    identity = run.inputs.get("connections", {}).get(alias) if run.status == AUTHORIZATION else None
    connection = visit.host.connections.find(identity) if identity else None
    return {"error": error, "connection": connection, "step": run.detail.get("step", "")}


def _may(run: Run) -> dict[str, bool]:
    """Which buttons there are."""
    status, whole = run.status, run.kind == "workflow" and bool(run.inputs)
    return {
        "resume": whole and status not in (*ENDED, RUNNING, QUEUED),
        "retry": whole and status == FAILED,
        "budget": whole and (status == BUDGET or (status == FAILED and run.budget is not None)),
        "cancel": not run.ended or status == FAILED,
    }


PLACES = (
    Place("/runs/{run}", show),
    Place("/runs/{run}/now", told),
    Place("/runs/{run}/cancel", ask_cancel),
    Place("/runs/{run}/cancel", cancel, ["POST"]),
    Place("/runs/{run}/resume", resume, ["POST"]),
    Place("/runs/{run}/settle", settle, ["POST"]),
)
