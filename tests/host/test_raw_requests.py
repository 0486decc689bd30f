"""Raw requests in a host: journal, budget and confirmation as for the action that has the same route."""

from pathlib import Path
from typing import Any

import pytest

from apollo_component.contract.errors import BudgetExhaustedError, InputError, ManifestError, OutcomeUnknownError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.schemas import Schemas
from apollo_component.host.planning import Plan
from apollo_component.host.workflow.file import Workflow, parse_workflow
from apollo_component.host.workflow.units import Planner

from .calling import NO_ANSWER
from .conftest import DATA, Caller, action, answer

STATED = {"effect": {"kind": "send", "stated_by": "effect"}, "credits": {"stated_by": "credits", "reported": "spent"}}
RAW = action("raw", "", "", raw=True, requires={}, **STATED)
JOIN = action("join", "POST", "/lists/{id}/join", effect="upsert", mails=True)
PLAN = action("plan", "PUT", "/plans/{id}", effect={"kind": "upsert", "send_when": {"flag": "active"}})
READ = {"method": "GET", "path": "/anything"}


@pytest.fixture(scope="module")
def manifest(root: Path) -> Manifest:
    return Manifest.from_data(DATA | {"actions": [*DATA["actions"], JOIN, PLAN, RAW]}, root)


@pytest.fixture
def poor(host, key, manifest):
    """A run that may spend nothing."""
    return Caller(host, key, manifest, budget=0)


def test_what_an_answer_reports_is_booked_and_told(poor, service):
    """A request that was stated to be free and wasn't counts as spent, and the budget that it broke is named."""
    service.on("/anything", answer({"spent": 10}))
    page = poor.page("raw", READ)
    assert poor.credits["spent"] == 10
    assert page.warnings == ("This cost 10 credits, and 0 were reserved for it. The budget of 0 credits is exceeded.",)


def test_a_budget_that_is_exceeded_stops_the_next_raw_request(poor, service):
    """What is stated to be free isn't believed any more."""
    service.always("/anything", answer({"spent": 10}))
    poor.page("raw", READ, item="0")
    with pytest.raises(BudgetExhaustedError):
        poor.page("raw", READ, item="1")
    assert len(service.requests) == 1


def test_a_free_raw_request_goes_on_under_a_budget(poor, service):
    """Nothing is said, booked or held back where nothing was spent."""
    for item in ("0", "1"):
        assert poor.page("raw", READ, item=item).warnings == ()
    assert poor.credits == {"spent": 0, "reserved": 0, "paid_twice": 0}
    assert len(service.requests) == 2


@pytest.mark.parametrize("path", ["/make", "/MAKE.json"])
def test_a_lost_raw_create_is_not_repeated(caller, service, path):
    """The route's action decides: a create isn't sent twice, however the path is written."""
    service.always(path, NO_ANSWER)
    with pytest.raises(OutcomeUnknownError):
        caller.page("raw", {"method": "POST", "path": path, "effect": "create", "credits": 0, "body": {"name": "x"}})
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("method", "path", "effect"),
    [("POST", "/make", "bill"), ("POST", "/make.json", "upsert"), ("GET", "/Pay", "read"), ("POST", "/mail", "bill")],
)
def test_a_plan_refuses_what_states_too_little(manifest, method, path, effect):
    """Before there is a run, with the input that must change."""
    values = {"method": method, "path": path, "effect": effect, "credits": 0}
    with pytest.raises(InputError) as caught:
        Plan(manifest, manifest.actions["raw"], values).refuse()
    assert "effect" in {problem.path for problem in caught.value.problems}


STEP = """
name: x
inputs: {{n: {{}}}}
connections: {{a: {{connector: demo}}}}
steps:
  - {{id: s, action: raw, {more}with: {with_}}}
"""


def workflow(manifest: Manifest, with_: str, more: str = "") -> Workflow:
    return parse_workflow(STEP.format(with_=with_, more=more), {"demo": manifest})


@pytest.mark.parametrize(
    "with_",
    [
        "{method: POST, path: /lists/1/join, effect: upsert, credits: 0}",
        "{method: PUT, path: /unknown, effect: read, credits: 0}",
        "{method: GET, path: {$from: inputs.n}}",
        "{method: POST, path: /lists/1/join, effect: upsert, credits: 0, body: {$from: inputs.n}}",
        "{$from: inputs.n}",
    ],
)
def test_a_raw_step_needs_the_confirmation_of_its_route(manifest, with_):
    """Where people may get mail, where no action is declared, and where the route isn't known before the run."""
    with pytest.raises(ManifestError) as caught:
        workflow(manifest, with_)
    assert [problem.path for problem in caught.value.problems] == ["steps[0].confirm"]
    workflow(manifest, with_, "confirm: true, ")


@pytest.mark.parametrize(
    "with_",
    [
        "{method: GET, path: /unknown}",
        "{method: PUT, path: /put, effect: upsert, credits: 0, body: {$from: inputs.n}}",
        "{method: POST, path: /make, effect: create, credits: 0, body: {name: {$from: inputs.n}}}",
    ],
)
def test_a_raw_step_that_can_t_mail_needs_no_confirmation(manifest, with_):
    """A read, and a declared route whose action needs none."""
    workflow(manifest, with_)


def test_a_workflow_check_tells_what_is_stated_too_low(manifest):
    """At the line of the input, before a run."""
    with pytest.raises(ManifestError) as caught:
        workflow(manifest, "{method: POST, path: /pay, effect: read, credits: 0, body: {items: [1, 2]}}")
    assert {problem.path for problem in caught.value.problems} == {"steps[0].with.effect", "steps[0].with.credits"}


def units(host: Any, manifest: Manifest, found: Workflow, **inputs: Any) -> Any:
    run = host.runs.create("workflow", "x").id
    planner = Planner(found, host.runs, run, inputs, Schemas(manifest.root))
    return planner.units(found.steps[0])


def test_a_step_is_held_against_the_input_that_its_expressions_gave(host, manifest):
    """What only the run knows is refused before the step's first request."""
    found = workflow(manifest, "{method: {$from: 'inputs.n.method'}, path: /x, effect: read}", "confirm: true, ")
    assert len(units(host, manifest, found, n={"method": "POST"})) == 1
    found = workflow(manifest, "{method: POST, path: /pay, effect: bill, credits: {$from: inputs.n}}")
    with pytest.raises(InputError) as caught:
        units(host, manifest, found, n=0)
    assert [problem.path for problem in caught.value.problems] == ["s[0].credits"]


def test_an_expression_can_t_turn_a_step_into_one_that_needs_a_confirmation(host, manifest):
    """A flag that makes an action mail, inside a value that only the run knows, is seen then."""
    step = "{method: PUT, path: /plans/1, effect: upsert, credits: 0, body: {plan: {$from: inputs.n}}}"
    found = workflow(manifest, step)
    assert len(units(host, manifest, found, n={"active": False})) == 1
    with pytest.raises(InputError, match="needs confirm: true"):
        units(host, manifest, found, n={"active": True})
