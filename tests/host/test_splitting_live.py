"""More people than one query gives, read from the sandbox whole: within its quotas, on a clock that is moved."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from apollo_component.contract.schemas import Schemas
from apollo_component.host.host import Host
from apollo_component.host.plans import shortfall
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.splitting import chosen_fields
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

from .conftest import Sandbox, link

pytestmark = pytest.mark.real
SENIORITIES = ["person_seniorities"]


class SharedClock:
    """One time for host and sandbox: whoever waits moves both, and waits of several threads go by together."""

    def __init__(self, sandbox):
        self.sandbox, self.offset, self.lock, self.waited = sandbox, 0.0, threading.Lock(), 0.0

    def __call__(self):
        return time.time() + self.offset

    def sleep(self, seconds):
        until = self() + seconds
        if seconds < 1:
            time.sleep(seconds)
            return
        with self.lock:
            rest = until - self()
            if rest > 0:
                self.sandbox.control("POST", "/clock", {"advance": rest})
                self.offset += rest
                self.waited += rest


@pytest.fixture(scope="module")
def sandbox_process():
    """One with more people than a query reaches."""
    started = Sandbox("--people", "60000")
    yield started
    started.stop()


@pytest.fixture
def clock(sandbox):
    return SharedClock(sandbox)


@pytest.fixture
def live(sandbox, settings, clock, notices):
    host = Host.open(settings, Registry.installed(), clock=clock, sleep=clock.sleep, notice=notices.append)
    link(host, sandbox)
    yield host
    host.close()


def count(sandbox, **filters):
    return sandbox.control("POST", "/count?operation=people_api_search", filters)["count"]


def read(host, values=None, split_by=()):
    manifest = host.registry.manifest("apollo")
    action, schemas = manifest.actions["people_api_search"], Schemas(manifest.root)
    whole = schemas.check(action.input, values or {})
    fields = chosen_fields(manifest, schemas, action, split_by, whole) if split_by else ()
    run = host.runs.create("action", "test").id
    job = Job(run, host.connections.get("mine").id, action, whole, every_page=True, split_by=fields)
    return [record["id"] for page in host.runner.pages(job) for record in page.records]


def test_a_split_gives_every_person_or_the_exact_shortfall(live, sandbox, clock, notices):
    """More people match than one query reaches. Split by seniority, each comes once, the quota of 200 a minute is
    waited for (at most one probe a window is refused), and what lacks is told exactly."""
    matching = count(sandbox)
    assert matching > 50_000
    sandbox.control("DELETE", "/requests")
    ids = read(live, split_by=SENIORITIES)
    assert len(ids) == len(set(ids))
    told = [note for note in notices if "records matched" in note]
    assert told == list(filter(None, [shortfall(matching, len(ids), None)]))
    covered = count(sandbox, person_seniorities=[*seniorities(live)])
    assert len(ids) >= covered
    assert any(f"of {matching:,} records" in note for note in notices)
    entries = sandbox.control("GET", "/requests?operation=people_api_search")
    refused = sum(entry["status"] == 429 for entry in entries)
    assert refused <= len(entries) // 200
    assert len(entries) - refused >= matching // 100
    assert clock.waited >= 60 * (len(entries) // 200 - 1)


def seniorities(host):
    manifest = host.registry.manifest("apollo")
    fields = Schemas(manifest.root).fields("schemas/actions/people_api_search.schema.json")
    return fields["person_seniorities"]["items"]["enum"]


def test_without_a_split_the_ceiling_is_told_before_the_first_record(live, sandbox, notices):
    """The first page is held back until the person has heard what is out of reach and how to get it."""
    sandbox.unlimited()
    manifest = live.registry.manifest("apollo")
    run = live.runs.create("action", "test").id
    action = manifest.actions["people_api_search"]
    pages = live.runner.pages(Job(run, live.connections.get("mine").id, action, {}, every_page=True, concurrency=1))
    next(pages)
    assert f"{count(sandbox):,} records match, but one query gives the first 50,000 only" in notices[0]
    assert "by person_seniorities, organization_num_employees_ranges, contact_email_status" in notices[0]
    pages.close()


@pytest.mark.full
def test_the_command_splits_too(sandbox, tmp_path):
    """One process: every person on stdout once, the sums before and the shortfall after on stderr."""
    sandbox.unlimited()
    env = os.environ | {"WORKFLOW_HOST_HOME": str(tmp_path), "APOLLO_API_KEY": sandbox.facts["keys"]["master"]}
    command = [sys.executable, "-m", "apollo_component"]
    subprocess.run([*command, "connect", "api_key", "--name", "mine"], env=env, check=True, capture_output=True)
    asked = ["people_api_search", "--connection", "mine", "--all", "--split-by", "contact_email_status", "--json"]
    done = subprocess.run([*command, "run", *asked], env=env, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    told = [json.loads(line) for line in done.stderr.splitlines()]
    summary = next(item["run"] for item in told if "run" in item)
    matching = count(sandbox)
    assert len(ids) == len(set(ids)) == summary["records"]
    assert summary["matching"] == matching > 50_000
    assert len(ids) == matching or any(f"{matching - len(ids):,} are missing" in str(item) for item in told)


FILE = """
name: everybody
connections: {apollo: {connector: apollo, use: mine}}
steps:
  - id: search
    action: people_api_search
    all: true
    concurrency: 8
    split_by: [person_seniorities]
"""


@pytest.mark.full
def test_a_workflow_splits_and_goes_on_after_a_stop(live, sandbox, tmp_path):
    """Every part is a durable step: a run that stopped in the middle asks for nothing twice and has each person once."""
    sandbox.unlimited()
    run = engine.start(live, parse_workflow(FILE, live.registry.manifests), {}, {}).id
    sandbox.control("DELETE", "/requests")
    refusal = {"operation": "people_api_search", "kind": "status", "status": 422, "body": {"error": "no"}}
    sandbox.control("POST", "/faults", {**refusal, "after": 200, "times": 1})
    assert engine.drive(live, run)["status"] == "failed"
    live.runs.resume(run)
    report = engine.drive(live, run)
    assert report["status"] == "done", report
    (step,) = report["steps"]
    ids = [record["id"] for record in live.runs.records(run, "search")]
    assert step["records"] == len(set(ids))
    told = [text for text in step["warnings"] if "records matched" in text]
    assert told == list(filter(None, [shortfall(count(sandbox), len(set(ids)), None)]))
    entries = sandbox.control("GET", "/requests?operation=people_api_search")
    bodies = [entry["body"] for entry in entries if entry["status"] == 200]
    assert len(bodies) == len(set(bodies))
