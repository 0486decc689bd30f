"""One step of a run: what went in, what came out, and every request that was written down."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ...contract.errors import ConnectorError, NotFoundError
from ...contract.schemas import schemas_at
from ...host.run_views import kept, record, requests, step_names, steps_of
from ...host.runs import Run
from ...host.workflow.catalogue import parsed
from ...host.workflow.file import Step, Workflow
from ...host.workflow.units import Planner
from ..visits import Place, Visit

INPUTS = 10
"""Inputs of requests that are shown; a step may have thousands."""
COLUMNS, LETTERS = 4, 60


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the step's requests were given: the first `shown` of `count`; `problem` tells why there are none."""

    shown: list[tuple[str, str]]
    count: int = 0
    problem: str = ""


def show(visit: Visit) -> Response:
    run = visit.host.runs.get(visit.path["run"])
    name = visit.path["step"]
    workflow, _ = parsed(visit.host, run.text)
    step = next((item for item in workflow.steps if item.id == name), None) if workflow else None
    if step is None and name not in step_names(visit.host, run.id):
        raise NotFoundError("That run has no such step.")
    found = kept(visit.host, run.id, name, visit.query.get("records", ""))
    summary: dict[str, Any] = next((item for item in steps_of(visit.host, run) if item["id"] == name), {})
    return visit.page(
        "run_step.html",
        run=run,
        name=name,
        step=step,
        summary=summary,
        inputs=_inputs(visit, run, workflow, step) if workflow and step else None,
        records=found,
        columns=_columns([row["record"] for row in found.rows]),
        requests=requests(visit.host, run.id, name, visit.query.get("requests", "")),
        purged=run.ended and run.kind == "workflow" and not run.inputs,
        cell=_cell,
    )


def show_record(visit: Visit) -> Response:
    """One record, whole."""
    run, name, seq = visit.path["run"], visit.path["step"], visit.path["seq"]
    found = record(visit.host, run, name, seq)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    return visit.page("run_record.html", run=run, name=name, seq=seq, text=text)


def _inputs(visit: Visit, run: Run, workflow: Workflow, step: Step) -> Inputs:
    """Worked out anew from what earlier steps left, as the run itself does."""
    if not run.inputs:
        return Inputs([])
    manifest = visit.host.registry.manifest(step.connector)
    given, event = run.inputs.get("inputs", {}), run.inputs.get("trigger")
    planner = Planner(workflow, visit.host.runs, run.id, given, schemas_at(manifest.root), event)
    try:
        if not planner.wanted(step):
            return Inputs([])
        units = planner.units(step)
    except ConnectorError as error:
        first = next((f"{problem.path}: {problem.text}" for problem in getattr(error, "problems", [])), "")
        return Inputs([], problem=" ".join(part for part in (error.message, first) if part))
    shown = [(unit.item, json.dumps(unit.input, indent=2, ensure_ascii=False)) for unit in units[:INPUTS]]
    return Inputs(shown, len(units))


def _columns(records: list[Any]) -> list[str]:
    """The fields that tell records apart for people: short plain values, names and the like first."""
    counts: dict[str, int] = {}
    for item in records:
        for key, value in item.items() if isinstance(item, dict) else ():
            counts[key] = counts.get(key, 0) + (isinstance(value, str | int | float) and value != "")
    first = [key for key in _TELLING if counts.get(key)]
    rest = sorted((key for key in counts if counts[key] and key not in first), key=lambda key: -counts[key])
    return [*first, *rest][:COLUMNS]


_TELLING = ("name", "title", "email", "id", "domain", "status", "label")


def _cell(item: Any, key: str) -> str:
    value = item.get(key) if isinstance(item, dict) else None
    text = "" if value is None or isinstance(value, dict | list) else str(value)
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


PLACES = (
    Place("/runs/{run}/steps/{step}", show),
    Place("/runs/{run}/steps/{step}/records/{seq:int}", show_record),
)
