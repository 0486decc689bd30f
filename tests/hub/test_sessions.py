"""Signing in: one link, one browser; forms that another site sends do nothing."""

import re

import pytest

from apollo_component.contract.errors import TransientError
from apollo_component.hub.sessions import IDLE_SECONDS, LINK_SECONDS, Sessions
from apollo_component.hub.tries import TRIES, TRY_SECONDS

from .conftest import ADDRESS


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens():
    return []


@pytest.fixture
def sessions(tokens, clock):
    return Sessions(tokens.append, clock)


def test_a_link_signs_one_browser_in_and_the_next_is_announced(sessions, tokens):
    """The same link again is refused; a new one was announced for the next browser."""
    sessions.offer()
    cookie = sessions.sign_in(tokens[0], "a")
    assert sessions.of(cookie).is_operator
    assert sessions.sign_in(tokens[0], "a") is None
    assert sessions.sign_in(tokens[1], "a")


def test_links_and_sessions_end(sessions, tokens, clock):
    """A link that nobody used for an hour, and a session that nobody used for half a day, are void."""
    sessions.offer()
    clock.now += LINK_SECONDS
    assert sessions.sign_in(tokens[0], "a") is None
    sessions.offer()
    cookie = sessions.sign_in(tokens[1], "a")
    clock.now += IDLE_SECONDS
    assert sessions.of(cookie)
    clock.now += IDLE_SECONDS + 1
    assert sessions.of(cookie) is None


def test_guessing_is_slowed_down(sessions, clock):
    """After ten wrong links an address must wait, others needn't."""
    for _ in range(TRIES):
        assert sessions.sign_in("wrong", "a") is None
    with pytest.raises(TransientError) as caught:
        sessions.sign_in("wrong", "a")
    assert 0 < caught.value.retry_after <= TRY_SECONDS
    assert sessions.sign_in("wrong", "b") is None
    clock.now += TRY_SECONDS
    assert sessions.sign_in("wrong", "a") is None


def test_without_a_session_pages_lead_to_the_sign_in(anyone):
    """Pages redirect there, requests of scripts get 401, and nothing of the page is shown."""
    page = anyone.get("/accounts")
    assert (page.status, page.answer.headers["location"]) == (303, "/sign-in")
    assert anyone.get("/accounts", headers={"accept": "application/json"}).status == 401
    assert anyone.get("/sign-in").status == 200


def test_signing_in_and_out(browser):
    """The cookie is for this Hub's server only, and is worth nothing after signing out."""
    cookie = browser.client.cookies.jar
    assert {(item.name, item.secure, item.has_nonstandard_attr("HttpOnly")) for item in cookie} == {
        ("hub8765", False, True)
    }
    assert browser.get("/accounts").status == 200
    assert browser.post("/sign-out").status == 303
    assert browser.get("/accounts").status == 303


@pytest.mark.parametrize(
    ("form", "headers"), [({}, {}), ({"csrf": "wrong"}, {}), (None, {"origin": "https://evil.example"})]
)
def test_what_another_site_sends_does_nothing(browser, form, headers):
    """Without the page's token, or from another origin, nothing is done."""
    form = {"csrf": browser.csrf} if form is None else form
    answer = browser.client.post("/sign-out", data=form, headers=headers)
    assert answer.status_code == 422
    assert browser.get("/accounts").status == 200


def test_a_request_addressed_to_another_name_is_refused(browser):
    """A page elsewhere whose name was led to this machine reaches nothing."""
    assert browser.get("/sign-in", headers={"host": "evil.example:8765"}).status == 421
    assert browser.get("/sign-in", headers={"host": "127.0.0.1:9999"}).status == 421


def test_pages_under_the_other_name_of_this_machine_lead_to_the_one(browser):
    """There the cookie and the callback are, so nobody loses a session on the way; the API answers under both."""
    other = {"host": "localhost:8765"}
    answer = browser.get("/accounts?q=a%20b&page=2", headers=other).answer
    assert (answer.status_code, answer.headers["location"]) == (307, f"{ADDRESS}/accounts?q=a%20b&page=2")
    assert browser.get("/sign-in", headers=other).answer.headers["location"] == f"{ADDRESS}/sign-in"
    assert browser.get("//evil.example/", headers=other).answer.headers["location"].startswith(f"{ADDRESS}/")
    assert browser.get("/api/v1/openapi.json", headers=other).status == 200


def test_every_answer_has_the_headers_that_keep_it_safe(browser):
    """Only the Hub's own scripts and styles run, nothing may frame it, nothing is stored on the way."""
    for path in ("/accounts", "/nowhere", "/sign-in"):
        headers = browser.get(path).answer.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_what_is_too_large_is_refused_unread(browser):
    """More than a mebibyte of a form is no form."""
    assert browser.post("/sign-out", {"more": "x" * (1024 * 1024)}).status == 422


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "Palette"), ("/try/apollo/people_match", "Palette"), ("/accounts", "Accounts"), ("/link", "Accounts")],
)
def test_the_menu_says_where_one_is(browser, path, name):
    """Also on the pages below one of its entries."""
    found = re.findall(r'aria-current="page">(?:<svg.*?</svg>)?<span>(\w+)<', browser.get(path).html)
    assert found == [name]
