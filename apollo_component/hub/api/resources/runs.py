"""What ran, where it stands, what it cost, and its records while they are kept."""

from dataclasses import asdict
from typing import Any

from ....contract.errors import InputError
from ....host import run_lists, step_records
from ....host.run_lists import Row, Wanted
from ....host.store import iso
from ..endpoint import JSON, Ask, Endpoint, Parameter
from ..paging import PAGED, cursor_for, page, place_of
from ..shapes import ANY, MONEY, page_of, ref, sent, text

RUN = Parameter("run", "A run's id.", text(minLength=1, maxLength=64, pattern="^[A-Za-z0-9-]+$"))
WORD = text(minLength=1, maxLength=100)
FILTERS = (
    Parameter("status", "Only those of this status.", WORD),
    Parameter("kind", "Only runs of actions, or of workflows.", text(enum=["action", "workflow"])),
    Parameter("workflow", "Only those of this workflow.", WORD),
)


def runs(ask: Ask) -> JSON:
    wanted = Wanted(**{one.name: ask.query.get(one.name, "") for one in FILTERS})
    before: Any = place_of(ask, float, str)
    found = run_lists.page(ask.host.runs, wanted, before=before, size=ask.query["limit"])
    more = cursor_for(*found.older) if found.older else None
    return {"items": [_short(row) for row in found.rows], "next_cursor": more}


def run(ask: Ask) -> JSON:
    return ask.host.runs.report(ask.path["run"])


def records(ask: Ask) -> JSON:
    (after,) = place_of(ask, int) or (-1,)
    wanted = (ask.path["run"], ask.query["step"], ask.query["limit"] + 1, min(max(after, -1), 2**62))
    found = step_records.page(ask.host.runs, *wanted)
    return page(ask, found, lambda item: item[1], lambda item: (item[0],))


def cancel(ask: Ask) -> JSON:
    ask.host.runs.cancel(ask.path["run"])
    return run(ask)


def resume(ask: Ask) -> JSON:
    """Left to any worker."""
    found = ask.host.runs.get(ask.path["run"])
    if found.kind != "workflow":
        raise InputError("The run of a single action can't be resumed.", hint="Run the action again.")
    ask.host.runs.resume(found.id, ask.body.get("budget"), queued=True)
    ask.hub.nudge()
    return run(ask)


def _short(row: Row) -> dict[str, Any]:
    times = {name: iso(getattr(row, name)) for name in ("created_at", "updated_at", "ended_at")}
    return {**asdict(row), **times}


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/runs",
        name="list_runs",
        summary="What ran, the newest first",
        tag="Runs",
        handler=runs,
        answer=page_of(ref("ShortRun")),
        query=(*PAGED, *FILTERS),
    ),
    Endpoint(
        method="GET",
        path="/runs/{run}",
        name="get_run",
        summary="Where a run stands: its steps, its credits, and what is in doubt",
        tag="Runs",
        handler=run,
        answer=ref("Run"),
        path_parameters=(RUN,),
    ),
    Endpoint(
        method="GET",
        path="/runs/{run}/records",
        name="list_records",
        summary="The records of a workflow's step, while they are kept",
        tag="Runs",
        handler=records,
        answer=page_of(ANY),
        path_parameters=(RUN,),
        query=(*PAGED, Parameter("step", "The step's id.", WORD, required=True)),
    ),
    Endpoint(
        method="POST",
        path="/runs/{run}/cancel",
        name="cancel_run",
        summary="Stop a run: it sends nothing more",
        tag="Runs",
        handler=cancel,
        answer=ref("Run"),
        path_parameters=(RUN,),
    ),
    Endpoint(
        method="POST",
        path="/runs/{run}/resume",
        name="resume_run",
        summary="Let a workflow's run go on that waits or failed; a worker takes it up",
        tag="Runs",
        handler=resume,
        answer=ref("Run"),
        path_parameters=(RUN,),
        body=sent({}, {"budget": {**MONEY, "description": "A new budget, in credits."}}),
    ),
)
