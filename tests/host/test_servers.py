"""A credential goes to the servers it was linked at and to no others, wherever in the host it is used."""

from pathlib import Path

import pytest

import apollo_component
from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import InputError, WrongServerError
from apollo_component.contract.manifest import Manifest
from apollo_component.host import linking, servers
from apollo_component.host.attempt_rows import Wanted
from apollo_component.host.attempts import Attempts
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.keeping import keep
from apollo_component.host.quota import Party
from apollo_component.host.registry import Registry
from apollo_component.host.runs import AUTHORIZATION
from apollo_component.host.workflow.driver import released, waiting_state

from .conftest import APP, DATA, TOKEN_PATH, add_oauth, forget_servers

SANDBOX = {"DEMO_API_URL": "http://127.0.0.1:4010/api/v1", "DEMO_OAUTH_URL": "http://127.0.0.1:4011"}
THERE = {"api": "http://127.0.0.1:4010", "oauth": "http://127.0.0.1:4011"}
HERE = {"api": "https://api.test", "oauth": "https://login.test"}
SOURCE = {"id": "people", "action": "find", "label": "name", "value": "id"}
REDIRECT = "http://127.0.0.1:8765/callback"
ME = "a browser"


@pytest.fixture(scope="session")
def manifest(root):
    told = {"action": "whoami", "pools": "pools", "counts": {"limit": "limit", "used": "used", "left": "left"}}
    usage = {"usage": {"credits": {**told, "start": "start", "end": "end"}}}
    return Manifest.from_data({**DATA, "option_sources": [SOURCE], **usage}, root)


@pytest.fixture
def process(host, manifest, service, clock, schemas):
    """Another process on the same database, with an environment of its own."""

    def made(environ):
        connector = Connector(manifest, send=service.send, environ=environ, now=clock.moment)
        connector.schemas = schemas
        registry = Registry({"demo": connector}, environ=environ)
        return Host.open(host.settings, registry, store=host.store, clock=clock, sleep=clock.sleep)

    return made


@pytest.fixture
def sandboxed(process):
    return process(SANDBOX)


def call(host, link, **more):
    action = host.registry.manifest("demo").actions["find"]
    return host.caller.page(Call(Key("options", "x", ""), link.id, action, {}, **more))


def poll(host, link):
    asked = {"trigger": "made", "input": {}, "cursor": None, "since": None}
    host.caller.ask(link.id, "connector_poll", "find", party=Party("w", background=True), **asked)


def dead(host, link):
    host.connections.mark(link, "needs_reauthorization", "revoked")
    linking.test_stored(host, link.name)


def kept(host, link):
    host.refresher.clock.now += 3_000_000
    [found] = keep(host)
    raise found.error


USES = {
    "an action": call,
    "a late result": lambda host, link: call(host, link, poll=True),
    "a trigger": poll,
    "choices": lambda host, link: host.options.page(link.id, "people"),
    "usage": lambda host, link: host.usage.report(link.id),
    "a test": lambda host, link: linking.test_stored(host, link.name),
    "a test of one that ended": dead,
    "a refresh": lambda host, link: host.refresher.usable(link.id, rejected=link.version),
    "refreshes that are due": kept,
    "the secret itself": lambda host, link: host.connections.credential(link),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("linked_at", ["sandbox", "service"])
def test_a_connection_is_used_nowhere_else(host, sandboxed, service, clock, use, linked_at):
    """A key of the sandbox is never sent to the service nor the reverse: both addresses are named, nothing is sent."""
    at, other = (sandboxed, host) if linked_at == "sandbox" else (host, sandboxed)
    link = add_oauth(at, clock)
    with pytest.raises(WrongServerError) as caught:
        USES[use](other, link)
    assert service.requests == []
    belongs, now = (THERE, HERE) if linked_at == "sandbox" else (HERE, THERE)
    assert (caught.value.linked_at, caught.value.now) == (belongs, now)
    assert all(address in caught.value.message for address in (*HERE.values(), *THERE.values()))
    assert "DEMO_API_URL" in caught.value.hint
    assert "refresh-0" not in repr(caught.value.as_dict())


@pytest.mark.parametrize("use", USES)
def test_a_connection_of_before_is_used_nowhere(host, service, clock, use):
    """Until its server is named, one that was stored without isn't used, not even where it was linked."""
    link = add_oauth(host, clock)
    forget_servers(host)
    link = host.connections.get(link.id)
    assert (link.servers, link.is_sandbox) == (None, False)
    with pytest.raises(WrongServerError, match="stored before its server was") as caught:
        USES[use](host, link)
    assert service.requests == []
    assert "connections move" in caught.value.hint


def test_secrets_are_opened_in_few_places():
    """What hands out credentials asks for their servers; the others, the change of keys and the doctor, send nothing."""
    package = Path(apollo_component.__file__).parent
    opening = {str(file.relative_to(package)) for file in package.rglob("*.py") if "vault.open(" in file.read_text()}
    assert opening == {"host/connections.py", "host/rotation.py", "host/doctor/storage.py"}


@pytest.mark.parametrize("changed", SANDBOX)
def test_one_other_server_is_enough(host, process, key, service, changed):
    """All servers of a connector must be those of the linking, also those a connection may never be sent to."""
    with pytest.raises(WrongServerError):
        call(process({changed: SANDBOX[changed]}), key)
    assert service.requests == []


def test_the_path_of_an_address_makes_no_other_server(host, process, key, service):
    """Scheme, host and port count."""
    call(process({"DEMO_API_URL": "https://API.test:443/v2/"}), key)
    assert len(service.requests) == 1


def test_a_moved_connection_is_used_at_its_new_servers_only(host, sandboxed, service, clock):
    """A move sends nothing, keeps id and status, is noted, and takes the app along, so that tokens are refreshed there."""
    link = add_oauth(host, clock)
    moved = linking.move(sandboxed, link.name)
    assert service.requests == []
    assert (moved.id, moved.status, moved.servers) == (link.id, "active", THERE)
    assert moved.is_sandbox
    assert host.connections.history(moved)[0]["text"] == (
        "from https://api.test and https://login.test to http://127.0.0.1:4010 and http://127.0.0.1:4011"
    )
    sandboxed.refresher.usable(link.id, rejected=moved.version)
    assert [request.url for request in service.sent(TOKEN_PATH)] == [SANDBOX["DEMO_OAUTH_URL"] + TOKEN_PATH]
    with pytest.raises(WrongServerError):
        call(host, link)
    assert sandboxed.connections.get(link.id).servers == THERE


def test_a_connection_of_before_is_used_once_it_is_moved(host, service, clock):
    """Its secret and its app's open again, at the servers that were named."""
    link = add_oauth(host, clock)
    forget_servers(host)
    linking.move(host, link.name)
    host.refresher.usable(link.id, rejected=host.connections.get(link.id).version)
    assert host.connections.get(link.id).servers == HERE


def test_a_connection_is_not_moved_under_a_refresh(host, sandboxed, clock):
    """The new pair of a refresh under way would be lost."""
    link = add_oauth(host, clock)
    host.leases.acquire(f"connection:{link.id}", 60)
    with pytest.raises(Exception, match="is being changed"):
        linking.move(sandboxed, link.name)
    assert host.connections.get(link.id).servers == HERE


def test_linking_again_names_the_server(host, sandboxed, service, key):
    """The new key belongs to where it was tested, and the old one is gone."""
    linking.link_key(sandboxed, "demo", "mine", "api_key", {"api_key": "canary-new"})
    assert host.connections.get(key.id).servers == THERE
    assert {request.url.partition("/api/v1")[0] for request in service.requests} == {THERE["api"]}
    with pytest.raises(WrongServerError):
        call(host, key)


def test_taken_over_tokens_belong_to_where_they_were_tested(sandboxed, tmp_path):
    """An import is a linking like any other."""
    file = tmp_path / "tokens.json"
    file.write_text('{"client_id": "c", "client_secret": "s", "access_token": "a", "refresh_token": "r"}')
    found, _ = linking.take_over(sandboxed, "demo", "moved", "oauth2", file)
    assert found.servers == THERE


def test_an_app_is_used_nowhere_else(host, sandboxed, service):
    """Its secret would go to the other server with the first exchange."""
    host.apps.add("ours", "demo", APP)
    with pytest.raises(WrongServerError, match="'ours' belongs to https://api"):
        sandboxed.apps.get("ours")
    assert [(one["servers"], one["sandbox"]) for one in sandboxed.apps.all()] == [(HERE, False)]


def test_an_authorization_is_finished_where_it_was_begun(host, sandboxed, service):
    """The code of one server is never sent to another."""
    attempt = linking.begin(host, "demo", "theirs", "oauth2", APP)
    with pytest.raises(WrongServerError, match="This attempt belongs to https://api"):
        linking.finish(sandboxed, attempt, {"code": "c", "state": attempt.state})
    assert service.requests == []


@pytest.mark.parametrize("step", ["go", "came_back"])
def test_an_attempt_goes_on_where_it_was_begun(host, sandboxed, service, step):
    """Another process of the Hub with another environment leads nobody on, and exchanges no code."""
    attempt = Attempts(host).begin(ME, Wanted("demo", "oauth2", "theirs", redirect_uri=REDIRECT), APP)
    url = Attempts(host).go(attempt.id, ME)
    if step == "go":
        with pytest.raises(WrongServerError):
            Attempts(sandboxed).go(attempt.id, ME)
    else:
        state = url.partition("state=")[2].partition("&")[0]
        done = Attempts(sandboxed).came_back({"code": "c", "state": state}, ME)
        assert (done.status, done.result["error"]["code"]) == ("failed", "wrong_server")
    assert service.requests == []


def test_a_run_waits_for_the_right_process(host, sandboxed, key):
    """Where its connection belongs elsewhere it waits like for an authorization; a process at the right servers goes on."""
    with pytest.raises(WrongServerError) as caught:
        call(sandboxed, key)
    assert waiting_state(caught.value) == AUTHORIZATION
    run = host.runs.create("workflow", "w", inputs={"connections": {"it": key.id}})
    detail = {"error": caught.value.as_dict(), "connection": "it"}
    assert not released(sandboxed, run, AUTHORIZATION, detail)
    assert released(host, run, AUTHORIZATION, detail)


def test_an_address_that_can_not_be_used_is_said_first(process, key, service):
    """The variable is named; nothing is sent."""
    with pytest.raises(InputError, match="DEMO_API_URL"):
        call(process({"DEMO_API_URL": "http://elsewhere.example"}), key)
    assert service.requests == []


@pytest.mark.parametrize(
    ("address", "is_it"),
    [("http://127.0.0.1:4010", True), ("https://localhost:9", True), ("http://[::1]", True), ("https://a.test", False)],
)
def test_a_server_on_this_computer_is_a_sandbox(address, is_it):
    """One is enough; the service itself is never on this computer."""
    assert servers.is_sandbox({"api": "https://api.test", "oauth": address}) is is_it
    assert not servers.is_sandbox(None)
