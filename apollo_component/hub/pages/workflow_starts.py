"""Starting a run of a workflow, and letting it start by itself: one form, since both need the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from ...contract.errors import InputError, Problem
from ...host.workflow.catalogue import runnable
from ...host.workflow.enabling import begin_of, enable, unreachable
from ...host.workflow.file import Workflow
from ..account_choices import account_choice, chosen
from ..visits import Place, Visit
from .run import credits_given

START, ENABLE = "start", "enable"
EVENT = '{"record": {}}'


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the workflow, as the form shows it: `kind` is text, number, flag, lines or json."""

    name: str
    label: str
    hint: str
    kind: str
    required: bool
    default: Any = field(repr=False)

    def shown(self) -> str:
        if self.kind == "lines":
            return "\n".join(self.default)
        if self.kind in ("json", "number"):
            return json.dumps(self.default, ensure_ascii=False)
        return str(self.default) if self.default is not None else ""

    def read(self, text: str) -> Any:
        """Raises ValueError."""
        if self.kind == "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        if self.kind == "flag":
            return text == "true"
        return json.loads(text) if self.kind in ("json", "number") else text


def fields(workflow: Workflow) -> list[Field]:
    return [_field(name, declared) for name, declared in workflow.inputs.items()]


def show(visit: Visit) -> Response:
    return _form(visit, _workflow(visit), START)


def show_enable(visit: Visit) -> Response:
    return _form(visit, _workflow(visit), ENABLE)


def start(visit: Visit) -> Response:
    """A run that any worker takes."""
    from ...host.workflow.engine import start as started

    workflow = _workflow(visit)
    try:
        given = _given(visit, workflow, START)
        run = started(visit.host, workflow, *given, queued=True)
    except InputError as error:
        return _form(visit, workflow, START, error)
    visit.hub.nudge()
    return visit.to(f"/runs/{run.id}")


def enabled(visit: Visit) -> Response:
    """What comes from now on starts runs; a worker looks at what is there now first."""
    workflow = _workflow(visit)
    try:
        since = visit.form.get("since", "").strip()
        begin = begin_of(since) if since else None
        enable(visit.host, workflow, *_given(visit, workflow, ENABLE)[:3], begin)
    except InputError as error:
        return _form(visit, workflow, ENABLE, error)
    visit.hub.nudge()
    return visit.to(f"/workflows/{quote(workflow.name)}")


def _workflow(visit: Visit) -> Workflow:
    return runnable(visit.host, visit.hub.workflows, visit.path["name"])


def _form(visit: Visit, workflow: Workflow, what: str, error: InputError | None = None) -> Response:
    """The form, with what was typed and what is wrong beside each field."""
    form: Mapping[str, str] = visit.form
    subjects = {f"inputs.{item.name}": item.name for item in fields(workflow)}
    wrong = {problem.path.removeprefix("--"): problem.text for problem in error.problems} if error else {}
    return visit.page(
        "workflow_start.html",
        422 if error else 200,
        workflow=workflow,
        what=what,
        fields=fields(workflow),
        connections={
            alias: account_choice(
                visit.host.connections, connector, _account(visit, alias, connector, use or "", error)
            )
            for alias, (connector, use) in workflow.connections.items()
        },
        mails=workflow.mailing,
        unreachable=unreachable(visit.host, workflow),
        event=EVENT,
        form=form,
        typed=error is not None,
        error=error,
        wrong=wrong,
        others=[text for path, text in wrong.items() if path not in _places(workflow, subjects)],
    )


def _account(visit: Visit, alias: str, connector: str, use: str, error: InputError | None) -> str:
    """What stands in an account's field: what was typed, the one that the file names, or the only one there is."""
    if error:
        return str(visit.form.get(f"connection.{alias}", ""))
    stored = visit.host.connections
    if use:
        return use if chosen(stored, connector, use) else ""
    found, total = stored.search(connector=connector, limit=1)
    return found[0].name if total == 1 else ""


def _places(workflow: Workflow, inputs: Mapping[str, str]) -> set[str]:
    """The paths of problems that stand beside a field."""
    return {*inputs, *(f"connections.{alias}" for alias in workflow.connections), "budget", "event", "mails", "since"}


def _given(
    visit: Visit, workflow: Workflow, what: str
) -> tuple[dict[str, Any], dict[str, str], float | None, dict[str, Any] | None]:
    """Inputs, connections, budget and event of the form. Raises InputError with all that is wrong."""
    texts = visit.hub.texts
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for item in fields(workflow):
        text = visit.form.get(f"input.{item.name}", "")
        if not text.strip() and item.required:
            problems.append(Problem(texts("start.required"), path=f"inputs.{item.name}"))
            continue
        try:
            values[item.name] = item.read(text)
        except (ValueError, RecursionError):
            problems.append(Problem(texts(f"start.no_{item.kind}"), path=f"inputs.{item.name}"))
    links = {alias: visit.form.get(f"connection.{alias}", "") for alias in workflow.connections}
    problems += [Problem(texts("start.no_account"), path=f"connections.{a}") for a, link in links.items() if not link]
    if workflow.mailing and visit.form.get("mails") != "yes":
        problems.append(Problem(texts("start.confirm"), path="mails"))
    budget, event = None, None
    try:
        budget = credits_given(visit)
        event = _event(visit) if workflow.start and what == START else None
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(texts(f"start.refused.{what}"), problems)
    return values, links, budget, event


def _event(visit: Visit) -> dict[str, Any]:
    try:
        found = json.loads(visit.form.get("event", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        problem = Problem(visit.hub.texts("start.no_event"), path="event")
        raise InputError(visit.hub.texts("start.refused.start"), [problem])
    return found


def _field(name: str, declared: Mapping[str, Any]) -> Field:
    default = declared.get("default")
    kind = "text"
    if isinstance(default, bool):
        kind = "flag"
    elif isinstance(default, int | float):
        kind = "number"
    elif isinstance(default, list) and all(isinstance(item, str) for item in default):
        kind = "lines"
    elif isinstance(default, list | dict):
        kind = "json"
    label = name.replace("_", " ").capitalize()
    return Field(name, label, str(declared.get("description", "")), kind, "default" not in declared, default)


PLACES = (
    Place("/workflows/{name:path}/start", show),
    Place("/workflows/{name:path}/start", start, ["POST"]),
    Place("/workflows/{name:path}/enable", show_enable),
    Place("/workflows/{name:path}/enable", enabled, ["POST"]),
)
