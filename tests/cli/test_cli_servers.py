"""From the command line a connection is used at the servers it was linked at and nowhere else, and shows where that is."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
import typer.main

from apollo_component.cli.app import app
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host.host import Host
from apollo_component.host.tables import connections, subscriptions

from .conftest import Cli, Done

FLOW = """
name: people
connections: {apollo: {connector: apollo, use: main}}
steps:
  - {id: find, action: people_api_search, on_error: collect, with: {per_page: 1}}
"""
FOLLOW = """
name: follow
connections: {apollo: {connector: apollo, use: main}}
trigger: {on: contact_created, every: 10}
steps:
  - {id: show, action: contacts_show, with: {contact_id: {$from: trigger.id}}}
"""


class Recorder:
    """A server that takes whatever comes, and keeps it."""

    def __init__(self) -> None:
        requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(f"{self.command} {self.path}")
                self.send_error(500)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_given: object) -> None:
                """Nothing."""

        self.requests = requests
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.env = {"APOLLO_API_URL": f"{self.url}/api/v1", "APOLLO_OAUTH_URL": self.url}


@pytest.fixture
def elsewhere() -> Iterator[Recorder]:
    made = Recorder()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def linked(cli: Cli, service, monkeypatch, tmp_path) -> Cli:
    """A connection by key, one by OAuth that is due for a refresh, an app, a run that waits for its budget, and a
    workflow that starts by itself."""
    cli.link("main")
    for name, value in cli.env.items():
        monkeypatch.setenv(name, value)
    host = Host.open()
    application = host.apps.add("app", "apollo", OAuthApp(service.oauth["client_id"], "s", ("http://127.0.0.1:1/x",)))
    tokens = Credential("oauth2", access_token="canary-access", refresh_token="canary-refresh")
    link = host.connections.add("theirs", "apollo", tokens, app_id=application)
    host.connections.mark(link, "unchecked", "")
    host.close()
    (tmp_path / "flow.yaml").write_text(FLOW)
    (tmp_path / "follow.yaml").write_text(FOLLOW)
    done = cli("workflow", "enable", str(tmp_path / "follow.yaml"), "--json")
    assert done.code == 0, done.err
    return cli


USES = {
    "test": ["test", "main"],
    "options": ["options", "contacts_create", "contact_stage_id", "--connection", "main"],
    "run": ["run", "users_search", "--connection", "main"],
    "usage": ["usage", "main"],
    "refresh": ["refresh", "theirs"],
    "connect": ["connect", "oauth2", "--name", "more", "--app", "app"],
    "workflow run": ["workflow", "run", "FLOW"],
    "workflow worker": ["workflow", "worker", "--once"],
}
"""Every command that uses a stored credential."""
OTHERS = {
    *("palette", "describe", "requirements", "validate", "remove", "link", "doctor", "backup", "restore", "callbacks"),
    *("sandbox", "demo", "connections", "connections move", "apps add", "apps list", "apps remove", "links list"),
    *("links revoke", "workflow check", "workflow disable", "workflow list", "workflow status", "runs list"),
    *("runs show", "runs cancel", "runs settle", "runs purge", "keys list", "keys rotate", "tokens add", "tokens list"),
    *("tokens remove", "workflow enable"),
}
"""Commands that open no credential; the doctor asks the service without one."""
PAGES = {"hub"}
"""Its pages and its API are tried in tests/hub."""


def at(cli: Cli, recorder: Recorder, *words: str) -> Done:
    """A command in a process whose environment names other servers."""
    other = replace(cli, env=cli.env | recorder.env)
    return other.finished(other.process(*words, "--json"))


def commands(group, name="") -> Iterator[str]:
    for own, sub in group.commands.items():
        if not hasattr(sub, "commands") or sub.invoke_without_command:
            yield f"{name} {own}".strip()
        if hasattr(sub, "commands"):
            yield from commands(sub, f"{name} {own}".strip())


def test_every_command_is_known():
    """A command that is added says whether it uses a credential."""
    assert set(commands(typer.main.get_command(app))) == set(USES) | OTHERS | PAGES


@pytest.mark.real
@pytest.mark.parametrize("name", USES)
@pytest.mark.full
def test_no_command_uses_a_connection_elsewhere(linked, elsewhere, tmp_path, name):
    """A process with other servers, or without the variables that were set at linking, sends nothing at all."""
    words = [str(tmp_path / "flow.yaml") if word == "FLOW" else word for word in USES[name]]
    make_due()
    done = at(linked, elsewhere, *words)
    assert elsewhere.requests == []
    if name == "workflow worker":
        [follow] = linked("workflow", "list", "--json").json["workflows"]
        assert (follow["error"]["code"], done.code) == ("wrong_server", 0)
        return
    assert done.code == 3, done.err
    told = done.out + done.err
    assert "wrong_server" in told
    assert all(address in told for address in (elsewhere.url, linked.env["APOLLO_OAUTH_URL"]))


def make_due() -> None:
    host = Host.open()
    with host.store.write() as open_:
        open_.execute(sa.update(subscriptions).values(next_at=0.0))
    host.close()


@pytest.mark.real
def test_a_run_that_began_elsewhere_goes_on_where_it_can(linked, elsewhere, tmp_path):
    """It waits although the step collects errors, also when it is resumed there, and at the right servers it ends."""
    begun = at(linked, elsewhere, "workflow", "run", str(tmp_path / "flow.yaml"))
    report = begun.json
    assert (report["status"], report["detail"]["error"]["code"]) == ("waiting_for_authorization", "wrong_server")
    again = at(linked, elsewhere, "workflow", "run", "--resume", report["id"])
    assert (again.code, again.json["status"]) == (3, "waiting_for_authorization")
    assert elsewhere.requests == []
    done = linked.finished(linked.process("workflow", "run", "--resume", report["id"], "--json"))
    assert (done.code, done.json["status"], done.json["steps"][0]["records"]) == (0, "done", 1)


def test_a_worker_elsewhere_sends_nothing_late(linked, elsewhere, service):
    """A result that is waited for isn't asked for by a process at other servers."""
    asked = '{"request_id": "1"}'
    done = linked("run", "webhook_result_show", "--connection", "main", "--input", asked, "--json", env=elsewhere.env)
    assert (done.code, done.error["code"], elsewhere.requests) == (3, "wrong_server", [])


def test_the_sandbox_is_marked(linked):
    """In the list, in a test and in the doctor's words, for people and in JSON; the real service is not."""
    server = linked.env["APOLLO_OAUTH_URL"]
    assert [(one["sandbox"], one["servers"]) for one in linked("connections", "--json").json] == [
        (True, {"api": server, "oauth": server})
    ] * 2
    assert f"sandbox, {server}" in linked("connections").out
    assert linked("test", "main").out.startswith(f"Sandbox: {server}, not the service itself.")
    assert linked("test", "main", "--json").json["connection"]["sandbox"] is True
    assert f"sandbox, {server}" in linked("apps", "list").out
    findings = {one["name"]: one for one in linked("doctor", "--offline", "--json").json["checks"]}
    assert {one["server"] for one in findings["connections"]["facts"]["connections"]} == {"sandbox"}
    assert "theirs (sandbox)" in findings["connections"]["text"]


def test_a_connection_of_elsewhere_is_marked(linked, elsewhere):
    """The list and the doctor say that it isn't used here."""
    assert "(not used here)" in linked("connections", env=elsewhere.env).out
    assert "(not used here)" not in linked("connections").out
    told = linked("doctor", "--offline", env=elsewhere.env).out
    assert "belong to other servers than requests go to here" in told


@pytest.mark.parametrize("as_json", [True, False])
def test_a_connection_is_moved_by_a_persons_word(linked, elsewhere, as_json):
    """The command names the servers, wants `--yes` where nobody can be asked, and sends nothing."""
    more = ["--json"] * as_json
    refused = linked("connections", "move", "main", *more, env=elsewhere.env)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    moved = linked("connections", "move", "main", "--yes", *more, env=elsewhere.env)
    assert moved.code == 0, moved.err
    assert elsewhere.url in moved.out
    assert elsewhere.requests == []
    assert linked("test", "main", "--json").error["code"] == "wrong_server"
    again = linked("connections", "move", "main", *more, env=elsewhere.env)
    assert again.code == 0
    back = linked("connections", "move", "main", "--yes", "--json").json
    assert back["connection"]["servers"]["oauth"] == linked.env["APOLLO_OAUTH_URL"]
    assert linked("test", "main", "--json").code == 0


def test_a_connection_of_before_is_told_how_to_be_used(linked):
    """One that was stored before its server was names the command, and the doctor lists it."""
    host = Host.open()
    with host.store.write() as open_:
        open_.execute(sa.update(connections).values(servers_json=None))
    host.close()
    told = linked("doctor", "--offline").out
    assert "were stored before their servers were" in told
    assert "connections move NAME" in told
