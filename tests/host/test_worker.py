"""A worker looks, queues and drives: against the sandbox, with real durable runs."""

import asyncio
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa

from apollo_component.contract.models import OAuthApp
from apollo_component.host import linking, tables
from apollo_component.host.attempts import APP_SECONDS
from apollo_component.host.callbacks import serve
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.runs import TIDY_SECONDS
from apollo_component.host.workflow.subscriptions import Subscriptions
from apollo_component.host.workflow.worker import Worker

from ..conftest import free_port
from .conftest import Later, link
from .following import Followed

pytestmark = pytest.mark.real
SHOW = "  - {id: show, action: contacts_show, with: {contact_id: {$from: trigger.id}}}\n"


class Office:
    """A host linked to the sandbox, with workers to send in."""

    def __init__(self, sandbox, settings, public_url=""):
        sandbox.unlimited()
        self.sandbox, self.later = sandbox, Later()
        self.host = Host.open(replace(settings, public_url=public_url), Registry.installed(), clock=self.later)
        self.subscriptions = Subscriptions(self.host.store, self.later)
        link(self.host, sandbox)

    def enable(self, steps=SHOW, start="trigger: {on: contact_created, every: 10}"):
        text = f"name: follow\nconnections: {{apollo: {{connector: apollo, use: mine}}}}\n{start}\nsteps:\n{steps}"
        follow = Followed(self.host, text)
        follow.look()
        return follow.id

    def people(self, count):
        """Contacts that somebody makes in Apollo."""
        for number in range(count):
            reply = httpx.post(
                self.sandbox.facts["api_url"] + "/contacts",
                json={"email": f"new{number}@example.com", "first_name": f"New {number}"},
                headers={"x-api-key": self.sandbox.facts["keys"]["master"]},
            )
            assert reply.status_code == 200

    def work(self, **more):
        self.later.offset += 11
        said = []
        asyncio.run(Worker(self.host, progress=said.append, **more).serve(once=True))
        return said

    def runs(self):
        return [run for run in self.host.runs.all(1000) if run.id.startswith("t-")]


@pytest.fixture
def office(sandbox, settings):
    made = Office(sandbox, settings)
    yield made
    made.host.close()


@pytest.mark.both
def test_what_comes_is_worked_on_once(office):
    """Each new contact starts one run, and it is done; a second worker finds nothing to do."""
    office.enable()
    office.people(7)
    office.work()
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 7}
    assert office.sandbox.count("contacts_show") == 7


def test_a_run_that_waits_gives_its_place_to_others_and_goes_on_when_it_can(office):
    """A quota that is used up holds one run back, not the worker; after its reset the run goes on by itself."""
    office.enable()
    office.people(3)
    office.sandbox.control("POST", "/quotas", {"contacts_show": [None, None, 1]})
    office.work(concurrency=1)
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 1, "waiting_for_quota": 2}
    office.work(concurrency=1)
    office.sandbox.control("POST", "/quotas", {"contacts_show": [None, None, None]})
    office.later.offset += 86_400
    office.work(concurrency=1)
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 3}
    assert office.sandbox.count("contacts_show") == 3, "what the quota can't take is held back here"


def test_a_worker_refreshes_what_no_run_uses(office):
    """A connection by OAuth that is due gets new tokens although no workflow uses it."""
    facts = office.sandbox.facts["oauth"]
    app = OAuthApp(facts["client_id"], facts["client_secret"], tuple(facts["redirect_uris"]))
    attempt = linking.begin(office.host, "apollo", "idle", "oauth2", app)
    linked, _ = linking.finish(office.host, attempt, office.sandbox.consent(attempt.url))
    office.later.offset += 26 * 86_400
    office.work()
    assert office.host.connections.get(linked.id).version == linked.version + 1


def test_a_failed_run_stops_no_other(office):
    """A run whose request is refused is failed with its reason; the rest are done, and a person can send it on."""
    office.enable()
    office.people(3)
    refusal = {"operation": "contacts_show", "kind": "status", "status": 422, "times": 1, "body": {"error": "no"}}
    office.sandbox.control("POST", "/faults", refusal)
    said = office.work(concurrency=1)
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 2, "failed": 1}
    [failed] = [run for run in office.runs() if run.status == "failed"]
    assert any(failed.id in text and "failed" in text for text in said)
    office.host.runs.resume(failed.id)
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 3}


def test_a_connection_that_must_be_linked_again_loses_nothing(office):
    """While a key is refused, looking fails with its reason; linked again, what came meanwhile is worked on."""
    identity = office.enable()
    connection = office.host.connections.get("mine")
    office.host.connections.mark(connection, "needs_reauthorization", "test")
    office.people(2)
    office.work()
    assert office.subscriptions.get(identity).error["code"] == "reauthorization_needed"
    link(office.host, office.sandbox)
    office.later.offset += 3600
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 2}
    assert office.subscriptions.get(identity).error == {}


def test_a_schedule_starts_runs_by_itself(office):
    """A time that comes starts a run, whose steps can read that time."""
    steps = "  - {id: one, action: users_api_profile, when: trigger.at}\n"
    office.enable(steps, 'schedule: {cron: "0 * * * *"}')
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {}
    office.later.offset += 3700
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 1}
    assert office.host.runs.steps(office.runs()[0].id)[0]["status"] == "done"


def test_a_run_that_ended_meanwhile_is_not_begun_again(office):
    """Between looking for work and beginning it a run may end: it stays as it ended, and its lease is free."""
    office.enable()
    office.people(2)
    office.later.offset += 11
    worker = Worker(office.host)
    for item in worker.subscriptions.due():
        worker.sweeps.look(item, worker.parse(item.text))
    [(first, lease)] = worker.backlog.taken(1, frozenset())
    office.host.leases.release(lease)
    office.work()
    [other] = [run for run in office.runs() if run.id != first.id]
    assert worker.backlog.taken(1, frozenset({first.id})) == []
    assert [run.status for run in office.runs()] == ["done", "done"]
    assert office.host.leases.acquire(f"run:{other.id}", 1)


def test_a_worker_that_is_stopped_gives_back_what_it_can_t_end(office):
    """Told to stop while a request hangs, it waits a while, leaves the run where it stands, and another goes on."""
    office.enable()
    office.people(1)
    office.sandbox.control("POST", "/faults", {"operation": "contacts_show", "kind": "hold_before", "times": 1})
    office.later.offset += 11
    worker = Worker(office.host, drain_seconds=0.3)

    async def stopped():
        task = asyncio.create_task(worker.serve())
        while not office.sandbox.control("GET", "/held"):
            await asyncio.sleep(0.05)
        worker.stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(stopped())
    [run] = office.runs()
    assert office.host.runs.current(run.id).status == "interrupted"
    office.sandbox.control("POST", "/release", {"all": True})
    office.work()
    assert [run.status for run in office.runs()] == ["done"]


def test_old_data_goes_though_nobody_starts_a_run(office):
    """A worker deletes the records of runs that ended longer ago than they are kept."""
    office.enable()
    office.people(1)
    office.work()
    [run] = office.runs()
    assert list(office.host.runs.records(run.id, "show"))
    office.later.offset += 31 * 86_400
    office.work()
    assert list(office.host.runs.records(run.id, "show")) == []


def test_a_disabled_workflow_starts_nothing(office):
    """After disabling, what comes starts no run; enabled again, it does."""
    office.enable()
    office.subscriptions.disable("follow")
    office.people(1)
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {}
    office.enable()
    office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 1}


def test_what_is_delivered_starts_a_run_for_each_person(sandbox, settings):
    """An enrichment's late result, delivered to this host, is an event: once, however often the worker looks."""
    port = free_port()
    office = Office(sandbox, settings, public_url=f"http://127.0.0.1:{port}")
    sandbox.control("POST", "/settings", {"async_seconds": 0.1})
    steps = "  - {id: lists, action: labels_list, when: trigger.record.phone_numbers}\n"
    office.enable(steps, "trigger: {on: enrichment_completed, every: 10}")
    action = office.host.registry.manifest("apollo").actions["people_api_search"]
    link, run = office.host.connections.get("mine").id, office.host.runs.create("action", "test").id
    people = office.host.caller.page(Call(Key(run, "run", "0"), link, action, {"per_page": 100})).records
    person = next(record["id"] for record in people if record["has_direct_phone"] == "Yes")
    match = office.host.registry.manifest("apollo").actions["people_match"]
    with serve(office.host, port):
        for _ in range(2):
            again = office.host.runs.create("action", "test").id
            job = Job(again, link, match, {"id": person, "reveal_phone_number": True})
            [page] = office.host.runner.pages(job)
            assert page.value["phone_numbers"]
            office.work()
            office.work()
    assert office.subscriptions.counts("follow", office.host.runs) == {"done": 2}
    assert {found.inputs["trigger"]["id"] for found in office.runs()} == {person}
    assert {step["status"] for found in office.runs() for step in office.host.runs.steps(found.id)} == {"done"}
    office.host.close()


def test_a_worker_forgets_what_nobody_came_back_to(office):
    """An app that was typed for an account that was never linked is erased, although nobody links another."""
    office.host.apps.add(None, "apollo", OAuthApp("id", "secret", ("http://127.0.0.1:8765/callback",)))
    office.work()
    assert len(office.host.store.rows(sa.select(tables.apps))) == 1
    office.later.offset = APP_SECONDS + TIDY_SECONDS
    office.work()
    assert office.host.store.rows(sa.select(tables.apps)) == []
