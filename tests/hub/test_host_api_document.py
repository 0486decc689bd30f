"""The example of docs/host-api.md, as a host application would run it."""

import os
import subprocess
import sys
import threading

import pytest

from apollo_component.host import linking
from apollo_component.host.api_tokens import ApiTokens
from apollo_component.host.connect_sessions import ConnectSessions
from apollo_component.host.ports import opened
from apollo_component.hub.api.routes import BASE, ENDPOINTS
from apollo_component.hub.app import application
from apollo_component.hub.hub import Hub
from apollo_component.hub.server import server
from apollo_component.hub.sessions import Sessions
from tests.docs.documents import blocks, text


@pytest.fixture
def served(host):
    """A Hub on a port of its own."""
    with opened(0) as sock:
        hub = Hub(host, Sessions(lambda _token: None), f"http://127.0.0.1:{sock.getsockname()[1]}")
        serving = server(application(hub))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [sock]})
        thread.start()
        yield hub
        serving.should_exit = True
        thread.join(10)


def test_the_example_runs(served, host, service):
    """It prints a link, waits until its user has linked an account, and runs an action with that."""
    (program,) = blocks("docs/host-api.md", "python")
    variables = {"HUB": served.address, "TOKEN": ApiTokens(host.store).add("example")[1]}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    )
    assert "api/v1/contacts/search" in process.stdout.readline()
    link = process.stdout.readline().removeprefix("Open ").strip()
    address, _, token = link.partition("#")
    assert address == f"{served.address}/connect/start"
    _link(host, token, service.keys["master"])
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert "The session is linked\nAcme account is active\nIt costs 0 credits at most\n10 of " in rest
    assert rest.endswith("is done\n")


def _link(host, token, key):
    """What the pages behind the link do for its user."""
    sessions = ConnectSessions(host)
    session = sessions.open(token)
    connection, _ = linking.link_key(host, session.connector, "Acme account", "api_key", {"api_key": key}, owner="Acme")
    assert sessions.end(session.id, connection.id)


def test_every_path_is_in_the_table():
    """Nothing that there is goes unmentioned."""
    page = text("docs/host-api.md")
    for endpoint in ENDPOINTS:
        last = endpoint.path.split("/")[-1]
        assert (last if not last.startswith("{") else endpoint.path.split("/")[1]) in page, endpoint.path
    assert BASE in page
