"""Every page of the Hub over a database that holds something of everything, on SQLite and on PostgreSQL."""

import re

import pytest

from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import linking
from apollo_component.host.api_tokens import ApiTokens
from apollo_component.host.connect_sessions import ConnectSessions
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
    ConnectSessions(host).make("Acme", "apollo", app="Ours", actions=["people_match"])
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
        "trial": [trial.answer.headers["location"].rpartition("/")[2]],
        "attempt": [began.answer.headers["location"].rpartition("/")[2]],
        "workflow": [NAME, "Call back new contacts", "Find", "Make a task"],
    }


def paths(place, filled):
    """The addresses of a page; one for each thing of its kind."""
    kinds = {"/accounts": "account", "/link/attempts": "attempt", "/attempts": "attempt", "/workflows": "workflow"}
    kinds |= {"/runs": "run", "/try/runs": "trial"}
    head, _, rest = place.path.partition("/{")
    if not rest:
        return [place.path]
    if head in kinds:
        found = [head + "/" + each + rest.partition("}")[2] for each in filled[kinds[head]]]
        step = [path.replace("{step}", "contacts").replace("{seq:int}", "0") for path in found]
        return step[:1] if "{step}" in rest else found
    named = {"{connector}": "apollo", "{action}": "contacts_search", "{trigger}": "contact_created"}
    return [re.sub(r"{\w+}", lambda name: named[name[0]], place.path)]


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
