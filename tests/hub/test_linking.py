"""Linking in the browser, in this process: forms that keep what was typed, attempts, and end users' links."""

import json
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from apollo_component.contract.models import OAuthApp
from apollo_component.host.connect_sessions import ConnectSessions
from apollo_component.host.needs import needs_of, remarks

from .conftest import ADDRESS, Browser

KEY = "/link?connector=apollo&type=api_key"
OAUTH = "/link?connector=apollo&type=oauth2"


@pytest.fixture(autouse=True)
def _callback(service):
    """The shared sandbox's app sends people back to this Hub."""
    assert f"{ADDRESS}/callback" in str(service.oauth), service.oauth


@pytest.fixture
def app(host, service):
    told = service.oauth
    host.apps.add("Ours", "apollo", OAuthApp(told["client_id"], told["client_secret"], (f"{ADDRESS}/callback",)))
    return "Ours"


def location(page):
    return page.answer.headers["location"]


def consent(service, url, decision="allow"):
    """Where the service sends the browser after a person decided: a path of this Hub."""
    query = dict(parse_qsl(url.partition("?")[2]))
    answer = httpx.post(service.env["APOLLO_OAUTH_URL"] + "/oauth/consent", data={**query, "decision": decision})
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def begun(browser, app, **more):
    page = browser.post(OAUTH, {"name": "Theirs", "app": app, **more})
    assert page.status == 303, page.text
    return location(page)


def gone(browser, attempt):
    return location(browser.get(f"/attempts/{attempt.rpartition('/')[2]}/go"))


def test_the_guide_lists_exactly_what_is_needed(browser, host):
    """For the chosen actions and triggers, as `requirements` tells it, for keys and for apps."""
    names = ["contacts_search", "people_match"]
    chosen = "".join(f"&for={name}" for name in names)
    needs = host.registry.manifest("apollo").requirements(names)
    for path, listed in ((KEY, needs["key_endpoints"]), (OAUTH, needs["oauth_scopes"])):
        html = browser.get(path + chosen).html
        found = re.findall(r'<input type="checkbox" autocomplete="off"> <code[^>]*>([^<]+)<', html)
        assert found == listed
    assert f">{ADDRESS}/callback<" in browser.get(OAUTH).html


@pytest.mark.parametrize("names", [["webhook_result_show"], ["people_match", "contacts_create"], ["deal_created"]])
def test_the_tick_list_is_what_requirements_prints(browser, names):
    """For a key and for OAuth the page lists what the command lists, late results and custom fields too."""
    query = "&".join(f"for={name}" for name in names)
    for kind, key in (("api_key", "key_endpoints"), ("oauth2", "oauth_scopes")):
        page = browser.get(f"/link?connector=apollo&type={kind}&{query}")
        wanted = needs_of(browser.hub.host.registry.manifests, names)
        ticked = re.findall(r'<input type="checkbox" autocomplete="off"> <code id="[^"]+">([^<]+)</code>', page.html)
        assert ticked == wanted[key]
        assert all(text in page.text for text in remarks(wanted))


def test_a_good_key_is_linked_and_confirmed(browser, host, service):
    """The confirmation names the account and can be loaded again; the key is on no page."""
    key = service.keys["master"]
    page = browser.post(KEY, {"name": "Main", "api_key": f' "{key}" '})
    assert page.status == 303
    done = browser.get(location(page))
    connection = host.connections.get("Main")
    assert "The account is linked" in done.text
    assert connection.account.email in done.text
    assert key not in done.html
    assert host.connections.credential(connection).api_key == key
    assert browser.get(location(page)).html == done.html


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"api_key": "canary-wrong-key"}, "api_key", "Nothing was stored"),
        ({"api_key": ""}, "api_key", "Is required"),
        ({"api_key": "a b"}, "api_key", "white space"),
        ({"name": "a/b"}, "name", "Must begin with a letter"),
        ({"name": "Main"}, "name", "Is taken"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(browser, linked, service, form, field, said):
    """And what was typed is kept, but for secrets."""
    page = browser.post(KEY, {"name": "Mine", "api_key": service.keys["master"], **form})
    assert page.status == 422
    [text] = re.findall(rf'id="wrong-{field}">([^<]+)<', page.html)
    assert said in unescape(text)
    assert f'value="{form.get("name", "Mine")}"' in page.html
    assert not form.get("api_key") or form["api_key"] not in page.html
    assert service.keys["master"] not in page.html


def test_a_limited_key_lists_what_to_tick(browser, host, service):
    """It is linked, and the confirmation says what it may not do and where to grant it."""
    limited = service.keys["scoped_without_search"]
    page = browser.post(f"{KEY}&for=contacts_search", {"name": "Small", "api_key": limited})
    done = browser.get(location(page))
    assert "with fewer rights" in done.text
    assert "To tick on the key: api/v1/" in done.text


def test_a_new_key_keeps_the_id(browser, host, linked, service):
    """Under the same name, which the form doesn't ask for."""
    path = f"/link?connection={linked.id}"
    assert 'name="name"' not in browser.get(path).html
    page = browser.post(path, {"api_key": service.keys["master"]})
    assert "linked" in browser.get(location(page)).text
    assert host.connections.get("Main").id == linked.id
    assert [one.id for one in host.connections.all()] == [linked.id]


def test_an_authorization_goes_there_and_back(browser, host, app, service):
    """The code leaves the address at once; the result can be loaded again, and the same answer shows it again."""
    attempt = begun(browser, app)
    assert "Allow access" in browser.get(attempt).text
    back = consent(service, gone(browser, attempt))
    for _ in range(2):
        page = browser.get(back)
        assert (page.status, location(page)) == (303, attempt)
    assert "The account is linked" in browser.get(attempt).text
    assert browser.get(f"/attempts/{attempt.rpartition('/')[2]}").json()["status"] == "linked"
    assert host.connections.get("Theirs").status == "active"


@pytest.mark.parametrize(
    ("decision", "said"), [("deny", "denied access"), ("no_permission", "contact your Apollo admin")]
)
def test_a_refusal_says_what_to_ask_for(browser, host, app, service, decision, said):
    """In the service's words, with the way to try again."""
    attempt = begun(browser, app)
    page = browser.get(location(browser.get(consent(service, gone(browser, attempt), decision))))
    assert said in page.text
    assert "Ask an admin" in page.text
    assert "Start over" in page.text
    assert host.connections.all() == []


def test_an_app_can_be_typed(browser, host, service):
    """Its secret is on no page, also when something is missing; it stays with the connection."""
    told = service.oauth
    page = browser.post(OAUTH, {"name": "Own", "app": "", "client_id": "", "client_secret": told["client_secret"]})
    assert page.status == 422
    assert 'id="wrong-client_id"' in page.html
    assert told["client_secret"] not in page.html
    attempt = begun(browser, "", client_id=told["client_id"], client_secret=told["client_secret"])
    assert told["client_secret"] not in browser.get(attempt).html
    browser.get(consent(service, gone(browser, attempt)))
    connection = host.connections.get("Theirs")
    again = browser.get(f"/link?connection={connection.id}").html
    assert "The app it has now" in again
    assert host.apps.all() == []


def test_another_browser_sees_nothing_of_an_attempt(browser, hub, app, service):
    """Neither its page nor its answer, although somebody is signed in there as well."""
    attempt = begun(browser, app)
    back = consent(service, gone(browser, attempt))
    other = Browser(hub).signed_in()
    assert other.get(attempt).status == 404
    assert "no attempt of this browser" in other.get(back).text
    nobody = Browser(hub)
    assert "began nothing" in nobody.get(back).text
    assert browser.get(attempt).status == 200


def test_an_attempt_that_was_given_up_goes_on(browser, app, service):
    """To cancel is told as such; an answer that comes after all is taken."""
    attempt = begun(browser, app)
    back = consent(service, gone(browser, attempt))
    assert browser.send(f"/attempts/{attempt.rpartition('/')[2]}/cancel", {}).json()["status"] == "cancelled"
    assert "start over" in browser.get(attempt).text
    browser.get(back)
    assert "The account is linked" in browser.get(attempt).text


@pytest.mark.parametrize("path", ["/link?connector=nothing", "/link?for=nothing", "/link?connection=nothing"])
def test_what_isnt_there_is_told(browser, path):
    """An unknown connector, action or account is no form."""
    assert browser.get(path).status == 404


# End users


def arrived(hub, token):
    guest = Browser(hub)
    page = Browser.post(guest, "/connect/start", {"token": token})
    assert page.status == 200, page.text
    return guest


def test_an_end_user_links_and_sees_nothing_else(hub, host, linked, service):
    """By a key: the account is theirs; nothing of other accounts, names or apps is shown or reached."""
    sessions = ConnectSessions(host)
    session, token = sessions.make(
        "Acme", "apollo", actions=["contacts_search"], return_url="https://app.example/done?x=1"
    )
    guest = arrived(hub, token)
    page = guest.get("/connect")
    assert "Main" not in page.text
    assert 'name="name"' not in page.html
    assert guest.get("/accounts").status == 401
    assert guest.get(f"/accounts/{linked.id}").status == 401
    assert guest.get("/link").status == 401
    done = guest.post("/connect?type=api_key", {"api_key": service.keys["master"]})
    shown = guest.get(location(done))
    assert "The account is linked" in shown.text
    assert f"https://app.example/done?x=1&amp;session={session.id}&amp;status=linked" in shown.html
    assert host.connections.get("Acme Apollo").owner == "Acme"
    assert "Your account is linked" in guest.get("/connect").text
    assert Browser(hub).post("/connect/start", {"token": token}).status == 403


def test_an_end_user_allows_the_operators_app(hub, host, app, service):
    """No client id or secret is asked for or shown."""
    session, token = ConnectSessions(host).make("Acme", "apollo", types=["oauth2"], app=app)
    guest = arrived(hub, token)
    page = guest.get("/connect")
    assert "client" not in page.html.lower()
    attempt = location(guest.post("/connect", {}))
    shown = guest.get(attempt).html
    assert service.oauth["client_secret"] not in shown
    guest.get(consent(service, gone(guest, attempt)))
    assert ConnectSessions(host).get(session.id).status == "linked"


def test_an_operator_isnt_signed_out_by_a_link(browser, host):
    """Opening an end user's link in an operator's browser says what to do instead."""
    _, token = ConnectSessions(host).make("Acme", "apollo")
    page = browser.post("/connect/start", {"token": token})
    assert (page.status, "private window" in json.dumps(page.json())) == (409, True)
    assert browser.get("/accounts").status == 200


def test_a_revoked_link_ends_at_once(hub, host, service):
    """Also for somebody who has its page open."""
    sessions = ConnectSessions(host)
    session, token = sessions.make("Acme", "apollo")
    guest = arrived(hub, token)
    sessions.revoke(session.id)
    assert "taken back" in guest.get("/connect").text
    assert location(guest.post("/connect?type=api_key", {"api_key": service.keys["master"]})) == "/connect"
    assert host.connections.all() == []


def test_another_sites_page_makes_nobody_a_guest(hub, host):
    """A form elsewhere that sends a token of its own is refused."""
    _, token = ConnectSessions(host).make("Acme", "apollo")
    page = Browser(hub).post("/connect/start", {"token": token}, headers={"origin": "https://evil.example"})
    assert page.status == 403
    assert "set-cookie" not in page.answer.headers


def test_a_service_out_of_reach_is_told_above_the_form(browser, host, service):
    """Nothing was stored, and the name is kept."""
    service.control("POST", "/faults", {"operation": "auth_health", "kind": "status", "status": 503, "times": 9})
    page = browser.post(KEY, {"name": "Later", "api_key": service.keys["master"]})
    service.control("DELETE", "/faults")
    assert page.status == 422
    assert "Nothing was stored" in page.text
    assert 'value="Later"' in page.html
    assert host.connections.all() == []


def test_another_account_under_the_same_name_is_told(browser, host, linked, service):
    """A key of another team is taken, and the page warns."""
    done = browser.post(f"/link?connection={linked.id}", {"api_key": service.keys["free"]})
    page = browser.get(location(done))
    assert ("another account than before" in page.text) == (
        host.connections.get("Main").account.id != linked.account.id
    )


def test_links_are_made_and_revoked_by_operators(browser, hub, host):
    """Shown once; what is wrong is said beside its field, and typed values are kept."""
    wrong = browser.post(
        "/settings/links", {"connector": "apollo", "owner": "", "return_url": "http://x", "lasts": "day"}
    )
    assert (wrong.status, 'id="wrong-owner"' in wrong.html, 'value="http://x"' in wrong.html) == (422, True, True)
    page = browser.post(
        "/settings/links", {"connector": "apollo", "owner": "Acme", "lasts": "day", "for": "people_match"}
    )
    [token] = re.findall(r"/connect/start#([\w-]+)", page.html)
    assert token not in browser.get("/settings/links").html
    [session] = ConnectSessions(host).all()
    assert session.actions == ("people_match",)
    assert "For what you ticked: Enrich a person" in browser.get("/settings/links?for=people_match").text
    assert browser.post(f"/settings/links/{session.id}/revoke").status == 303
    assert Browser(hub).post("/connect/start", {"token": token}).status == 403
