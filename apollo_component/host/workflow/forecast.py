"""What a workflow would do, told before it runs: each step's request, its effect and its worst cost."""

from collections.abc import Mapping
from typing import Any

from ...contract.actions import Action
from ...contract.manifest import Manifest
from ...contract.schemas import schemas_at
from ..composed import most_requests
from ..splitting import chosen_fields, heads
from .expressions import references
from .file import Step, Workflow

_EFFECTS = {
    "read": "reads",
    "upsert": "writes; a repeat changes nothing more",
    "create": "creates; never repeated blindly",
    "bill": "costs credits",
    "send": "sends to real people; never repeated",
}


def forecast(workflow: Workflow, manifests: Mapping[str, Manifest]) -> list[dict[str, Any]]:
    """One row a step: `{step, action, method, path, effect, worst_credits, note}`; `worst_credits` is for the whole
    step where its size is known, for one request where it isn't, None where the service states no limit."""
    return [_row(step, manifests[step.connector]) for step in workflow.steps]


def started_by(workflow: Workflow) -> str:
    """What starts its runs, in words; empty when a person does."""
    start = workflow.start
    if start is None:
        return ""
    if start.trigger is None:
        return f"at the times {start.cron} ({start.timezone})"
    return f"{start.trigger.id}, looked at every {start.every} s"


def _row(step: Step, manifest: Manifest) -> dict[str, Any]:
    action = step.action
    effect = action.effect.of(step.with_)
    worst, note = _cost(step)
    note = "; ".join(part for part in (note, _split(step, manifest), _composed(action)) if part)
    return {
        "step": step.id,
        "action": action.id,
        "method": _told(step, "method") if action.raw else action.method,
        "path": _told(step, "path") if action.raw else action.path or ", ".join(_routes(action, manifest)),
        "effect": str(effect),
        "effect_text": _EFFECTS[str(effect)],
        "worst_credits": worst,
        "note": note,
    }


def _routes(action: Action, manifest: Manifest) -> list[str]:
    """The requests of a composed action; its row has no method of its own."""
    return [f"{part.method} {part.path}" for part in manifest.parts(action.id)]


def _composed(action: Action) -> str:
    return f"{most_requests(action.compose)} requests at most for each item" if action.compose else ""


def _told(step: Step, name: str) -> str:
    """An input of a raw request, as far as the file tells it."""
    value = step.with_.get(name)
    return value if isinstance(value, str) else "?"


def _split(step: Step, manifest: Manifest) -> str:
    """What a split adds, where the file tells the values."""
    if not step.split_by:
        return ""
    known = {name: value for name, value in step.with_.items() if name in step.split_by}
    if any(references(known)):
        return "when it is too large, each part's first page is asked for first"
    count = heads(chosen_fields(manifest, schemas_at(manifest.root), step.action, step.split_by, known))
    return f"when it is too large, up to {count:,} first pages are asked for to plan it"


def _cost(step: Step) -> tuple[float | None, str]:
    credits = step.action.credits  # noqa: A001
    if not credits.costs:
        return 0, ""
    if step.all and step.action.paging:
        return credits.worst(step.with_, step.max_credits_per_record), "for each page; the first tells how many"
    sized = not step.for_each and not any(path[0] in credits.per for path, _ in references(step.with_))
    if sized:
        return credits.worst(step.with_, step.max_credits_per_record), ""
    size = step.action.bulk.max if step.action.bulk and credits.per else 1
    one = credits.worst(
        {**step.with_, **({credits.per[0]: [None] * size} if credits.per else {})}, step.max_credits_per_record
    )
    return one, "for each request; how many there are is known when the step starts"
