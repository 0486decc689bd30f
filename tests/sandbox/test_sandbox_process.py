"""The command: what it prints, how connections break, how it ends."""

import json
import subprocess
import sys
import threading

import httpx
import pytest

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def _fresh(process):
    process.control("POST", "/reset")


def in_background(process, *arguments):
    """Sends a request from another thread; returns the thread and where its outcome will be."""
    outcome = []

    def go():
        try:
            outcome.append(process.api(*arguments).status_code)
        except httpx.HTTPError as error:
            outcome.append(type(error).__name__)

    thread = threading.Thread(target=go)
    thread.start()
    return thread, outcome


def wait_for_hold(process):
    for _ in range(500):
        if held := process.control("GET", "/held"):
            return held
    raise AssertionError("nothing was held")


def test_it_says_how_to_reach_it(process):
    """The first line is one JSON object with addresses, keys and the registered application."""
    facts = process.facts
    assert facts["api_url"].endswith("/api/v1")
    assert set(facts["keys"]) == {"master", "scoped", "scoped_without_search", "free"}
    assert all(len(key) >= 22 for key in facts["keys"].values())
    assert facts["oauth"]["redirect_uris"] == ["http://127.0.0.1:8765/callback", "http://127.0.0.1:9/other"]
    assert (facts["people"], facts["companies"], facts["contacts"]) == (2000, 300, 1000)
    assert facts["pid"] == process.popen.pid
    assert process.api("GET", "/auth/health").json()["is_logged_in"] is True


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_dropped_connection_has_no_answer(process, kind):
    """The client sees the connection close without a single byte."""
    process.control("POST", "/faults", {"operation": "contacts_create", "kind": kind, "times": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        process.api("POST", "/contacts", {"email": "x@example.com"})
    done = process.control("GET", "/contacts?email=x@example.com")["total"]
    assert done == (kind == "drop_after")


def test_a_truncated_answer_breaks_off(process):
    """The length promises more than comes."""
    process.control("POST", "/faults", {"operation": "users_search", "kind": "truncate", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        process.api("GET", "/users/search")
    assert process.api("GET", "/users/search").status_code == 200


@pytest.mark.parametrize(("kind", "done"), [("hold_before", 0), ("hold_after", 1)])
def test_a_held_request_waits_for_its_release(process, kind, done):
    """Held before the work nothing has happened yet, held after it all has; then the answer comes."""
    process.control("POST", "/faults", {"operation": "contacts_create", "kind": kind, "times": 1})
    thread, outcome = in_background(process, "POST", "/contacts", {"email": "x@example.com"})
    held = wait_for_hold(process)
    assert process.control("GET", "/contacts?email=x@example.com")["total"] == done
    assert (held[0]["operation"], held[0]["kind"], outcome) == ("contacts_create", kind, [])
    assert process.control("POST", "/release", {"id": held[0]["id"]}) == {"released": 1}
    thread.join(5)
    assert outcome == [200]
    assert process.control("GET", "/contacts?email=x@example.com")["total"] == 1


def test_a_client_that_hangs_up_leaves_the_work_done(process):
    """A hold outlives its client; after the release the record says that nobody got the answer."""
    process.control("POST", "/faults", {"operation": "contacts_create", "kind": "hold_after", "times": 1})
    headers = {"x-api-key": process.facts["keys"]["master"]}
    with pytest.raises(httpx.ReadTimeout), httpx.Client(timeout=httpx.Timeout(10, read=0.2)) as client:
        client.post(process.facts["api_url"] + "/contacts", json={"email": "x@example.com"}, headers=headers)
    wait_for_hold(process)
    process.control("POST", "/release", {"all": True})
    entry = process.control("GET", "/requests?operation=contacts_create")[-1]
    assert (entry["status"], entry["answered"]) == (200, False)
    assert process.control("GET", "/contacts?email=x@example.com")["total"] == 1


def test_it_ends_soon_with_requests_held(start):
    """SIGTERM is a clean end, even while a request is held and connections are open."""
    process = start("--people", "100")
    process.control("POST", "/faults", {"kind": "hold_before"})
    thread, _ = in_background(process, "GET", "/users/search")
    wait_for_hold(process)
    process.popen.terminate()
    assert process.popen.wait(5) == 0
    assert process.stop() == 0
    thread.join(5)


def test_sixty_thousand_people_start_quickly(start):
    """A big world is there about as fast as a small one, and adds up."""
    process = start("--people", "60000", "--seed", "7")
    answer = process.api("POST", "/mixed_people/api_search", {"per_page": 1}).json()
    assert answer["total_entries"] == process.facts["people"] == 60_000
    assert process.stop() == 0


def test_the_friendly_text_has_the_two_exports():
    """Without --json the command prints what to put into the environment."""
    command = [sys.executable, "-m", "apollo_component.sandbox", "--people", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(6)]
        process.terminate()
    text = "".join(lines)
    assert "export APOLLO_API_URL=http://127.0.0.1:" in text
    assert "export APOLLO_OAUTH_URL=http://127.0.0.1:" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[0])


@pytest.mark.parametrize("port", [None, "70000"])
def test_a_port_that_cant_be_had_is_a_mistake(process, port):
    """A port in use or out of range is named with what to do; exit code 2, no traceback."""
    port = port or process.facts["api_url"].split(":")[2].partition("/")[0]
    command = [sys.executable, "-m", "apollo_component.sandbox", "--port", port]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--port: {port} is in use or is no port: choose another" in done.stderr
    assert "Traceback" not in done.stderr
