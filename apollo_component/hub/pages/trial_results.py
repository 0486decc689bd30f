"""What came of trying an action: records as a table or as JSON, kept with the run."""

import json
from itertools import islice
from typing import Any

from starlette.responses import Response

from ...contract.errors import NotFoundError
from ...host.running import STEP, find
from ...host.runs import INTERRUPTED, QUEUED, RUNNING, Run
from ..results import SAMPLE, facts, sheet
from ..visits import Place, Visit

PER_PAGE = 100
MOST = 10_000
"""Records of a run that are read for showing or downloading."""


def show(visit: Visit) -> Response:
    """While it runs the page loads itself again."""
    run = _run(visit)
    report = visit.host.runs.report_of(run)
    records = list(islice(visit.host.runs.records(run.id, STEP), MOST))
    single = _is_single(visit, run)
    page = max(1, _number(visit.query.get("page", "1")))
    shown = records[(page - 1) * PER_PAGE : page * PER_PAGE]
    as_json = visit.query.get("view") == "json"
    found = [record for record in shown if record is not None]
    return visit.page(
        "trial_result.html",
        run=run,
        report=report,
        running=run.status in (RUNNING, QUEUED),
        interrupted=run.status == INTERRUPTED,
        took=None if run.ended_at is None else run.ended_at - run.created_at,
        title=run.title,
        asked=run.inputs,
        back=_back(run),
        records=records,
        single=single,
        as_json=as_json,
        text=_pretty(shown[0] if single and shown else shown) if as_json else "",
        facts=facts(records[0]) if single and records else [],
        sheet=None if single or as_json else sheet(found, visit.query.getlist("column"), records[:SAMPLE]),
        page=page,
        pages=-(-len(records) // PER_PAGE),
    )


def download(visit: Visit) -> Response:
    run = _run(visit)
    records = list(islice(visit.host.runs.records(run.id, STEP), MOST))
    value = records[0] if _is_single(visit, run) and records else records
    headers = {"content-disposition": f'attachment; filename="{run.id}.json"'}
    return Response(_pretty(value), media_type="application/json", headers=headers)


def _run(visit: Visit) -> Run:
    """Raises NotFoundError, also for runs of workflows."""
    run: Run = visit.host.runs.current(visit.path["run"])
    if run.kind != "action":
        raise NotFoundError(f"The run {run.id} is a workflow's.")
    return run


def _is_single(visit: Visit, run: Run) -> bool:
    connector, _, action = str(run.inputs.get("action", "")).partition(".")
    try:
        return not find(visit.host.registry.manifests, connector, action)[1].streams
    except NotFoundError:
        return False


def _back(run: Run) -> str:
    return "/try/" + str(run.inputs.get("action", "")).replace(".", "/", 1)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 6 else 1


PLACES = (
    Place("/try/runs/{run}", show),
    Place("/try/runs/{run}/result.json", download),
)
