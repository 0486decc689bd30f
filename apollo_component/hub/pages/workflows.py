"""The workflows that can be run: those in files, those that start by themselves, and those that ran."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from ...contract.manifest import Manifest
from ...host import run_lists
from ...host.naming import Manifests
from ...host.needs import asked_of_each, needs_of
from ...host.rights import may
from ...host.run_lists import Wanted
from ...host.workflow.catalogue import catalogue, one
from ...host.workflow.forecast import forecast, started_by
from ...host.workflow.subscriptions import Subscriptions
from ..drawing import drawn, marks
from ..visits import Place, Visit

NEWEST = 10


def listed(visit: Visit) -> Response:
    return visit.page(
        "workflows.html",
        known=catalogue(visit.host, visit.hub.workflows),
        folder=visit.hub.workflows,
        started_by=started_by,
    )


def show(visit: Visit) -> Response:
    known = one(visit.host, visit.hub.workflows, visit.path["name"])
    workflow, manifests = known.workflow, visit.host.registry.manifests
    rows = forecast(workflow, manifests) if workflow else []
    asked = asked_of_each(workflow, manifests) if workflow else {}
    return visit.page(
        "workflow.html",
        known=known,
        workflow=workflow,
        rows=rows,
        worst=_worst(rows),
        steps={step.id: step for step in workflow.steps} if workflow else {},
        drawing=drawn(workflow, manifests, visit.hub.texts) if workflow else None,
        started_by=started_by(workflow) if workflow else "",
        needs=_needs(asked, manifests),
        lacking=_lacking(visit, asked),
        marks=marks,
        newest=run_lists.page(visit.host.runs, Wanted(workflow=known.name), size=NEWEST).rows,
    )


def disable(visit: Visit) -> Response:
    """Where it stood is kept for when it is enabled again; queued runs still run."""
    Subscriptions(visit.host.store, visit.host.clock).disable(visit.path["name"])
    return visit.to(f"/workflows/{visit.path['name']}")


def _lacking(visit: Visit, asked: Mapping[str, list[str]]) -> list[Manifest]:
    """The connectors of which no account is linked that may do what is asked of them, as far as is known."""
    manifests, accounts = visit.host.registry.manifests, visit.host.connections.all() if asked else []
    return [
        manifests[connector]
        for connector, names in asked.items()
        if not any(may(manifests[connector], names, account) for account in accounts)
    ]


def _needs(asked: Mapping[str, list[str]], manifests: Manifests) -> dict[str, Any]:
    """What `requirements` prints for the file, by connector."""
    return {one: needs_of(manifests, [f"{one}.{name}" for name in names]) for one, names in asked.items()}


def _worst(rows: list[dict[str, object]]) -> float | None:
    """The sum, None when no bound is known for one of them or it is told for each request only."""
    costs = [row["worst_credits"] for row in rows]
    open_ = any(row["worst_credits"] is None or "for each" in str(row["note"]) for row in rows)
    return None if open_ else sum(float(cost) for cost in costs if isinstance(cost, int | float))


PLACES = (
    Place("/workflows", listed),
    Place("/workflows/{name:path}/disable", disable, ["POST"]),
    Place("/workflows/{name:path}", show),
)
