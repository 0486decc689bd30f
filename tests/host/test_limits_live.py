"""Quota between real processes on one database, against a sandbox whose minutes pass quickly."""

import json
import subprocess
import sys
import time
from collections import Counter

import pytest

from apollo_component.contract.models import Credential
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key

pytestmark = pytest.mark.real
RATE = 6
"""A minute passes in ten seconds."""
LIMIT = 60
ENOUGH = 150
WORKFLOWS = {"greedy": 10, "modest": 4, "shy": 3}
"""The threads of each in every process."""

WORKER = """
import json, sys, threading, time
from collections import Counter
from apollo_component.contract.errors import ConnectorError
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.quota import Party
name, workflows, begin, rate = json.loads(sys.argv[1])
host = Host.open(clock=lambda: begin + (time.time() - begin) * rate, sleep=lambda seconds: time.sleep(seconds / rate))
connection = host.connections.get(name)
action = host.registry.manifest("apollo").actions["labels_list"]
served, trouble, enough = Counter(), Counter(), threading.Event()
def work(workflow):
    number = 0
    while not enough.is_set():
        number += 1
        call = Call(Key(workflow, "s", str(number)), connection.id, action, {}, party=Party(workflow, background=True))
        try:
            host.caller.page(call)
            served[workflow] += 1
        except ConnectorError as error:
            trouble[error.code] += 1
running = [threading.Thread(target=work, args=(w,), daemon=True) for w, count in workflows.items() for _ in range(count)]
print("ready", flush=True)
sys.stdin.readline()
[one.start() for one in running]
sys.stdin.read()
enough.set()
print(json.dumps({"served": served, "trouble": trouble}))
"""


@pytest.fixture
def linked(sandbox, database_url, tmp_path, monkeypatch):
    """A host on either database, linked to the sandbox by key; both clocks run fast."""
    monkeypatch.setenv("WORKFLOW_HOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORKFLOW_HOST_DATABASE_URL", database_url)
    monkeypatch.delenv("WORKFLOW_HOST_KEY", raising=False)
    begin = time.time()
    sandbox.control("POST", "/clock", {"rate": RATE})
    host = Host.open(
        clock=lambda: begin + (time.time() - begin) * RATE, sleep=lambda seconds: time.sleep(seconds / RATE)
    )
    credential = Credential("api_key", api_key=sandbox.facts["keys"]["master"])
    yield host, host.connections.add("live", "apollo", credential), begin
    host.close()


@pytest.mark.full
def test_four_processes_share_a_window(linked, sandbox, capsys):
    """Four processes with three greedy workflows are refused twice a window at most, the workflows share alike, and a
    person beside them doesn't wait for a window's end."""
    host, connection, begin = linked
    sandbox.control("POST", "/quotas", {"labels_list": [LIMIT, None, None]})
    order = json.dumps([connection.id, WORKFLOWS, begin, RATE])
    command = [sys.executable, "-W", "ignore", "-c", WORKER, order]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    sandbox.control("DELETE", "/requests")
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    waits = list(_person(host, connection, sandbox))
    told = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    served = sum((Counter(one["served"]) for one in told), Counter())
    windows = _windows(sandbox.control("GET", "/requests?operation=labels_list"))
    refusals = [sum(entry["status"] == 429 for entry in window) for window in windows]
    with capsys.disabled():
        print(
            f"\nquota, 4 processes, {host.store.url.get_backend_name()}: answered in each window "
            f"{[len(window) - count for window, count in zip(windows, refusals, strict=True)]} of {LIMIT}, "
            f"refused {refusals}; share {dict(served)}; "
            f"a person waited {sorted(waits)[len(waits) // 2]:.2f} s (median), {max(waits):.2f} s (longest)"
        )
    assert sum((Counter(one["trouble"]) for one in told), Counter()) == {}
    assert max(refusals) <= 2
    assert min(served[name] for name in WORKFLOWS) >= sum(served.values()) / len(WORKFLOWS) * 0.5
    assert sorted(waits)[len(waits) // 2] < 60 / RATE / 2


def _person(host, connection, sandbox):
    """Interactive calls, two in each window, until the workflows have had enough: the seconds each took."""
    action = host.registry.manifest("apollo").actions["labels_list"]
    until = time.monotonic() + 180
    while sandbox.count("labels_list") < ENOUGH and time.monotonic() < until:
        time.sleep(30 / RATE)
        began = time.monotonic()
        host.caller.page(Call(Key("person", "run", str(began)), connection.id, action, {}))
        yield time.monotonic() - began


def _windows(requests):
    """The requests of each of the service's windows, which the first of them opens."""
    found, opened = [], float("-inf")
    for entry in sorted(requests, key=lambda entry: entry["at"]):
        if entry["at"] >= opened + 60:
            opened = entry["at"]
            found.append([])
        found[-1].append(entry)
    return found
