"""A budget that all runs of a workflow share: never exceeded in any 24 hours, and waited for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apollo_component.contract.errors import BudgetExhaustedError, InputError
from apollo_component.contract.models import Effect, Reply
from apollo_component.host.daily import DAY_SECONDS, PER_DAY
from apollo_component.host.journal import Key
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

HOUR = 3600.0


@pytest.fixture
def start(host):
    def make(workflow="weekly", per_day=10, **more):
        inputs = {"inputs": {}, "connections": {}, PER_DAY: per_day}
        return host.runs.create("workflow", workflow, inputs=inputs, workflow=workflow, **more).id

    return make


def opened(host, run, worst, item="0", spent=None):
    attempt = host.journal.open(Key(run, "s", item), "pay", Effect.BILL, worst, None)
    if spent is not None:
        host.journal.received(Key(run, "s", item), attempt, Reply(200, {}, b"{}"))
        host.journal.settle(Key(run, "s", item), attempt, spent)


def test_runs_of_one_workflow_share_it(host, start):
    """What one run has spent, or reserved, isn't there for the other; another workflow has its own."""
    first, second = start(), start()
    opened(host, first, 4, "0", spent=3)
    opened(host, first, 4, "1")
    opened(host, second, 3)
    with pytest.raises(BudgetExhaustedError, match="may spend 10 credits in 24 hours: 10 are spent or reserved"):
        opened(host, second, 1, "1")
    opened(host, start("other"), 10)
    opened(host, second, 0, "free")


def test_the_error_says_when_enough_is_free_again(host, start, clock):
    """Not when the first credit is back, but when the next request fits; at that moment it does."""
    run = start()
    opened(host, run, 3, "0", spent=3)
    clock.now += HOUR
    opened(host, run, 5, "1", spent=5)
    clock.now += HOUR
    opened(host, start(), 2)
    with pytest.raises(BudgetExhaustedError) as caught:
        opened(host, run, 4, "2")
    assert caught.value.resets_at.timestamp() == clock.now - HOUR + DAY_SECONDS
    assert caught.value.as_dict()["resets_at"].startswith("20")
    clock.now = caught.value.resets_at.timestamp() - 1
    with pytest.raises(BudgetExhaustedError):
        opened(host, run, 4, "2")
    clock.now += 1
    opened(host, run, 4, "2")


def test_a_run_that_ended_still_counts(host, start, clock):
    """Whether it ended or not, what was spent in the last 24 hours was spent."""
    run = start()
    opened(host, run, 9, spent=9)
    host.runs.update(run, "done", {})
    other = start()
    with pytest.raises(BudgetExhaustedError):
        opened(host, other, 2)
    clock.now += DAY_SECONDS
    opened(host, other, 2)


def test_a_request_dearer_than_the_whole_is_an_error_not_a_wait(host, start):
    """What can never fit isn't waited for."""
    with pytest.raises(InputError, match="One request may cost 11 credits"):
        opened(host, start(), 11)
    with pytest.raises(InputError, match="Nothing limits what this request may cost"):
        opened(host, start(), None)


def test_the_run_has_a_budget_of_its_own_beside_it(host, start):
    """Both must cover the next request."""
    run = start(budget=2)
    with pytest.raises(BudgetExhaustedError, match="The budget of 2 credits"):
        opened(host, run, 3)


def test_runs_side_by_side_never_reserve_more(host, start):
    """Of thirty requests of one credit in three runs at once, ten are let through by ten a day."""
    runs, lock, through = [start() for _ in range(3)], threading.Lock(), []

    def ask(number):
        try:
            opened(host, runs[number % 3], 1, str(number))
        except BudgetExhaustedError:
            return
        with lock:
            through.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(30)))
    assert len(through) == 10


def test_a_single_action_has_no_workflow_to_share_with(host):
    """A run of one action is bound by its own budget only."""
    opened(host, host.runs.create("action", "x").id, 1000)


FILE = """
name: daily
inputs: {people: {default: []}}
connections: {apollo: {connector: apollo, use: mine}}
budget_per_day: 3
steps:
  - id: s
    action: people_match
    for_each: inputs.people
    concurrency: 1
    on_error: skip
    on_unknown: stop
    with: {email: {$from: item}}
"""


def people(sandbox, count):
    found = sandbox.control("POST", "/count?operation=people_api_search", {})
    assert found["count"] > count
    return [f"person{number}@nowhere.example" for number in range(count)]


@pytest.mark.real
def test_a_workflow_waits_for_the_day_and_goes_on(live, sandbox, later):
    """The run waits in its own state with the time it can go on; resumed too early it waits again, later it ends, and
    no more than the budget was reserved in any 24 hours. A second run of the workflow waits too."""
    sandbox.control("POST", "/faults", {"operation": "people_match", "kind": "truncate"})
    workflow = parse_workflow(FILE, live.registry.manifests)
    run = engine.start(live, workflow, {"people": people(sandbox, 4)}, {}).id
    report = engine.drive(live, run)
    assert report["status"] == "waiting_for_budget", report
    assert report["detail"]["error"]["resets_at"]
    assert report["credits"]["reserved"] == 3
    second = engine.start(live, workflow, {"people": people(sandbox, 1)}, {}).id
    assert engine.drive(live, second)["status"] == "waiting_for_budget"
    live.runs.resume(run)
    assert engine.drive(live, run)["status"] == "waiting_for_budget"
    later.offset += DAY_SECONDS
    sandbox.control("DELETE", "/faults")
    live.runs.resume(run)
    assert engine.drive(live, run)["status"] == "done"
    live.runs.resume(second)
    assert engine.drive(live, second)["status"] == "done"


@pytest.mark.real
def test_a_run_that_waits_here_goes_on_by_itself(live, sandbox, later):
    """With --wait nobody has to resume: when the 24 hours have moved on, so does the run."""
    sandbox.control("POST", "/faults", {"operation": "people_match", "kind": "truncate", "times": 3})
    workflow = parse_workflow(FILE, live.registry.manifests)
    run = engine.start(live, workflow, {"people": people(sandbox, 4)}, {}).id
    reports = []
    thread = threading.Thread(target=lambda: reports.append(engine.drive(live, run, wait=True)))
    thread.start()
    until = time.monotonic() + 30
    while live.runs.get(run).status != "waiting_for_budget" and time.monotonic() < until:
        time.sleep(0.05)
    later.offset += DAY_SECONDS
    thread.join(30)
    assert reports
    assert reports[0]["status"] == "done"
