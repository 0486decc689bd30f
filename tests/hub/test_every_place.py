"""Every page of the Hub over a database that holds something of everything, on SQLite and on PostgreSQL."""

import re

import pytest

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import TransientError
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import linking
from apollo_component.host.api_tokens import ApiTokens
from apollo_component.host.connect_sessions import ConnectSessions
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.hub.api.routes import BASE
from apollo_component.hub.app import PLACES
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

from .conftest import ADDRESS, Browser
from .pages import read
from .test_runs_that_stop import FIND, MAKE, in_doubt, out_of_quota
from .test_trying import ended, tried
from .test_workflows import EXAMPLES, NAME, started, worked

GETS = [place for place in PLACES if "GET" in place.methods]


@pytest.fixture
def hub(host, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    for file in EXAMPLES.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "find.yaml").write_text(FIND)
    (folder / "make.yaml").write_text(MAKE)
    (folder / "broken.yaml").write_text(FIND.replace("contacts_search", "nothing").replace("Find", "Broken"))
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=folder)


@pytest.fixture
def filled(browser, host, linked, service):
    """What stands in the paths of the pages, by name."""
    app = OAuthApp(service.oauth["client_id"], service.oauth["client_secret"], (f"{ADDRESS}/callback",))
    host.apps.add("Ours", "apollo", app)
    linking.link_key(host, "apollo", "Small", "api_key", {"api_key": service.keys["scoped_without_search"]})
    old = host.connections.add("Old", "apollo", Credential("oauth2", access_token="t"), owner="Acme")
    host.connections.mark(old, "needs_reauthorization", "Revoked there.")
    link, _ = ConnectSessions(host).make("Acme", "apollo", app="Ours", actions=["people_match"])
    ApiTokens(host.store, host.clock).add("Builder")
    whole = started(browser, linked)
    worked(host)
    began = browser.post("/link?connector=apollo&type=oauth2", {"name": "Theirs", "app": "Ours"})
    trial = tried(browser, "contacts_search", {"per_page": 3}, connection=linked.id)
    ended(browser, trial)
    poor = started(browser, linked, budget="3")
    doubtful = in_doubt(browser, linked, service)
    waiting = out_of_quota(browser, linked, service)
    browser.post(f"{started(browser, linked)}/cancel")
    browser.post("/workflows/Call back new contacts/enable", {"connection.apollo": linked.id, "input.note": "x"})
    runs = [place.rpartition("/")[2] for place in (whole, poor, doubtful, waiting)]
    return {
        "account": [one.id for one in host.connections.all()],
        "run": runs,
        "link": [link.id],
        "token": ["Builder"],
        "trial": [trial.answer.headers["location"].rpartition("/")[2]],
        "attempt": [began.answer.headers["location"].rpartition("/")[2]],
        "workflow": [NAME, "Call back new contacts", "Find", "Make a task"],
    }


def paths(place, filled):
    """The addresses of a page; one for each thing of its kind."""
    kinds = {"/accounts": "account", "/link/attempts": "attempt", "/attempts": "attempt", "/workflows": "workflow"}
    kinds |= {"/runs": "run", "/try/runs": "trial", "/settings/links": "link", "/settings/tokens": "token"}
    head, _, rest = place.path.partition("/{")
    if not rest:
        return [place.path]
    if head in kinds:
        found = [head + "/" + each + rest.partition("}")[2] for each in filled[kinds[head]]]
        step = [path.replace("{step}", "contacts").replace("{seq:int}", "0") for path in found]
        return step[:1] if "{step}" in rest else found
    named = {"{connector}": "apollo", "{action}": "contacts_search", "{trigger}": "contact_created"}
    return [re.sub(r"{\w+}", lambda name: named.get(name[0], "none"), place.path)]


ELSEWHERE = "/connect", "/sign-in", "/callback"
"""Pages that aren't an operator's, or need what comes from outside."""
LEADING_ON = "/try", "/attempts/{id}/go"
"""Those that send a browser on."""
OPTIONS = "/try/{connector}/{action}/options"
"""It must be asked for a field."""
QUERIES = {
    "/palette/search": ["?q=enrihc&able=1&account=Small"],
    "/palette/plan": ["?pick=apollo.people_match"],
    "/": ["?q=note&account=Main", "?pick=apollo.people_match"],
    "/accounts": ["?q=acme", "?status=active"],
    "/runs": ["?status=done", f"?workflow={NAME}", "?kind=action", "?id=2"],
    "/credits": ["?by=hours"],
    "/link": [f"?workflow={NAME}", "?connection=Old", "?connector=apollo&type=oauth2&for=people_match"],
    OPTIONS: ["?field=sort_by_field"],
}
"""What the pages are asked for besides."""


def test_every_page_works(browser, host, filled):
    """Each is there for an operator and is whole HTML, with what can be asked of it besides."""
    for place in (place for place in GETS if place.path not in ELSEWHERE):
        queries = [] if place.path == OPTIONS else [""]
        for address in (
            path + query for path in paths(place, filled) for query in queries + QUERIES.get(place.path, [])
        ):
            page = browser.get(address)
            assert page.status == (303 if place.path in LEADING_ON else 200), (address, page.text)
            if page.html.startswith("<!doctype"):
                read(page.html).one("h1")


LEFT_OUT = "/connect", "/sign-in", "/sign-out", "/callback"
"""Places that need what comes from outside, or end the session."""


@pytest.fixture
def elsewhere(filled, host, monkeypatch):
    """The same database in a process whose requests go to other servers; what they are."""
    sent = []

    def send(request, **_more):
        sent.append(request)
        raise TransientError("not reached", worked=False)

    manifest = host.registry.manifest("apollo")
    environ = {"APOLLO_API_URL": "http://127.0.0.1:4010/api/v1", "APOLLO_OAUTH_URL": "http://127.0.0.1:4010"}
    registry = Registry({"apollo": Connector(manifest, QUIRKS, send=send, environ=environ)}, environ=environ)
    made = Host.open(host.settings, registry)
    yield made, sent
    made.close()


def test_no_page_uses_an_account_elsewhere(hub, elsewhere, filled, service):
    """Of all that can be opened and posted, nothing sends a credential to other servers than it was linked at."""
    other, sent = elsewhere
    browser = Browser(Hub(other, Sessions(lambda _token: None, other.clock), ADDRESS, workflows=hub.workflows))
    browser.signed_in()
    before = len(service.requests())
    form = {"_connection": "Main", "connection": "Main", "connection.apollo": "Main", "_do": "run", "_mode": "form"}
    form |= {"name": "Main", "app": "Ours", "budget": "5", "mails": "yes", "input.note": "x", "input.titles": "CEO"}
    places = [place for place in PLACES if place.path not in LEFT_OUT]
    for place in sorted(places, key=lambda place: place.path.endswith("/remove")):
        for address in (path + query for path in paths(place, filled) for query in ["", *QUERIES.get(place.path, [])]):
            for method in place.methods:
                answer = browser.get(address) if method == "GET" else browser.post(address, form)
                assert answer.status < 500, (address, answer.text)
    assert sent == []
    assert len(service.requests()) == before


def test_no_call_of_the_api_uses_an_account_elsewhere(elsewhere, service):
    """The calls that use a credential are refused with the code and both addresses, and nothing is sent."""
    other, sent = elsewhere
    client = Browser(Hub(other, Sessions(lambda _token: None, other.clock), ADDRESS)).client
    token = ApiTokens(other.store, other.clock).add("other")[1]
    run = {"connection": "Main", "action": "users_search", "input": {}}
    choices = "/connections/Main/options?action=contacts_create&field=contact_stage_id"
    for method, path, body in (
        ("POST", "/connections/Main/test", {}),
        ("GET", "/connections/Main/usage", None),
        ("GET", choices, None),
        ("POST", "/actions/run", run),
    ):
        answer = client.request(method, BASE + path, json=body, headers={"authorization": f"Bearer {token}"})
        told = answer.json()
        error = told.get("error") or told["result"]["error"]
        assert (error["code"], answer.status_code) == ("wrong_server", 409), answer.text
        assert error["now"] == {"api": "http://127.0.0.1:4010", "oauth": "http://127.0.0.1:4010"}
        assert error["linked_at"]["oauth"] == service.env["APOLLO_OAUTH_URL"]
    assert sent == []


def test_the_pages_of_an_end_user_work(hub, host, service, filled):
    """From the link to the account."""
    _, token = ConnectSessions(host).make("Beta", "apollo", actions=["contacts_search"])
    guest = Browser(hub)
    assert guest.get("/connect/start").status == 200
    assert guest.post("/connect/start", {"token": token}).status == 200
    assert guest.get("/connect").status == 200
    done = guest.post("/connect?type=api_key", {"api_key": service.keys["master"]}).answer.headers["location"]
    assert "The account is linked" in guest.get(done).text
    assert guest.get("/connect").status == 200


def test_what_is_changed_on_pages_is_changed(browser, host, linked, service, filled):
    """The forms that no other test here posts: accounts, apps, links, tokens."""
    assert browser.post(f"/accounts/{linked.id}/test").status in (200, 303)
    assert browser.post(f"/accounts/{linked.id}/name", {"name": "Renamed"}).status == 303
    assert host.connections.get(linked.id).name == "Renamed"
    page = browser.post("/settings/tokens", {"name": "Second", "days": "30"})
    assert page.status == 200, page.text
    assert len(ApiTokens(host.store, host.clock).all()) == 2
    form = {"name": "Other", "connector": "apollo", "client_id": "c", "client_secret": "s"}
    assert browser.post("/settings/apps", form).status == 303
    assert browser.post("/settings/apps/remove", {"name": "Other"}).status == 303
    [session] = ConnectSessions(host).all()
    assert browser.post(f"/settings/links/{session.id}/revoke").status == 303
    assert browser.post(f"/accounts/{host.connections.get('Old').id}/remove").status in (200, 303)
    assert [one.name for one in host.connections.all()] == ["Renamed", "Small"]
