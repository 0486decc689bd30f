"""No secret in any log, repr, error, page, command line, file or database value: a whole tour, searched afterwards."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.canary.scanner import Scanner, Watch
from tests.canary.tour import REPEATS, Tour, _environment, temporary_files_in

pytestmark = [pytest.mark.real]

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.full)])
def evidence(request, registered, tmp_path_factory):
    """The tour, done, with what was seen of processes and passing files meanwhile."""
    folder = tmp_path_factory.mktemp("tour")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        redirect = f"http://127.0.0.1:{probe.getsockname()[1]}/callback"
    command = [
        sys.executable,
        "-m",
        "apollo_component.sandbox",
        "--json",
        "--seed",  # keys of its own: objects of other tests in this process hold those of the usual world
        str(secrets.randbelow(10**9)),
        "--people",
        "300",
        "--redirect-uri",
        redirect,
    ]
    with (folder / "sandbox-stderr").open("wb") as errors:
        sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
    with sandbox.stdout:
        try:
            facts = json.loads(sandbox.stdout.readline())
            tour = Tour(folder, facts, os.environ["PYTHONPATH"])
            urls = {"APOLLO_API_URL": facts["api_url"], "APOLLO_OAUTH_URL": facts["oauth_url"]}
            with _environment(**urls), Watch(tour.temporary) as watch, temporary_files_in(tour.temporary):
                tour.run(whole=request.param == "whole")
            tour.watch = watch
            with urllib.request.urlopen(facts["control_url"] + "/requests", timeout=10) as answer:
                tour.requests = json.load(answer)
        finally:
            sandbox.terminate()
            sandbox.wait(10)
        tour.outputs["sandbox stdout after its announcement"] = sandbox.stdout.read()
    tour.outputs["sandbox stderr"] = (folder / "sandbox-stderr").read_text()
    tour.secrets = {name: secret for name, secret in tour.secrets.items() if secret}
    return tour


@pytest.fixture(scope="module")
def scanner(evidence):
    return Scanner(evidence.secrets)


def told(findings):
    return sorted({f"{finding.secret}: {finding.place} {'/'.join(finding.layers)}" for finding in findings})


def test_the_tour_went_everywhere(evidence):
    """The evidence is worth searching: each kind of success and failure happened, and each secret is a long one."""
    outcomes = evidence.outcomes
    wanted = {
        "link key good": "ok", "link key white space": "ok", "link key wrong": "ReauthorizationError",
        "link key inner space": "InputError", "link key refused": "TransientError", "link key html": "TransientError",
        "finish": "ok", "finish deny": "ReauthorizationError", "finish no_permission": "ReauthorizationError",
        "finish foreign state": "InputError", "finish with a spent code": "GrantRefusedError",
        "finish wrong secret": "ReauthorizationError", "finish html": "UnreadableReplyError",
        "run good": "ok", "run oauth": "ok", "run bad input good": "InputError",
        "run 403 for want of a right": "PermissionDeniedError", "run 422": "NotFoundError",
        "run elsewhere good": "WrongServerError", "move good": "ok", "run refused good": "TransientError",
        "move back good": "ok", "move back oauth": "ok", "refresh": "ok", "revoked": "ReauthorizationError",
        "workflow good": "ok", "workflow oauth": "ok", "workflow revoked": "ok", "workflow resumed": "ok",
        "import good": "ok", "import not json": "InputError", "moved secret": "StoreError",
        "malformed host key": "StoreError", "other host key": "StoreError",
        "command connect file": "0", "command connect variable": "0", "command connect stdin": "0",
        "command connect wrong": "3", "command connect typed": "2", "command listened": "0", "command pasted": "0",
        "command denied": "3", "command foreign": "2", "command elsewhere": "2", "command run": "0",
        "command run all": "0", "command run 403": "4", "command workflow run": "0", "command run refreshed": "0",
        "command run revoked": "3", "command import dead": "3", "command import broken": "2", "command remove": "0",
        "command lost key": "2",
    }  # fmt: skip
    left_out = () if evidence.whole else {f"command {label}" for label in REPEATS}
    wanted = {label: outcome for label, outcome in wanted.items() if label not in left_out}
    assert {label: outcomes.get(label) for label in wanted} == wanted
    assert all(len(secret) >= 20 for secret in evidence.secrets.values())
    kinds = {name.split()[0] for name in evidence.secrets}
    assert {"key", "access", "refresh", "client", "state", "code", "wrong", "foreign", "host"} <= kinds
    used = {request["auth"].partition(":")[0] for request in evidence.requests}
    assert {"key", "token"} <= used


def test_logging_was_on(evidence):
    """The log files hold DEBUG lines of the HTTP client and the database, from this process and from commands."""
    texts = [file.read_text("utf-8", "replace") for file in evidence.logs.iterdir()]
    assert len(texts) > 20
    for word in ("receive_response_headers", "HTTP Request: POST", "INSERT INTO host_connections"):
        assert sum(word in text for text in texts) >= 2, word


@pytest.mark.parametrize("kind", ["outputs", "texts"])
def test_no_secret_in_what_is_shown(evidence, scanner, kind):
    """Nothing that was printed, and no repr, message or traceback of any value or error, shows a secret."""
    seen = set()
    found = [f for label, text in getattr(evidence, kind).items() for f in scanner.lines(text, label, seen)]
    assert told(found) == []


def test_no_secret_in_logs(evidence, scanner):
    """No log at DEBUG, of ours or of a library, shows a secret."""
    seen = set()
    found = [f for file in evidence.logs.iterdir() for f in scanner.lines(file.read_bytes(), file.name, seen)]
    assert told(found) == []


def test_no_secret_in_the_home(evidence, scanner):
    """No file of the host's home, read as raw bytes with the write-ahead log, holds a secret outside the key file,
    which is its owner's alone."""
    files = [file for file in sorted(evidence.home.rglob("*")) if file.is_file()]
    assert {"host.key", "host.db"} <= {file.name for file in files}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files if file.name in ("host.key", "host.db"))
    found = [f for file in files if file.name != "host.key" for f in scanner.file(file)]
    assert told(found) == []
    key = (evidence.home / "host.key").read_bytes()
    assert {finding.secret for finding in scanner.scan(key, "key")} == {"host key"}


def test_no_secret_in_the_database(evidence, scanner):
    """No value of any table, ours or the engine's, decodes to a secret."""
    assert told(scanner.database(evidence.home / "host.db")) == []


def test_no_secret_on_a_command_line(evidence, scanner):
    """No process of ours had a secret among its arguments, except the one a person typed there against advice."""
    lines = [*evidence.watch.command_lines, *(" ".join(command).encode() for command in evidence.arguments)]
    commands = sum(b"apollo_component" in line for line in evidence.watch.command_lines)
    assert commands > (20 if evidence.whole else 15)
    found = [finding for line in lines for finding in scanner.scan(line, "a command line")]
    assert {finding.secret for finding in found} <= {"typed on a command line"}


def test_no_secret_in_temporary_files(evidence, scanner):
    """No file that was ever seen in the folder for temporary files holds a secret."""
    found = [
        f for name, contents in evidence.watch.files.items() for text in contents for f in scanner.scan(text, name)
    ]
    assert told(found + scanner.tree(evidence.temporary)) == []


def test_secrets_travel_in_their_places_only(evidence, scanner):
    """Of every request the service saw, path, query, body and other headers are free of secrets."""
    plain = [{key: value for key, value in request.items() if key != "auth"} for request in evidence.requests]
    assert len(plain) > 100
    assert told(scanner.scan(json.dumps(plain), "requests")) == []


def test_addresses_hold_the_state_and_nothing_else(evidence):
    """The authorize address that a person opens has the state, as it must, and no other secret."""
    others = Scanner({name: value for name, value in evidence.secrets.items() if not re.match("state", name)})
    attempt_texts = [text for label, text in evidence.texts.items() if label.startswith("begin")]
    assert attempt_texts
    assert told(f for text in attempt_texts for f in others.scan(text, "attempt")) == []
