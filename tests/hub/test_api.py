"""The Host API: who may use it, what it answers, and that answers are as its document says."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from apollo_component.host.api_tokens import DAY_SECONDS, ApiTokens
from apollo_component.host.workflow.enabling import enable
from apollo_component.host.workflow.file import load_workflow
from apollo_component.host.workflow.worker import Worker
from apollo_component.hub.api.checking import problems
from apollo_component.hub.api.components import COMPONENTS
from apollo_component.hub.api.paging import cursor_for
from apollo_component.hub.api.routes import BASE, ENDPOINTS
from apollo_component.hub.app import application
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions
from apollo_component.hub.tries import TRIES
from tests.hub.conftest import ADDRESS, Browser

WORKFLOW = """\
name: One
inputs:
  size: {description: How many.}
connections:
  main: {connector: apollo}
steps:
  - id: find
    action: contacts_search
    with: {per_page: {$from: inputs.size}}
"""
MOVING = """\
name: Moving
inputs:
  ids: {description: Whom.}
  stage: {description: Where to.}
connections:
  main: {connector: apollo}
steps:
  - id: move
    action: contacts_update_stages
    with: {contact_ids: {$from: inputs.ids}, contact_stage_id: {$from: inputs.stage}}
  - id: find
    action: contacts_search
    with: {per_page: 2}
"""
WATCHING = """\
name: Watching
connections:
  main: {connector: apollo}
trigger: {on: contact_created}
steps:
  - {id: show, action: contacts_show, with: {contact_id: {$from: trigger.id}}}
"""
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


class Client:
    """Asks by the names of the document's operations, and holds each answer against the document, closely: no field
    that isn't named there, where it names any."""

    def __init__(self, hub, token):
        self.browser, self.token = Browser(hub), token
        self.seen = []

    def ask(self, name, body=None, status=None, query=None, **path):
        endpoint = BY_NAME[name]
        address = BASE + re.sub(r"{(\w+)}", lambda found: path[found[1]], endpoint.path)
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self.browser.client.request(endpoint.method, address, json=body, params=query, headers=headers)
        assert answer.status_code == (status or endpoint.status), answer.text
        assert answer.status_code in endpoint.statuses
        if answer.status_code == 204:
            assert answer.content == b""
            return None
        told = answer.json()
        self.seen.append((name, answer.text))
        schema = endpoint.answer if answer.status_code == endpoint.status else {"$ref": "#/components/schemas/Error"}
        assert list(problems(_closed(schema), told)) == []
        return told


def _closed(schema):
    """The schema with its references resolved, in which objects with named fields have no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return schema if name == "Choice" else _closed(COMPONENTS[name])
    found = {key: _closed(value) for key, value in schema.items()}
    open_ = "properties" not in found or "step" in found["properties"]
    return found if open_ or "additionalProperties" in found else {**found, "additionalProperties": False}


@pytest.fixture
def tokens(host):
    return ApiTokens(host.store, host.clock)


@pytest.fixture
def api(hub, tokens):
    return Client(hub, tokens.add("test")[1])


def get(hub, path, **headers):
    return Browser(hub).client.get(BASE + path, headers=headers)


# Who may use it


@pytest.mark.parametrize("path", ["/connectors", "/connections", "/runs", "/apps"])
def test_without_a_good_token_nothing_is_told(hub, tokens, path, browser):
    """None, a made-up, an expired, a revoked one, another scheme, and the cookie of somebody who is signed in."""
    gone = tokens.add("gone")[1]
    tokens.remove("gone")
    old = tokens.add("old", 1)[1]
    tokens.clock = lambda: hub.host.clock() - 2 * DAY_SECONDS
    older = tokens.add("older", 1)[1]
    for given in (
        {},
        *({"authorization": f"Bearer {token}"} for token in ("wh_x", gone, older, "\u00e9")),
        {"authorization": f"Basic {old}"},
    ):
        answer = get(hub, path, **{name: value.encode("latin-1") for name, value in given.items()})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == "unauthorized"
    assert browser.get(f"{BASE}{path}").status == 401
    assert get(hub, path, authorization=f"Bearer {old}").status_code == 200


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(hub, api):
    """After ten wrong ones an address must wait before its next wrong one; who has a good token notices nothing."""
    wrong = Browser(hub).client
    answers = [wrong.get(f"{BASE}/connectors", headers={"authorization": "Bearer wh_x"}) for _ in range(TRIES + 1)]
    assert [answer.status_code for answer in answers] == [401] * TRIES + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    good = wrong.get(f"{BASE}/connectors", headers={"authorization": f"Bearer {api.token}"})
    assert good.status_code == 200


def test_the_document_and_health_are_open(hub):
    """Both without a token, and the document names every endpoint."""
    told = get(hub, "/openapi.json").json()
    assert told["openapi"] == "3.1.0"
    assert told["servers"] == [{"url": f"{ADDRESS}{BASE}"}]
    named = {each["operationId"] for path in told["paths"].values() for each in path.values()}
    assert named == {*BY_NAME, "openapi"}
    assert get(hub, "/health").json()["status"] == "ok"


# What is refused


def test_addresses_and_methods_that_there_are_not(hub, api):
    """Both are told as JSON; the methods that there are stand in `Allow`."""
    missing = get(hub, "/nowhere")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    wrong = Browser(hub).client.delete(f"{BASE}/connectors")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert api.ask("get_connector", status=404, connector="nowhere")["error"]["code"] == "not_found"
    assert api.ask("get_connection", status=404, connection="/etc")["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"limit": "x"}, "limit"), ({"limit": "1.5"}, "limit"),
        ({"limits": "5"}, "limits"), ({"kind": "other"}, "kind"), ({"cursor": "x"}, "cursor"), ({"cursor": "WzFd"}, "cursor"),
    ],
)  # fmt: skip
def test_a_query_that_doesnt_fit_is_refused(api, query, path):
    """Also an unknown parameter and a cursor that was never given; the answer names the place."""
    told = api.ask("list_runs", status=422, query=query)
    assert [problem["path"] for problem in told["error"]["problems"]] == [path]


def test_what_is_sent_must_fit(hub, api):
    """Unknown and missing fields are named all at once; nothing that was sent is repeated."""
    told = api.ask("run_action", {"actions": "SECRET", "input": []}, 422)
    assert {problem["path"] for problem in told["error"]["problems"]} == {"actions", "connection", "action", "input"}
    assert "SECRET" not in json.dumps(told)
    client, address = Browser(hub).client, f"{BASE}/actions/run"
    bearer = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    for sent in (b"", b"{", b"[NaN]", b'{"a":1,"a":1}', b'"\\ud800"', b"[" * 100_000, b"\xff"):
        assert client.post(address, content=sent, headers=bearer).status_code == 422
    assert client.post(address, content=b"x" * (1024 * 1024 + 1), headers=bearer).status_code == 413
    assert client.post(address, content=b"{}", headers={**bearer, "content-type": "text/plain"}).status_code == 415


def test_no_file_of_the_server_is_read_by_its_name(api, tmp_path):
    """What the command line takes as a workflow file is only an unknown action here."""
    told = api.ask("get_requirements", {"actions": [str(tmp_path / "x.yaml")]}, 404, connector="apollo")
    assert told["error"]["code"] == "not_found"


def test_a_fault_is_told_as_json(hub, api, host, monkeypatch):
    """Without a word of what was handled."""

    def broken(_name):
        raise ValueError("SECRET")

    monkeypatch.setattr(host.connections, "get", broken)
    client = TestClient(application(hub), base_url=ADDRESS, raise_server_exceptions=False)
    answer = client.get(f"{BASE}/connections/x", headers={"authorization": f"Bearer {api.token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "bug")
    assert "SECRET" not in answer.text


@pytest.mark.parametrize("place", ["abc", "-1", "0", "1e9", "99999999999999999999", "../", "\0"])
def test_a_made_up_place_in_choices_is_no_fault(api, linked, place):
    """A cursor in the right form that was never given is refused, or finds nothing."""
    endpoint, token = BY_NAME["list_options"], {"authorization": f"Bearer {api.token}"}
    address = BASE + endpoint.path.replace("{connection}", linked.id)
    for action, field in (("contacts_create", "account_id"), ("contacts_search", "contact_stage_ids"), ("calls", "id")):
        query = {"action": action, "field": field, "cursor": cursor_for(place)}
        answer = api.browser.client.get(address, params=query, headers=token)
        assert answer.status_code in ((404,) if action == "calls" else (200, 422)), answer.text


# What it answers


def test_the_palette(api):
    """Everything a palette of another engine needs; each action's schemas are complete in themselves."""
    assert [item["id"] for item in api.ask("list_connectors")["items"]] == ["apollo"]
    entry = api.ask("get_connector", connector="apollo")
    assert {kind["id"]: kind["kind"] for kind in entry["connection_types"]} == {
        "api_key": "key",
        "oauth2": "authorization_code",
    }
    assert entry["connection_types"][0]["fields"]["properties"]["api_key"]["secret"] is True
    for action in entry["actions"]:
        told = api.ask("get_action", connector="apollo", action=action["id"])
        assert told["requires"] == action["requires"]
        for schema in (told["input"], told["output"]):
            text = json.dumps(schema)
            for reference in re.findall(r'"\$ref": "([^"]*)"', text):
                name = reference.removeprefix("#/$defs/")
                assert reference == "#" or name in schema["$defs"]
    for trigger in entry["triggers"]:
        api.ask("get_trigger", connector="apollo", trigger=trigger["id"])


def test_requirements_are_those_of_the_manifest(api, host):
    """The tick-list for chosen actions."""
    chosen = ["people_api_search", "contacts_create"]
    told = api.ask("get_requirements", {"actions": chosen}, connector="apollo")
    wanted = host.registry.manifest("apollo").requirements(chosen)
    assert {name: told[name] for name in wanted} == wanted


def test_a_connection_from_key_to_end(api, service, host):
    """Linked, listed, tested, renamed, given a new key, asked for choices, usage and history, removed."""
    wanted = {"connector": "apollo", "type": "api_key", "name": "Main", "fields": {"api_key": service.keys["master"]}}
    linked = api.ask("link_connection", {**wanted, "owner": "Acme"})
    assert linked["test"]["verdict"] == "connected"
    identity = linked["connection"]["id"]
    taken = api.ask("link_connection", wanted, 422)
    assert taken["error"]["problems"][0]["path"] == "name"
    assert [item["id"] for item in api.ask("list_connections", query={"owner": "Acme"})["items"]] == [identity]
    assert api.ask("list_connections", query={"owner": "Other"})["items"] == []
    assert (
        api.ask("test_connection", {"actions": ["people_api_search"]}, connection=identity)["test"]["verdict"]
        == "connected"
    )
    assert api.ask("rename_connection", {"name": "New name"}, connection="Main")["name"] == "New name"
    again = api.ask("link_again", {"fields": {"api_key": service.keys["master"]}}, connection=identity)
    assert again["connection"]["id"] == identity
    api.ask("link_again", {"fields": {"api_key": "wrong"}}, 409, connection=identity)
    found = api.ask("list_options", connection=identity, query={"action": "contacts_create", "field": "label_names"})
    assert {"label", "value", "type"} <= set(found["items"][0])
    assert api.ask("get_usage", connection=identity)["credits"]["rows"]
    assert api.ask("get_history", connection=identity)["items"]
    api.ask("remove_connection", connection=identity)
    api.ask("get_connection", status=404, connection=identity)
    secrets = [*service.keys.values(), api.token]
    assert not [name for name, text in api.seen if any(secret in text for secret in secrets)]


DAILY = """\
name: Daily
schedule: {cron: "0 9 * * *"}
connections:
  main: {connector: apollo}
steps:
  - id: find
    action: contacts_search
"""


def test_an_account_in_use_is_not_removed_by_mistake(api, host, service, tmp_path):
    """While an enabled workflow would fail without it, removing must be asked for expressly, and says which it is."""
    wanted = {"connector": "apollo", "type": "api_key", "name": "Main", "fields": {"api_key": service.keys["master"]}}
    identity = api.ask("link_connection", wanted)["connection"]["id"]
    (tmp_path / "daily.yaml").write_text(DAILY)
    enable(host, load_workflow(tmp_path / "daily.yaml", host.registry.manifests), {}, {"main": "Main"})
    told = api.ask("remove_connection", status=409, connection=identity)["error"]
    assert (told["code"], "Daily" in told["message"]) == ("in_use", True)
    assert api.ask("get_connection", connection=identity)["status"] == "active"
    api.ask("remove_connection", query={"used": "true"}, connection=identity)
    api.ask("get_connection", status=404, connection=identity)


def test_lists_come_in_pages(api, host, service):
    """Every connection once, in order, until there is no cursor."""
    for number in range(5):
        api.ask(
            "link_connection",
            {
                "connector": "apollo",
                "type": "api_key",
                "name": f"N{number}",
                "fields": {"api_key": service.keys["master"]},
            },
        )
    names, query = [], {"limit": 2}
    while True:
        told = api.ask("list_connections", query=query)
        names += [item["name"] for item in told["items"]]
        if told["next_cursor"] is None:
            break
        query["cursor"] = told["next_cursor"]
    assert names == [f"N{number}" for number in range(5)]


def test_an_action_runs_and_is_noted(api, linked):
    """One page, or up to a limit; the run is in the list with what it cost."""
    asked = {"connection": "Main", "action": "contacts_search", "input": {}}
    one = api.ask("run_action", asked)["result"]
    assert one["status"] == "done"
    assert one["records"]
    assert one["total"] >= len(one["records"])
    more = api.ask("run_action", {**asked, "input": {"per_page": 2}, "limit": 5})["result"]
    assert len(more["records"]) == 5
    listed = api.ask("list_runs", query={"kind": "action", "limit": 1})
    assert [item["id"] for item in listed["items"]] == [more["run"]]
    older = api.ask("list_runs", query={"limit": 1, "cursor": listed["next_cursor"]})
    assert [item["id"] for item in older["items"]] == [one["run"]]
    assert api.ask("get_run", run=one["run"])["status"] == "done"
    assert api.ask("list_records", run=one["run"], query={"step": "run"})["items"] == []
    api.ask("cancel_run", status=422, run=one["run"])
    api.ask("resume_run", {}, 422, run=one["run"])


def test_a_result_accounts_for_what_was_asked(api, linked, service):
    """What was asked, given, not found and missed adds up, each miss by its name; a search asks for no items."""
    stage = service.control("GET", "/contacts")["contacts"][0]
    there, gone = stage["id"], "f" * 24
    values = {"contact_ids": [there, gone], "contact_stage_id": stage["contact_stage_id"]}
    asked = {"connection": "Main", "action": "contacts_update_stages", "input": values}
    told = api.ask("run_action", asked)["result"]
    counts = ("asked", "given", "not_found", "missed")
    assert [told[name] for name in counts] == [2, 1, 0, 1]
    assert told["misses"] == [{"item": gone, "reason": ""}]
    detail = api.ask("get_run", run=told["run"])["detail"]
    assert [detail[name] for name in (*counts, "misses")] == [2, 1, 0, 1, told["misses"]]
    search = api.ask("run_action", {**asked, "action": "contacts_search", "input": {"per_page": 2}})["result"]
    assert [search[name] for name in (*counts, "misses")] == [None, 2, 0, 0, []]


def test_a_first_page_is_told_as_one(api, linked):
    """With the total beside it; with a limit the pages that follow are read, and it isn't one."""
    asked = {"connection": "Main", "action": "contacts_search", "input": {"per_page": 2}}
    one = api.ask("run_action", asked)["result"]
    assert (one["first_page"], one["given"]) == (True, 2)
    assert one["total"] > 2
    assert api.ask("run_action", {**asked, "limit": 3})["result"]["first_page"] is False


def test_a_dry_run_sends_nothing(api, linked, service):
    """It tells the request and the worst cost; what may mail people needs a word, and a bad input costs nothing."""
    before = len(service.requests())
    asked = {"connection": "Main", "action": "people_match", "input": {"email": "a@example.com"}, "budget": 0}
    plan = api.ask("run_action", {**asked, "dry_run": True})["plan"]
    assert plan["covered"] is False
    assert plan["request"]["method"] == "POST"
    told = api.ask("run_action", {**asked, "input": {"nonsense": 1}}, 422)
    assert told["error"]["problems"]
    spent = api.ask("run_action", asked, 429)
    assert spent["error"]["code"] == "budget_exhausted"
    assert len(service.requests()) == before


def test_what_may_mail_people_needs_a_word(api, linked, service):
    """Without `confirm` nothing is sent."""
    asked = {"connection": "Main", "action": "sequences_add_contacts", "input": None}
    example = api.ask("get_action", connector="apollo", action="emailer_campaigns_add_contact_ids")
    assert example["may_mail"]
    asked |= {"action": example["id"], "input": example["example"]}
    before = len(service.requests())
    told = api.ask("run_action", asked, 422)
    assert told["error"]["problems"][0]["path"] == "confirm"
    assert len(service.requests()) == before


def test_a_raw_write_that_no_action_is_declared_for_needs_a_word(api, linked, service):
    """Without `confirm` nothing is sent, whatever effect is stated."""
    values = {"method": "POST", "path": "/secret/thing", "effect": "read", "body": {}}
    asked = {"connection": "Main", "action": "raw_request", "input": values}
    told = api.ask("run_action", asked, 422)
    assert told["error"]["problems"][0]["path"] == "confirm"
    assert "no action is declared" in told["error"]["problems"][0]["text"]
    assert [one for one in service.requests() if "secret" in one["path"]] == []
    api.ask("run_action", {**asked, "confirm": True}, 404)


def test_a_workflow_is_started_and_left_to_a_worker(host, tokens, linked, tmp_path):
    """Its run waits for a worker; an input that is missing, and a workflow that there isn't, are refused."""
    (tmp_path / "one.yaml").write_text(WORKFLOW)
    api = Client(Hub(host, Sessions(lambda _token: None), ADDRESS, workflows=tmp_path), tokens.add("test")[1])
    told = api.ask("list_workflows")["items"]
    assert [(item["name"], item["can_start"], item["connections"]) for item in told] == [
        ("One", True, {"main": "apollo"})
    ]
    refused = api.ask("start_workflow", {}, 422, workflow="One")
    assert {problem["path"] for problem in refused["error"]["problems"]} == {"connections.main", "inputs.size"}
    run = api.ask(
        "start_workflow", {"inputs": {"size": 5}, "connections": {"main": "Main"}, "budget": 0}, workflow="One"
    )
    assert (run["status"], run["title"], run["budget"]) == ("queued", "One", 0)
    assert api.ask("list_runs", query={"workflow": "One"})["items"][0]["id"] == run["id"]
    assert api.ask("cancel_run", run=run["id"])["status"] == "cancelled"
    api.ask("resume_run", {}, 422, run=run["id"])
    api.ask("start_workflow", {}, 404, workflow="Other")


def test_runs_and_looks_are_told_as_documented(host, tokens, linked, service, tmp_path):
    """A step's counts and misses, and what a trigger's last look saw; null before it."""
    (tmp_path / "moving.yaml").write_text(MOVING)
    (tmp_path / "watching.yaml").write_text(WATCHING)
    api = Client(Hub(host, Sessions(lambda _token: None), ADDRESS, workflows=tmp_path), tokens.add("test")[1])
    contact = service.control("GET", "/contacts")["contacts"][0]
    inputs = {"ids": [contact["id"], "f" * 24], "stage": contact["contact_stage_id"]}
    run = api.ask("start_workflow", {"inputs": inputs, "connections": {"main": "Main"}}, workflow="Moving")
    enable(host, load_workflow(tmp_path / "watching.yaml", host.registry.manifests), {}, {"main": "Main"})
    assert [item["looked"] for item in api.ask("list_workflows")["items"]] == [None, None]
    asyncio.run(Worker(host).serve(once=True))
    moved, found = api.ask("get_run", run=run["id"])["steps"]
    assert [moved[name] for name in ("asked", "given", "not_found", "missed")] == [2, 1, 0, 1]
    assert moved["misses"] == [{"item": "f" * 24, "reason": ""}]
    assert "asked" not in found
    assert found["warnings"]
    _, watching = api.ask("list_workflows")["items"]
    assert watching["looked"]["seen"] == watching["looked"]["known"] > 0


def test_a_connect_session_for_a_workflow(api, host, tmp_path, hub):
    """It is for what the workflow asks now, beside what is named; one that isn't known or can't be read is told."""
    (tmp_path / "one.yaml").write_text(WORKFLOW)
    (tmp_path / "broken.yaml").write_text(WORKFLOW.replace("One", "Broken").replace("contacts_search", "nothing"))
    there = Client(replace(hub, workflows=tmp_path), api.token)
    asked = {"owner": "Acme", "connector": "apollo", "actions": ["people_match"], "workflow": "One"}
    assert there.ask("make_connect_session", asked)["actions"] == ["people_match", "contacts_search"]
    broken = there.ask("make_connect_session", {**asked, "workflow": "Broken"}, 422)["error"]
    assert broken["problems"][0]["path"] == "steps[0].action"
    there.ask("make_connect_session", {**asked, "workflow": "nothing"}, 404)


def test_a_connect_session(api, hub):
    """Its link leads to this Hub and is told once; revoked it is void."""
    asked = {"owner": "Acme", "connector": "apollo", "types": ["api_key"], "expires_in": 600}
    made = api.ask("make_connect_session", asked)
    address, _, token = made["url"].partition("#")
    assert address == f"{ADDRESS}/connect/start"
    shown = api.ask("get_connect_session", session=made["id"])
    assert (shown["status"], shown["connection"]) == ("waiting", None)
    assert token not in json.dumps(shown)
    assert api.ask("revoke_connect_session", session=made["id"])["status"] == "revoked"
    told = api.ask("make_connect_session", {**asked, "return_url": "javascript:x", "types": ["nothing"]}, 422)
    assert {problem["path"] for problem in told["error"]["problems"]} == {"return_url", "types"}


def test_other_origins_may_use_it_only_when_listed(hub, api, monkeypatch):
    """None by default; those that are listed, exactly."""
    asked = {
        "origin": "https://app.example.com",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    assert Browser(hub).client.options(f"{BASE}/connectors", headers=asked).status_code == 405
    monkeypatch.setenv("WORKFLOW_HUB_ORIGINS", "https://app.example.com https://other.example.com")
    listed = Browser(hub).client.options(f"{BASE}/connectors", headers=asked)
    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (200, "https://app.example.com")
    other = Browser(hub).client.get(f"{BASE}/health", headers={"origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in other.headers
    monkeypatch.setenv("WORKFLOW_HUB_ORIGINS", "*")
    with pytest.raises(Exception, match="WORKFLOW_HUB_ORIGINS"):
        Browser(hub)
