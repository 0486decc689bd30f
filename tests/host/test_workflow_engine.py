"""Durable runs against the sandbox: they wait, fail, go on and end, and no request is made twice."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from apollo_component.contract.errors import InputError, NotFoundError
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import linking
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.engine import drive
from apollo_component.host.workflow.file import load_workflow, parse_workflow

from .conftest import link

pytestmark = pytest.mark.real
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "prospecting.yaml"
HEAD = "name: test\ninputs: {emails: {default: []}, more: {default: []}}\nconnections: {apollo: {connector: apollo, use: mine}}\n"
CREATE = """
  - id: make
    action: contacts_create
    for_each: inputs.emails
    concurrency: 1
    with: {email: {$from: item}, first_name: Test, run_dedupe: true}
"""
EMAILS = [f"person{number}@example.com" for number in range(6)]


def begun(host, steps, budget=None, **inputs):
    workflow = parse_workflow(HEAD + "steps:" + steps, host.registry.manifests)
    return engine.start(host, workflow, inputs, {}, budget).id


def answered(sandbox, operation):
    """The bodies of the requests that the sandbox answered with 200."""
    entries = sandbox.control("GET", f"/requests?operation={operation}")
    return [entry["body"] for entry in entries if entry["status"] == 200]


def once(sandbox, operation, count):
    bodies = Counter(answered(sandbox, operation))
    assert len(bodies) == count, bodies
    assert set(bodies.values()) == {1}, bodies


def test_the_whole_example_runs(live, sandbox):
    """Search, enrich within the budget, create contacts once, enrol them: every step done, every credit accounted."""
    before = sandbox.control("GET", "/state")["enrolled"]["Founder outreach"]
    workflow = load_workflow(EXAMPLE, live.registry.manifests)
    run = engine.start(live, workflow, {}, {"apollo": "mine"})
    report = drive(live, run.id)
    assert report["status"] == "done", report
    assert {step["status"] for step in report["steps"]} == {"done"}
    steps = {step["id"]: step for step in report["steps"]}
    assert steps["enrich"]["requests"] == 4
    once(sandbox, "people_bulk_match", 4)
    assert report["credits"]["spent"] == sandbox.control("GET", "/ledger")["total"] <= 60
    assert report["credits"]["reserved"] == 0
    contacts = answered(sandbox, "contacts_create")
    assert len(contacts) == len(set(contacts)) == steps["contacts"]["requests"] > 0
    assert sandbox.control("GET", "/state")["enrolled"]["Founder outreach"] - before == steps["enrol"]["records"] > 0
    assert report["in_doubt"] == []


def test_a_done_run_driven_again_sends_nothing(live, sandbox):
    """Driving what has ended tells its report and asks the service nothing."""
    run = begun(live, CREATE, emails=EMAILS[:2])
    first = drive(live, run)
    sandbox.control("DELETE", "/requests")
    assert drive(live, run)["steps"] == first["steps"]
    assert sandbox.control("GET", "/requests") == []


def test_a_run_waits_for_budget_and_goes_on(live, sandbox):
    """At the end of its budget a run waits; raised, it continues there and repeats nothing."""
    workflow = load_workflow(EXAMPLE, live.registry.manifests)
    run = engine.start(live, workflow, {}, {"apollo": "mine"}, budget=15).id
    sandbox.control("DELETE", "/requests")
    report = drive(live, run)
    assert report["status"] == "waiting_for_budget"
    assert report["detail"]["step"] == "enrich"
    waiting = next(step for step in report["steps"] if step["id"] == "enrich")
    assert (waiting["status"], waiting["failed"], waiting["errors"]) == ("unfinished", 0, [])
    assert sandbox.control("GET", "/ledger")["total"] <= 15
    assert drive(live, run)["status"] == "waiting_for_budget"
    before = sandbox.count("people_api_search")
    live.runs.resume(run, budget=60)
    assert drive(live, run)["status"] == "done"
    assert sandbox.count("people_api_search") == before
    once(sandbox, "people_bulk_match", 4)


def test_a_run_waits_for_a_day_quota_and_goes_on(live, sandbox, later):
    """When the day is used up the run waits, tells until when, and goes on the next day at the same item."""
    sandbox.control("POST", "/quotas", {"contacts_create": [None, None, 4]})  # one is kept for interactive use
    run = begun(live, CREATE, emails=EMAILS)
    report = drive(live, run)
    assert report["status"] == "waiting_for_quota"
    assert report["detail"]["error"]["window"] == "day"
    assert report["detail"]["error"]["resets_at"]
    assert len(answered(sandbox, "contacts_create")) == 3
    sandbox.control("POST", "/clock", {"advance": 86401})
    later.offset += 86401
    assert drive(live, run)["status"] == "done"
    once(sandbox, "contacts_create", 6)


def test_a_run_waits_for_a_key_and_goes_on(live, sandbox):
    """A key that is refused makes the run wait; linked again under the same name, it continues."""
    run = begun(live, CREATE, emails=EMAILS[:3])
    mine = live.connections.get("mine")
    live.connections.replace_credential(mine, Credential("api_key", api_key="x" * 22), "linked again", "")
    report = drive(live, run)
    assert report["status"] == "waiting_for_authorization"
    assert report["detail"]["connection"] == "apollo"
    assert drive(live, run)["status"] == "waiting_for_authorization"
    assert sandbox.count("contacts_create") == 1
    link(live, sandbox)
    assert drive(live, run)["status"] == "done"
    once(sandbox, "contacts_create", 3)


def test_a_run_waits_for_a_grant_and_goes_on(live, sandbox):
    """The same when a person revokes an OAuth grant in the middle."""
    facts = sandbox.facts["oauth"]
    app = OAuthApp(facts["client_id"], facts["client_secret"], tuple(facts["redirect_uris"]))

    def allow():
        attempt = linking.begin(live, "apollo", "theirs", "oauth2", app, actions=["contacts_create", "users_search"])
        return linking.finish(live, attempt, sandbox.consent(attempt.url))[0]

    first = allow()
    workflow = parse_workflow(HEAD + "steps:" + CREATE, live.registry.manifests)
    run = engine.start(live, workflow, {"emails": EMAILS[:3]}, {"apollo": "theirs"}).id
    sandbox.control("POST", "/tokens/revoke", {})
    assert drive(live, run)["status"] == "waiting_for_authorization"
    assert allow().id == first.id
    assert drive(live, run)["status"] == "done"
    once(sandbox, "contacts_create", 3)


def test_a_run_that_may_not_fails_and_goes_on_once_mended(live, sandbox):
    """A missing permission fails the run; with a better key and --resume it continues at the failed step."""
    link(live, sandbox, "scoped_without_search")
    run = begun(live, CREATE + "  - {id: users, action: users_search}\n", emails=EMAILS[:2])
    report = drive(live, run)
    assert report["status"] == "failed"
    assert report["detail"]["error"]["code"] == "permission_denied"
    assert report["detail"]["step"] == "users"
    assert drive(live, run)["status"] == "failed"
    link(live, sandbox)
    live.runs.resume(run)
    report = drive(live, run)
    assert report["status"] == "done"
    assert next(step for step in report["steps"] if step["id"] == "users")["records"] > 0
    once(sandbox, "contacts_create", 2)


def test_a_run_resumed_too_early_fails_again(live, sandbox):
    """Each resume is one more try; another failure needs another."""
    link(live, sandbox, "scoped_without_search")
    run = begun(live, "\n  - {id: users, action: users_search}\n")
    assert drive(live, run)["status"] == "failed"
    live.runs.resume(run)
    assert drive(live, run)["status"] == "failed"
    link(live, sandbox)
    live.runs.resume(run)
    assert drive(live, run)["status"] == "done"


def test_a_waiting_run_can_be_cancelled(live, sandbox):
    """A cancelled run sends nothing more, whatever it waited for, and stays cancelled."""
    sandbox.control("POST", "/quotas", {"contacts_create": [None, None, 1]})
    run = begun(live, CREATE, emails=EMAILS)
    assert drive(live, run)["status"] == "waiting_for_quota"
    live.runs.cancel(run)
    sandbox.control("POST", "/quotas", {"contacts_create": [None, None, None]})
    assert drive(live, run)["status"] == "cancelled"
    assert len(answered(sandbox, "contacts_create")) == 1
    with pytest.raises(InputError):
        live.runs.resume(run)


def test_a_run_cancelled_at_work_sends_nothing_more(live, sandbox):
    """Cancelling stops a step in its middle: at most what is under way is finished."""
    sandbox.control("POST", "/settings", {"latency_ms": 100})
    try:
        run = begun(live, CREATE, emails=[f"many{number}@example.com" for number in range(60)])
        seen = []

        def cancelling():
            while sandbox.count("contacts_create") < 3:
                time.sleep(0.05)
            live.runs.cancel(run)
            seen.append(sandbox.count("contacts_create"))

        thread = threading.Thread(target=cancelling)
        thread.start()
        assert drive(live, run)["status"] == "cancelled"
        thread.join()
        assert sandbox.count("contacts_create") <= seen[0] + 2
    finally:
        sandbox.control("POST", "/settings", {"latency_ms": 0})


UPDATE = """
  - id: change
    action: contacts_update
    for_each: inputs.emails
    on_error: {on_error}
    with: {{contact_id: {{$from: item}}, title: New}}
  - id: after
    action: users_search
    when: length(steps.change.errors) == `1`
    with: {{per_page: 5}}
"""


@pytest.mark.parametrize(
    ("on_error", "status", "after"),
    [("collect", "done", "done"), ("skip", "done", "skipped"), ("stop", "failed", None)],
)
def test_a_refused_item_is_collected_skipped_or_stops(live, sandbox, on_error, status, after):
    """As the step says: the other items are done, the refused one is kept with its reason, or left, or ends the run."""
    known = [contact["id"] for contact in sandbox.control("GET", "/contacts")["contacts"][:2]]
    run = begun(live, UPDATE.format(on_error=on_error), emails=[known[0], "0" * 24, known[1]])
    report = drive(live, run)
    assert report["status"] == status, report
    if status == "failed":
        assert report["detail"]["item"] == "1"
        return
    change = report["steps"][0]
    assert (change["requests"], change["records"], change["failed"]) == (3, 2, 1)
    assert [error["item"] for error in change["errors"]] == (["1"] if on_error == "collect" else [])
    assert report["steps"][1]["status"] == after
    records = list(live.runs.records(run, "change"))
    assert [record["id"] for record in records] == known


def test_records_of_a_step_keep_the_order_of_its_items(live, sandbox):
    """Though eight requests run side by side and finish in any order."""
    emails = [f"order{number}@example.com" for number in range(30)]
    run = begun(live, CREATE.replace("concurrency: 1", "concurrency: 8"), emails=emails)
    assert drive(live, run)["status"] == "done"
    assert [record["email"] for record in live.runs.records(run, "make")] == emails


def test_a_service_in_trouble_is_worked_around(live, sandbox):
    """503, a proxy's page and dropped answers in the middle end in the same result: each contact once."""
    for kind in ("status", "html", "drop_before", "drop_after"):
        sandbox.control("POST", "/faults", {"operation": "contacts_create", "kind": kind, "times": 1, "after": 1})
    run = begun(live, CREATE, emails=EMAILS)
    report = drive(live, run)
    assert report["status"] == "done"
    for email in EMAILS:
        assert sandbox.control("GET", f"/contacts?email={email}")["total"] == 1
    assert len(report["in_doubt"]) == 3
    assert {row["outcome"] for row in report["in_doubt"]} == {"repeated, harmless by its effect"}


def test_what_is_missing_at_the_start_is_told_together(live):
    """A missing input, an unknown one, and a connection that doesn't exist: all at once, and no run is stored."""
    text = HEAD.replace("{default: []}, more", "{}, more").replace("use: mine", "use: nobody") + "steps:" + CREATE
    workflow = parse_workflow(text, live.registry.manifests)
    with pytest.raises(InputError) as caught:
        engine.start(live, workflow, {"colour": 1}, {"other": "mine"})
    found = {problem.path for problem in caught.value.problems}
    assert found == {"colour", "inputs.emails", "other", "connections.apollo"}
    assert live.runs.all() == []
    with pytest.raises(NotFoundError):
        drive(live, "nobody")


def test_nothing_durable_is_a_pickle_and_no_key_is_in_the_database(live, sandbox):
    """Whatever DBOS and the host keep is JSON or sealed; the API key is nowhere in the clear."""
    run = begun(live, CREATE, emails=EMAILS[:1])
    drive(live, run)
    live.store.close()
    data = b"".join(file.read_bytes() for file in live.settings.home.glob("host.db*"))
    assert sandbox.facts["keys"]["master"].encode() not in data
    assert b"\x80\x04\x95" not in data
    assert b"gASV" not in data


DRIVER = """
import json, sys, time
from apollo_component.host.host import Host
from apollo_component.host.workflow import engine
time.sleep(max(0, float(sys.argv[2]) - time.time()))
host = Host.open()
print(json.dumps(engine.drive(host, sys.argv[1])["status"]))
host.close()
"""


def in_processes(live, monkeypatch, runs):
    monkeypatch.setenv("WORKFLOW_HOST_HOME", str(live.settings.home))
    monkeypatch.setenv("WORKFLOW_HOST_DATABASE_URL", live.settings.database_url)
    begin = str(time.time() + 2.5)
    command = [sys.executable, "-W", "ignore", "-c", DRIVER]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*command, run, begin], **pipes) for run in runs]
    ended = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0] * len(runs), ended
    return [json.loads(out) for out, _ in ended]


@pytest.mark.full
def test_two_processes_drive_two_runs_on_one_database(live, sandbox, monkeypatch):
    """Side by side, each run ends well and no request of either is made twice."""
    groups = [[f"p{process}n{number}@example.com" for number in range(25)] for process in range(2)]
    steps = CREATE.replace("concurrency: 1", "concurrency: 4") + "  - {id: users, action: users_search}\n"
    runs = [begun(live, steps, emails=group) for group in groups]
    assert in_processes(live, monkeypatch, runs) == ["done", "done"]
    once(sandbox, "contacts_create", 50)
    for run, group in zip(runs, groups, strict=True):
        assert [record["email"] for record in live.runs.records(run, "make")] == group


@pytest.mark.both
def test_two_processes_drive_one_run(live, sandbox, monkeypatch):
    """Of two that drive the same run one does the work, and the other finds it done or in other hands."""
    run = begun(live, CREATE, emails=[f"same{number}@example.com" for number in range(20)])
    assert in_processes(live, monkeypatch, [run, run]) == ["done", "done"]
    once(sandbox, "contacts_create", 20)
