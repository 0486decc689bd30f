"""The workflows that the Hub knows, and starting a run of one."""

from typing import Any

from ....contract.errors import InputError, Problem
from ....host.workflow.catalogue import Known, catalogue, runnable
from ..endpoint import JSON, Ask, Endpoint, Parameter
from ..shapes import FREE, MONEY, TRUTH, listed, mapped, obj, ref, sent, text

NAME = Parameter("workflow", "A workflow's name.", text(minLength=1, maxLength=200, pattern=r"^[^/\x00-\x1f]+$"))


def workflows(ask: Ask) -> JSON:
    return {"items": [_shown(known) for known in catalogue(ask.host, ask.hub.workflows)]}


def start(ask: Ask) -> JSON:
    """A run that any worker takes."""
    from ....host.workflow.engine import start as started

    body = ask.body
    workflow = runnable(ask.host, ask.hub.workflows, ask.path["workflow"])
    if workflow.mailing and not body.get("confirm"):
        problem = Problem("must be true: real people may get mail from this", path="confirm")
        raise InputError("The workflow can't start; nothing was run.", [problem])
    links, budget = body.get("connections", {}), body.get("budget")
    run = started(ask.host, workflow, body.get("inputs", {}), links, budget, body.get("event"), queued=True)
    ask.hub.nudge()
    return ask.host.runs.report(run.id)


def _shown(known: Known) -> dict[str, Any]:
    found = known.workflow
    return {
        "name": known.name,
        "can_start": found is not None,
        "problems": [problem.as_dict() for problem in known.problems],
        "enabled": bool(known.subscription and known.subscription.enabled),
        "runs": known.runs,
        "inputs": {name: dict(declared) for name, declared in found.inputs.items()} if found else {},
        "connections": {alias: connector for alias, (connector, _) in found.connections.items()} if found else {},
        "starts_by_itself": found is not None and found.start is not None,
        "looked": dict(known.subscription.looked) or None if known.subscription else None,
    }


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/workflows",
        name="list_workflows",
        summary="The workflows that are known: from files, enabled ones, and those that ran",
        tag="Workflows",
        handler=workflows,
        answer=obj({"items": listed(ref("Workflow"))}),
    ),
    Endpoint(
        method="POST",
        path="/workflows/{workflow}/runs",
        name="start_workflow",
        summary="Start a run of a workflow; a worker takes it",
        tag="Workflows",
        handler=start,
        answer=ref("Run"),
        status=201,
        path_parameters=(NAME,),
        body=sent(
            {},
            {
                "inputs": {**FREE, "description": "By name; what is left out has its default."},
                "connections": mapped(text(minLength=1, maxLength=200), "A connection's id or name for each alias."),
                "budget": {**MONEY, "description": "Spend no more credits than this."},
                "event": {**FREE, "description": "For one that starts by itself: what would have started it."},
                "confirm": {**TRUTH, "description": "Yes, real people may get mail."},
            },
        ),
    ),
)
