"""Running one action: what it would do, or doing it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....contract.errors import ConnectorError, InputError, Problem
from ....contract.models import Page
from ....host import running
from ....host.planning import Plan, previewed
from ....host.running import Chosen, Tally
from ..endpoint import JSON, Ask, Endpoint
from ..shapes import FREE, MONEY, TRUTH, ref, sent, text
from .connections import SERVICE

RECORDS = 1000
"""How many records one answer holds at most; a workflow has no such limit."""
WORD = text(minLength=1, maxLength=200)


def run(ask: Ask) -> JSON:
    wanted = ask.body
    chosen = _chosen(ask, wanted)
    if wanted.get("dry_run"):
        return {"plan": _previewed(ask, chosen.plan)}
    if chosen.plan.needs_word and not wanted.get("confirm"):
        problem = Problem(f"must be true: {chosen.plan.word}", path="confirm")
        raise InputError("Nothing was sent.", [problem], hint="Look at it with dry_run first.")
    return _run(ask, replace(chosen, wait=wanted.get("wait", False)))


def _chosen(ask: Ask, wanted: Mapping[str, Any]) -> Chosen:
    limit = wanted.get("limit")
    more = {"every_page": limit is not None, "limit": limit, "budget": wanted.get("budget")}
    more["max_credits_per_record"] = wanted.get("max_credits_per_record")
    return running.chosen(ask.host, wanted["connection"], wanted["action"], wanted["input"], **more)


def _previewed(ask: Ask, plan: Plan) -> JSON:
    """Nothing is sent for it."""
    return previewed(replace(plan, values=ask.host.deliveries.sketched(plan.action, plan.values)), ask.host.registry)


def _run(ask: Ask, chosen: Chosen) -> JSON:
    pages: list[Page] = []
    raised: list[BaseException] = []

    def note(error: BaseException) -> Mapping[str, Any]:
        raised.append(error)
        return running.ended(error)

    begun = running.begin(ask.host, chosen)
    tally = begun.drive(pages.append, note)
    if raised and not (pages and isinstance(raised[0], ConnectorError)):
        raise raised[0]
    return _result(ask, begun.run.id, chosen.plan, pages, tally)


def _result(ask: Ask, run: str, plan: Plan, pages: list[Page], tally: Tally) -> JSON:
    records = [record for page in pages for record in page.records]
    told = {
        "run": run,
        "status": tally.status,
        "records": records if plan.streams else [],
        "value": pages[0].value if pages and not plan.streams else None,
        "total": pages[0].total if pages else None,
        "first_page": tally.first_page,
        "asked": tally.asked or None,
        "given": tally.accounts().get("given", tally.records),
        "not_found": tally.not_found,
        "missed": tally.missed,
        "misses": [miss.as_dict() for miss in tally.misses],
        "warnings": list(tally.warnings),
        "credits": ask.host.journal.spent(run),
        "in_doubt": ask.host.journal.doubtful(run),
    }
    error = tally.detail.get("error")
    return {"result": {**told, **({"error": error} if error else {})}}


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/actions/run",
        name="run_action",
        summary="Run an action and wait for its answer, or with `dry_run` tell what it would do",
        tag="Actions",
        handler=run,
        answer=ref("Ran"),
        body=sent(
            {
                "connection": {**WORD, "description": "A connection's id or name."},
                "action": {**WORD, "description": "An action of its connector."},
                "input": {**FREE, "description": "As the action's `input` schema describes it."},
            },
            {
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": RECORDS,
                    "description": "Read pages until there are so many records; without it, one page.",
                },
                "budget": {**MONEY, "description": "Spend no more credits than this."},
                "max_credits_per_record": {**MONEY, "description": "Your own estimate, where no limit is known."},
                "confirm": {**TRUTH, "description": "Yes, real people may get mail, or only I know what it does."},
                "dry_run": {**TRUTH, "description": "Send nothing."},
                "wait": {**TRUTH, "description": "Wait for results that come minutes later; else they are left."},
            },
        ),
        errors=(404, *SERVICE),
        description="Where it fails after some records came, the answer holds these and the `error`.",
    ),
)
