"""Tokens for the API: shown once, kept hashed, revoked at once."""

import json

import pytest

from apollo_component.contract.errors import InputError, NotFoundError
from apollo_component.host.api_tokens import DAY_SECONDS, USE_SECONDS, ApiTokens


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(host, clock):
    return ApiTokens(host.store, clock)


def test_a_token_is_good_until_it_expires_or_is_revoked(tokens, clock):
    """Another, a cut one and one in other letters never are; after the end neither is the right one."""
    token, secret = tokens.add("Builder", 2)
    assert tokens.check(secret).id == token.id
    for wrong in ("", "wh_", secret[:-1], secret + "x", secret.swapcase(), token.id):
        assert tokens.check(wrong) is None
    clock.now += 2 * DAY_SECONDS
    assert tokens.check(secret) is None
    lasting, secret = tokens.add("Lasting")
    assert tokens.check(secret)
    assert tokens.remove("Lasting").id == lasting.id
    assert tokens.check(secret) is None
    with pytest.raises(NotFoundError):
        tokens.remove("Lasting")


def test_use_is_noted_at_most_once_a_minute(tokens, clock):
    """Many requests cost few writes."""
    secret = tokens.add("Builder")[1]
    began = clock.now
    for _ in range(3):
        tokens.check(secret)
        clock.now += USE_SECONDS / 3 - 1
    assert [token.used_at for token in tokens.all()] == [began]
    clock.now += USE_SECONDS
    tokens.check(secret)
    assert [token.used_at for token in tokens.all()] == [clock.now]


@pytest.mark.parametrize(("name", "days"), [("", None), ("Taken", None), ("a/b", None), ("x", 0), ("x", 10**6)])
def test_what_cant_be_a_token_is_refused(tokens, name, days):
    """An empty, taken or odd name, or a time that is none."""
    tokens.add("Taken")
    with pytest.raises(InputError):
        tokens.add(name, days)
    assert len(tokens.all()) == 1


@pytest.mark.sqlite
def test_only_a_hash_is_kept(tokens, host):
    """The secret is nowhere in the database, nor in what lists tokens."""
    secret = tokens.add("Builder")[1]
    tokens.check(secret)
    assert secret not in json.dumps([token.as_dict() for token in tokens.all()]) + repr(tokens.all())
    files = list(host.store.file.parent.glob("host.db*"))
    assert files
    assert not [file for file in files if secret.encode() in file.read_bytes()]


def test_the_page_shows_a_token_once_and_revokes_it(browser, anyone, host):
    """After it was shown no page has it; once revoked the API refuses it."""
    made = browser.post("/settings/tokens", {"name": "Builder", "days": "30"})
    secret = made.html.partition('id="token" tabindex="0">')[2].partition("<")[0]
    assert secret.startswith("wh_")
    bearer = {"authorization": f"Bearer {secret}"}
    assert anyone.get("/api/v1/connectors", headers=bearer).status == 200
    listed = browser.get("/settings/tokens")
    assert "Builder" in listed.text
    assert secret not in listed.html
    path = listed.html.partition('action="/settings/tokens/')[2].partition('"')[0]
    assert browser.post(f"/settings/tokens/{path}").status == 303
    assert anyone.get("/api/v1/connectors", headers=bearer).status == 401


def test_a_refused_form_says_why_and_keeps_what_was_typed(browser):
    """The reason is beside the field, and nothing was made."""
    page = browser.post("/settings/tokens", {"name": "<b>/", "days": "365"})
    assert page.status == 422
    assert "must begin with a letter" in page.text
    assert 'value="&lt;b&gt;/"' in page.html
    assert '<option value="365" selected>' in page.html
    assert browser.post("/settings/tokens", {"name": "x", "days": "7"}).status == 422


@pytest.mark.sqlite
def test_settings_lead_to_their_pages(browser):
    """The index links tokens and apps, and tells what this Hub is."""
    page = browser.get("/settings")
    assert '/settings/tokens"' in page.html
    assert '/settings/apps"' in page.html
    assert "SQLite" in page.text


def test_pages_are_for_operators(anyone):
    """Who isn't signed in sees and makes nothing."""
    assert anyone.get("/settings").status == 303
    assert anyone.get("/settings/tokens").status == 303
    assert anyone.post("/settings/tokens", {"name": "x", "days": ""}).status == 401
