"""Late results against the sandbox: fetched, delivered, interrupted, doubled and lost; nothing is paid twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from apollo_component.contract.models import Credential
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

from ..conftest import free_port
from .conftest import link

pytestmark = pytest.mark.real
HEAD = "name: test\ninputs: {people: {default: []}}\nconnections: {apollo: {connector: apollo, use: mine}}\nsteps:"
REVEAL = """
  - id: reveal
    action: people_bulk_match
    with: {details: {$from: inputs.people}, reveal_phone_number: true}
  - id: names
    action: labels_list
"""
EXPORT = {"start_time": "2020-01-01T00:00:00Z", "end_time": "2036-01-01T00:00:00Z"}


class Live:
    """A host on the sandbox whose waiting moves the sandbox's clock instead of taking time."""

    def __init__(self, sandbox, settings, public_url="", hurry=True):
        settings = replace(settings, public_url=public_url)
        self.sandbox, self.said = sandbox, []
        self.host = Host.open(settings, Registry.installed(), notice=self.said.append)
        if not self.host.connections.all():
            link(self.host, sandbox)
        self.moved = 0.0
        if hurry:
            self.host.waiter.clock = lambda: time.time() + self.moved
            self.host.waiter.sleep = self.sleep

    def sleep(self, seconds):
        self.moved += seconds
        self.sandbox.control("POST", "/clock", {"advance": seconds})

    def run(self, action, values, **more):
        self.made = self.host.runs.create("action", action).id
        link, found = self.host.connections.get("mine"), self.host.registry.manifest("apollo").actions[action]
        return list(self.host.runner.pages(Job(self.made, link.id, found, values, **more)))

    def begin(self, steps, **inputs):
        return engine.start(self.host, parse_workflow(HEAD + steps, self.host.registry.manifests), inputs, {}).id

    def drive(self, run):
        return engine.drive(self.host, run, progress=self.said.append)

    def agrees(self, run=None):
        """The sandbox's ledger and the run's credits say the same, and nothing is open."""
        found = self.host.journal.spent(run or self.made)
        assert found == {"spent": self.sandbox.control("GET", "/ledger")["total"], "reserved": 0, "paid_twice": 0}


@pytest.fixture
def live(sandbox, settings):
    sandbox.unlimited()
    made = Live(sandbox, settings)
    yield made
    made.host.close()


def found_people(live, count=12):
    """People of the sandbox, the first of whom has a mobile number."""
    found = live.run("people_api_search", {"per_page": 100})[0].records
    found.sort(key=lambda record: record["has_direct_phone"] != "Yes")
    return [{"id": record["id"]} for record in found[:count]]


def revealed(live, wanted):
    """Pages and records of a reveal of numbers, which has everybody in order."""
    found = live.run("people_bulk_match", {"details": wanted, "reveal_phone_number": True})
    records = [record for page in found for record in page.records]
    assert [record["id"] for record in records] == [person["id"] for person in wanted]
    return found, records


def answered(sandbox, operation):
    entries = sandbox.control("GET", f"/requests?operation={operation}")
    return Counter(entry["body"] for entry in entries if entry["status"] == 200)


@pytest.mark.parametrize("bill_on", ["accept", "deliver"])
def test_numbers_are_fetched_merged_and_paid_once(live, sandbox, bill_on):
    """Whenever the service books it, every person comes once, in order, with numbers, and both ledgers agree."""
    wanted = found_people(live)
    sandbox.control("POST", "/settings", {"bill_on": bill_on, "async_seconds": 45})
    found, records = revealed(live, wanted)
    assert records[0]["phone_numbers"][0]["sanitized_number"].startswith("+1")
    assert records[0]["email"]
    assert [page.warnings for page in found] == [()] * 2
    live.agrees()
    assert set(answered(sandbox, "people_bulk_match").values()) == {1}
    assert "waiting for 2 late results" in live.said


def test_a_waterfall_brings_the_address_into_the_record(live, sandbox):
    """A waterfall's email fills the record that came without one; its cost is settled too."""
    person = found_people(live, 1)[0]
    given = {**person, "run_waterfall_email": True, "run_waterfall_phone": True, "reveal_phone_number": True}
    (page,) = live.run("people_match", given, max_credits_per_record=40)
    (record,) = page.records
    assert page.value == record
    assert record["email"] == record["emails"][0]["email"]
    assert record["waterfall"]["phone_numbers"]
    live.agrees()


def test_nobody_found_costs_nothing_and_isnt_waited_for(live, sandbox):
    """An unknown person is null at once."""
    (page,) = live.run("people_match", {"email": "nobody@nowhere.example", "reveal_phone_number": True})
    assert (page.value, live.moved) == (None, 0)
    live.agrees()


def test_a_failed_enrichment_leaves_the_person(live, sandbox):
    """The profile that was paid for comes with the reason."""
    person = found_people(live, 1)[0]
    sandbox.control("POST", "/faults", {"operation": "webhook_result", "kind": "fail"})
    (page,) = live.run("people_match", {**person, "reveal_phone_number": True})
    assert page.value["id"] == person["id"]
    assert "enrichment_failed" in page.warnings[0]


@pytest.mark.full
def test_a_result_can_be_fetched_after_the_time_was_over(live, sandbox):
    """The warning names the request; with it the numbers can be had later, waiting for them once more."""
    person = found_people(live, 1)[0]
    sandbox.control("POST", "/settings", {"async_seconds": 4000})
    (page,) = live.run("people_match", {**person, "reveal_phone_number": True})
    assert "Nothing has arrived within 30 minutes" in page.warnings[0]
    assert "Paid so far: 1 credit; up to 8 more" in page.warnings[0]
    asked = dict(page.late.input)
    assert asked["request_id"] in page.warnings[0]
    sandbox.control("POST", "/clock", {"advance": 1000})
    (later,) = live.run("webhook_result_show", asked)
    assert later.value["webhook_result"]["people"][0]["id"] == person["id"]


def test_an_export_is_waited_for(live, sandbox):
    """The record gets the address of its file once there is one."""
    sandbox.control("POST", "/settings", {"async_seconds": 100})
    email = live.run("users_api_profile", {})[0].value["email"]
    (page,) = live.run("conversations_export_create", {**EXPORT, "email": email}, max_credits_per_record=500)
    assert page.value["redirect_url"].startswith(sandbox.facts["api_url"].rpartition("/api")[0])
    assert page.value["export_id"]
    assert 90 <= live.moved <= 130


def test_a_task_of_the_assistant_is_waited_for(live, sandbox):
    """The last answer is the result: done, with its messages."""
    sandbox.control("POST", "/settings", {"async_seconds": 25})
    (page,) = live.run("agents_task", {"instruction": "Count the deals."})
    assert page.value["status"] == "completed"
    assert page.value["messages"][-1]["role"] == "assistant"
    assert len(answered(sandbox, "agents_task")) == 2


def test_an_email_is_waited_for_until_it_left(live, sandbox):
    """Sending gives the message as it stands once it has left."""
    mail = draft(live, 0)
    sandbox.control("POST", "/settings", {"email_seconds": 25})
    (page,) = live.run("emailer_messages_send_now", {"id": mail})
    assert (page.value["status"], page.warnings) == ("completed", ())
    assert page.value["completed_at"]


def test_a_job_in_the_background_is_told(live, sandbox):
    """There is no way to ask for it, so the page says which job it is and how it stands."""
    made = [live.run("contacts_create", {"email": f"p{n}@example.com", "run_dedupe": True})[0].value for n in range(2)]
    given = {"contact_attributes": [{"id": one["id"], "title": "Head"} for one in made], "async": True}
    (page,) = live.run("contacts_bulk_update", given)
    assert "goes on with this in the background (job " in page.warnings[0]


# Workflows


def test_a_workflow_waits_and_hands_on_whole_records(live, sandbox):
    """All requests of a step first, then its waits; the next step sees the merged records; the ledgers agree."""
    wanted = found_people(live)
    sandbox.control("POST", "/settings", {"async_seconds": 60})
    run = live.begin(REVEAL, people=wanted)
    report = live.drive(run)
    assert report["status"] == "done", report
    records = list(live.host.runs.records(run, "reveal"))
    assert [record["id"] for record in records] == [person["id"] for person in wanted]
    assert records[0]["phone_numbers"]
    assert report["steps"][0]["requests"] == 2
    assert "reveal: waiting for 2 late results" in live.said
    live.agrees(run)
    sandbox.control("DELETE", "/requests")
    assert live.drive(run)["status"] == "done"
    assert sandbox.control("GET", "/requests") == []


def test_a_step_may_not_wait_and_a_later_one_fetches(live, sandbox):
    """With `wait: false` the step ends at once, and its `late` tells a later step what to fetch."""
    steps = (
        REVEAL.replace("reveal_phone_number: true}", "reveal_phone_number: true}\n    wait: false")
        + """
  - id: fetch
    action: webhook_result_show
    for_each: steps.reveal.late
    with: {request_id: {$from: item.request_id}}
"""
    )
    run = live.begin(steps, people=found_people(live))
    report = live.drive(run)
    assert report["status"] == "done", report
    assert "isn't waited for" in report["steps"][0]["warnings"][0]
    fetched = list(live.host.runs.records(run, "fetch"))
    assert [one["webhook_status"] for one in fetched] == ["success"] * 2
    assert fetched[0]["webhook_result"]["people"]


@pytest.mark.full
def test_a_run_goes_on_when_nothing_arrives(live, sandbox):
    """When the time is over the run ends well, with a warning and the way to fetch it."""
    sandbox.control("POST", "/settings", {"async_seconds": 4000})
    run = live.begin(REVEAL, people=found_people(live, 3))
    report = live.drive(run)
    assert report["status"] == "done"
    step = report["steps"][0]
    assert (step["records"], len(step["late"])) == (3, 1)
    assert "Nothing has arrived" in step["warnings"][0]
    assert report["credits"]["reserved"] == 27


FAILED = {"id": "x", "status": "failed", "message": "Email failed to send.", "failure_reason": "Mailbox disconnected"}
FAILING = {"operation": "emailer_messages_send_status", "kind": "status", "status": 200, "body": FAILED, "times": 1}
MAIL = """
  - id: mail
    action: emailer_messages_send_now
    for_each: inputs.people
    confirm: true
    on_error: collect
    with: {id: {$from: item}}
"""


def draft(live, number):
    person = {"first_name": "Dana", "email": f"dana{number}@example.com", "run_dedupe": True}
    contact = live.run("contacts_create", person)[0].value["id"]
    given = {"contact_id": contact, "subject": "Hello", "body_html": "<p>Hi</p>"}
    return live.run("emailer_messages_create", given)[0].value["id"]


def test_an_email_that_fails_is_an_error_of_its_item(live, sandbox):
    """With `collect` the run goes on; the one that failed is among the errors and not among the records."""
    drafts = [draft(live, number) for number in range(2)]
    sandbox.control("POST", "/faults", FAILING)
    run = live.begin(MAIL.replace("confirm", "concurrency: 1\n    confirm"), people=drafts)
    report = live.drive(run)
    assert report["status"] == "done", report
    (error,) = report["steps"][0]["errors"]
    assert (error["error"]["code"], "Mailbox disconnected" in error["error"]["message"]) == ("rejected", True)
    assert [(mail["id"], mail["status"]) for mail in live.host.runs.records(run, "mail")] == [(drafts[1], "completed")]
    assert sandbox.count("emailer_messages_send_now") == 2


def test_a_failed_run_waits_again_when_it_is_resumed(live, sandbox):
    """With `stop` the run fails at the waiting; resumed, it asks again and sends nothing twice."""
    sandbox.control("POST", "/faults", FAILING)
    run = live.begin(MAIL.replace("collect", "stop"), people=[draft(live, 0)])
    report = live.drive(run)
    assert (report["status"], report["detail"]["item"]) == ("failed", "0")
    live.host.runs.resume(run)
    assert live.drive(run)["status"] == "done"
    assert sandbox.count("emailer_messages_send_now") == 1


def meanwhile(live, happens):
    """Let something happen once, in the middle of the waiting."""
    sleep, done = live.host.waiter.sleep, []

    def sleeping(seconds):
        sleep(seconds)
        if live.moved > 20 and not done:
            done.append(True)
            happens()

    live.host.waiter.sleep = sleeping


def test_a_cancelled_run_stops_waiting(live, sandbox):
    """A person who cancels in the middle isn't made to wait, and nothing more is asked."""
    sandbox.control("POST", "/settings", {"async_seconds": 3600})
    run = live.begin(REVEAL, people=found_people(live, 3))
    meanwhile(live, lambda: live.host.runs.cancel(run))
    assert live.drive(run)["status"] == "cancelled"
    assert live.moved < 60


def test_a_key_that_is_withdrawn_parks_the_waiting(live, sandbox):
    """A workflow waits for the account to be linked again, then goes on waiting and pays once."""
    sandbox.control("POST", "/settings", {"async_seconds": 100})
    run = live.begin(REVEAL, people=found_people(live, 3))
    mine = live.host.connections.get("mine")
    bad = Credential("api_key", api_key="x" * 22)
    meanwhile(live, lambda: live.host.connections.replace_credential(mine, bad, "linked again", ""))
    assert live.drive(run)["status"] == "waiting_for_authorization"
    link(live.host, sandbox)
    assert live.drive(run)["status"] == "done"
    assert next(iter(live.host.runs.records(run, "reveal")))["phone_numbers"]
    assert len(answered(sandbox, "people_bulk_match")) == 1
    live.agrees(run)


def command(live, *arguments, **environ):
    settings = live.host.settings
    state = {"WORKFLOW_HOST_HOME": str(settings.home), "WORKFLOW_HOST_DATABASE_URL": settings.database_url}
    env = os.environ | state | environ
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-W", "ignore", "-m", "apollo_component", *arguments], env=env, **pipes)


def says(process, text):
    """The first line of its stderr that has the text."""
    for line in process.stderr:
        if text in line:
            return json.loads(line)
    raise AssertionError(f"never: {text}")


def killed(live, tmp_path, **environ):
    """The run of a process that was killed with -9 while it waited for two late results."""
    file = tmp_path / "reveal.yaml"
    people = json.dumps(found_people(live))
    file.write_text((HEAD + REVEAL).replace("{people: {default: []}}", f"{{people: {{default: {people}}}}}"))
    live.sandbox.control("POST", "/settings", {"async_seconds": 3600})
    process = command(live, "workflow", "run", str(file), "--json", **environ)
    run = says(process, '"run"')["run"]["id"]
    says(process, "waiting for 2 late results")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    return run


@pytest.mark.both
def test_a_killed_process_is_succeeded_and_nothing_is_sent_again(live, sandbox, tmp_path):
    """Killed with -9 in the middle of the waiting, the run goes on waiting, and pays once."""
    run = killed(live, tmp_path)
    before = answered(sandbox, "people_bulk_match")
    assert len(before) == 2
    sandbox.control("POST", "/clock", {"advance": 3600})
    report = live.drive(run)
    assert report["status"] == "done", report
    assert report["in_doubt"] == []
    assert answered(sandbox, "people_bulk_match") == before
    assert next(iter(live.host.runs.records(run, "reveal")))["phone_numbers"]
    live.agrees(run)


# Deliveries


@pytest.fixture
def public(live, sandbox):
    """A host that is reached at the address of a real receiving process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = command(live, "callbacks", "--port", str(port), "--json", WORKFLOW_HOST_PUBLIC_URL=url)
    told = json.loads(process.stdout.readline())
    assert told == {"address": url, "public_url": url}
    made = Live(sandbox, live.host.settings, url)
    yield made
    made.host.close()
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def deliver(sandbox):
    """Let the sandbox's courier attempt what is due, and tell how each delivery stands."""
    return sandbox.control("POST", "/webhooks")


@pytest.mark.parametrize("fault", [None, "duplicate", "drop_after", "drop_before", "truncate"])
def test_deliveries_are_taken_once_whatever_happens_to_them(public, sandbox, fault):
    """Doubled, lost, broken off and come again: the numbers arrive once, are paid once, and nobody is asked."""
    wanted = found_people(public)
    if fault:
        sandbox.control("POST", "/faults", {"operation": "webhook", "kind": fault, "times": 1})
    sandbox.control("POST", "/settings", {"async_seconds": 20})
    sleep = public.host.waiter.sleep

    def delivering(seconds):
        sleep(seconds)
        deliver(sandbox)

    public.host.waiter.sleep = delivering
    _, records = revealed(public, wanted)
    assert records[0]["phone_numbers"]
    assert sandbox.count("webhook_result_show") == 0
    public.agrees()
    tokens = [json.loads(body)["webhook_url"].rpartition("/")[2] for body in sandbox.bodies("people_bulk_match")]
    kept = b"".join(file.read_bytes() for file in public.host.settings.home.glob("host.db*"))
    assert len(set(tokens)) == 2
    assert not [token for token in tokens if token.encode() in kept]


def test_without_a_receiver_the_results_are_fetched(live, sandbox):
    """When nobody listens at the public address, the slower questions bring the result."""
    dead = Live(sandbox, live.host.settings, f"http://127.0.0.1:{free_port()}")
    (page,) = dead.run("people_match", {**found_people(live, 1)[0], "reveal_phone_number": True})
    assert page.value["phone_numbers"]
    dead.agrees()
    dead.host.close()


@pytest.mark.full
def test_a_workflow_takes_deliveries_after_a_kill(public, sandbox, tmp_path):
    """What is delivered while no run is driven is there when the run goes on."""
    run = killed(public, tmp_path, WORKFLOW_HOST_PUBLIC_URL=public.host.settings.public_url)
    sandbox.control("POST", "/clock", {"advance": 3601})
    end = time.monotonic() + 20
    while {one["state"] for one in deliver(sandbox)} != {"delivered"}:
        assert time.monotonic() < end
    report = public.drive(run)
    assert report["status"] == "done", report
    assert sandbox.count("webhook_result_show") == 0
    assert len(answered(sandbox, "people_bulk_match")) == 2
    public.agrees(run)


def test_strangers_learn_nothing(public):
    """Whatever a stranger sends to the real server, the answer has no detail."""
    base = public.host.settings.public_url
    for method, path in (("POST", "/callbacks/x"), ("POST", "/callbacks/"), ("GET", "/"), ("POST", "/callbacks/a/b")):
        reply = httpx.request(method, base + path, content=b"{}")
        assert reply.status_code == 404
        assert "server" not in reply.headers
    assert httpx.get(base + "/callbacks/x").status_code == 405
