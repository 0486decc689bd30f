"""The accounts pages: found, tested, renamed, removed; apps without their secrets."""

import pytest
import sqlalchemy as sa

from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host.tables import connections
from apollo_component.host.workflow.subscriptions import Subscriptions


def many(host, count):
    for number in range(count):
        host.connections.add(
            f"Account {number:03}", "apollo", Credential("api_key", api_key="k"), owner=f"Owner{number}"
        )


def test_accounts_are_listed_by_pages_and_found(browser, host):
    """Fifty a page; by name or owner, by status."""
    many(host, 101)
    first = browser.get("/accounts")
    assert "Account 000" in first.text
    assert "Account 050" not in first.text
    assert "Page 1 of 3, 101 accounts" in first.text
    assert "Account 100" in browser.get("/accounts?page=3").text
    found = browser.get("/accounts?q=owner77").text
    assert "Account 077" in found
    assert "Account 078" not in found
    assert "No account fits" in browser.get("/accounts?q=%25").text
    host.connections.mark(host.connections.get("Account 007"), "needs_reauthorization", "revoked there")
    broken = browser.get("/accounts?status=needs_reauthorization").text
    assert "Account 007" in broken
    assert "revoked there" in broken
    assert "Account 008" not in broken


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "²"])
def test_pages_that_arent_there_are_no_error(browser, linked, page):
    """Whatever stands in the address."""
    assert browser.get(f"/accounts?page={page}").status == 200


def test_an_account_tells_what_is_known(browser, linked, service):
    """Whose it is, its rights, its history; never the key."""
    page = browser.get(f"/accounts/{linked.id}")
    assert linked.account.email in page.text
    assert "Linked by API key" in page.text
    assert service.keys["master"] not in page.html


def test_an_account_is_tested_now(browser, linked):
    """The report is shown with every check."""
    page = browser.post(f"/accounts/{linked.id}/test")
    assert "accepts this connection" in page.text
    assert "What the test found" in page.text


def test_what_is_left_is_asked_at_the_service(browser, linked):
    """Credits and requests, as the service tells them."""
    page = browser.get(f"/accounts/{linked.id}/usage")
    assert "Credits" in page.text
    assert "<meter" in page.html


def test_an_account_is_renamed(browser, linked, host):
    """With its id; a name that is taken or can't be one is told beside the field, and kept there."""
    assert browser.post(f"/accounts/{linked.id}/name", {"name": " Sales "}).status == 303
    assert host.connections.get("Sales").id == linked.id
    many(host, 1)
    page = browser.post(f"/accounts/{linked.id}/name", {"name": "Account 000"})
    assert (page.status, "Is taken" in page.text, 'value="Account 000"' in page.html) == (422, True, True)
    assert browser.post(f"/accounts/{linked.id}/name", {"name": ""}).status == 422


def test_what_depends_on_an_account_is_named_before_it_goes(browser, linked, host):
    """Enabled workflows by name, and what stays at the service."""
    assert "No enabled workflow" in browser.get(f"/accounts/{linked.id}").text
    assert not Subscriptions(host.store).all()
    page = browser.get(f"/accounts/{linked.id}").text
    assert "the key goes on working" in page
    gone = browser.post(f"/accounts/{linked.id}/remove")
    assert "the key goes on working" in gone.text
    assert host.connections.all() == []
    assert browser.get(f"/accounts/{linked.id}").status == 404


def test_apps_are_kept_without_showing_their_secret(browser, host):
    """Added with this Hub's redirect URL, and removed; what is wrong is said beside its field."""
    wrong = browser.post("/settings/apps", {"connector": "apollo", "name": "Ours", "client_secret": "canary-secret"})
    assert (wrong.status, 'id="wrong-client_id"' in wrong.html, "canary-secret" in wrong.html) == (422, True, False)
    form = {"connector": "apollo", "name": "Ours", "client_id": "client-7", "client_secret": "canary-secret"}
    assert browser.post("/settings/apps", form).status == 303
    page = browser.get("/settings/apps")
    assert "client-7" in page.text
    assert "canary-secret" not in page.html
    assert host.apps.get("Ours")[1] == OAuthApp("client-7", "canary-secret", ("http://127.0.0.1:8765/callback",))
    assert browser.post("/settings/apps", form).status == 422
    assert browser.post("/settings/apps/remove", {"name": "Ours"}).status == 303
    assert host.apps.all() == []


def test_a_hint_for_the_command_line_is_on_no_page(browser):
    """Whoever uses the pages is told what can be done on them; the JSON keeps the hint."""
    page = browser.get("/accounts/nobody")
    assert (page.status, "no connection named" in page.text, "connections" in page.text) == (404, True, False)
    assert "Go to the palette" in page.text
    assert "`connections`" in browser.get("/accounts/nobody", headers={"accept": "application/json"}).html


def test_a_link_names_the_ways_to_link_as_people_do(browser):
    """Not by their ids."""
    form = {"owner": "Acme", "connector": "apollo", "lasts": "day"}
    browser.post("/settings/links", form)
    text = browser.get("/settings/links").text
    assert ("API key" in text, "api_key" in text) == (True, False)


def test_the_sandbox_is_marked_wherever_an_account_shows(browser, linked, service):
    """In the list, on its own page with the address, and beside what it has left."""
    for path in ("/accounts", f"/accounts/{linked.id}", f"/accounts/{linked.id}/usage"):
        assert ">sandbox</span>" in browser.get(path).html
    assert service.env["APOLLO_OAUTH_URL"] in browser.get(f"/accounts/{linked.id}").text


def test_an_account_of_elsewhere_says_so(browser, host, linked, monkeypatch):
    """Its page names both addresses; a test of it is refused and nothing is sent."""
    monkeypatch.setenv("APOLLO_API_URL", "http://127.0.0.1:9/api/v1")
    page = browser.get(f"/accounts/{linked.id}")
    assert "'Main' belongs to http://127.0.0.1:" in page.text
    assert "requests go to http://127.0.0.1:9" in page.text
    tested = browser.post(f"/accounts/{linked.id}/test")
    assert (tested.status, "Nothing was sent." in tested.text) == (409, True)


def test_an_account_of_before_has_no_server(browser, host, linked):
    """One that was stored before its server was says that, and isn't marked."""
    with host.store.write() as open_:
        open_.execute(sa.update(connections).values(servers_json=None))
    page = browser.get(f"/accounts/{linked.id}")
    assert "not known, as it was stored before this was kept" in page.text
    assert ">sandbox</span>" not in page.html
