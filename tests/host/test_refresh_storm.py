"""The refresh storm: many threads in many processes find one token expired, and one request is sent."""

import json
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from apollo_component.contract.models import OAuthApp
from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.tables import connections

pytestmark = pytest.mark.real
PROCESSES, THREADS = 4, 50

WORKER = """
import json, sys, threading, time
from collections import Counter
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
host = Host.open()
name, threads, begin = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = host.connections.get(name)
action = host.registry.manifest("apollo").actions["users_api_profile"]
gate, outcomes, seconds = threading.Barrier(threads), Counter(), []
def go(number):
    gate.wait()
    time.sleep(max(0, begin - time.time()))
    began = time.monotonic()
    try:
        host.caller.page(Call(Key("storm", "s", str(number)), connection.id, action, {}))
        outcomes["ok"] += 1
    except Exception as error:
        outcomes[f"{type(error).__name__}: {error}"] += 1
    seconds.append(time.monotonic() - began)
running = [threading.Thread(target=go, args=(n,)) for n in range(threads)]
[one.start() for one in running]
[one.join() for one in running]
host.close()
print(json.dumps({"outcomes": outcomes, "slowest": max(seconds)}))
"""


@pytest.fixture
def linked(sandbox, tmp_path, database_at, monkeypatch):
    """A host whose OAuth connection was linked on the sandbox's consent page."""
    sandbox.unlimited()
    monkeypatch.setenv("WORKFLOW_HOST_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("WORKFLOW_HOST_DATABASE_URL", database_at(tmp_path / "home"))
    monkeypatch.delenv("WORKFLOW_HOST_KEY", raising=False)
    host = Host.open()
    facts = sandbox.facts["oauth"]
    app = OAuthApp(facts["client_id"], facts["client_secret"], tuple(facts["redirect_uris"]))
    attempt = linking.begin(host, "apollo", "storm", "oauth2", app, actions=["users_search"])
    connection, report = linking.finish(host, attempt, sandbox.consent(attempt.url))
    assert report.verdict == "connected"
    yield host, connection
    host.close()


@pytest.mark.parametrize("slow", [0, 2])
@pytest.mark.parametrize("how", ["by its date", "at the service"])
def test_two_hundred_threads_refresh_once(linked, sandbox, how, slow, capsys):
    """Four processes with fifty threads each find one token expired: one refresh is sent and every run succeeds."""
    host, connection = linked
    if how == "by its date":
        with host.store.write() as database:
            past = time.time() - 10
            values = {"expires_at": past, "issued_at": past - 2592000}
            database.execute(sa.update(connections).values(**values))
    else:
        sandbox.control("POST", "/tokens/expire", {})
    if slow:
        sandbox.control("POST", "/faults", {"operation": "oauth_token", "kind": "latency", "seconds": slow})
    sandbox.control("DELETE", "/requests")
    began = time.time() + 3
    command = [sys.executable, "-c", WORKER, connection.id, str(THREADS), str(began)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    ended = [one.communicate(timeout=120) for one in running]
    took = time.time() - began
    assert [one.returncode for one in running] == [0] * PROCESSES, ended
    told = [json.loads(out) for out, _ in ended]
    refreshes = sandbox.control("GET", "/oauth")["requests"].get("refresh_token", {})
    refused = sum(entry["status"] == 401 for entry in sandbox.control("GET", "/requests"))
    slowest = max(one["slowest"] for one in told)
    with capsys.disabled():
        print(
            f"\nstorm, expired {how}, token endpoint +{slow} s: {PROCESSES} x {THREADS} threads, "
            f"token requests {refreshes}, calls refused with 401 {refused}, slowest {slowest:.1f} s, all {took:.1f} s"
        )
    assert [one["outcomes"] for one in told] == [{"ok": THREADS}] * PROCESSES
    assert refreshes == {"ok": 1}
    assert host.connections.get(connection.id).version == connection.version + 1
