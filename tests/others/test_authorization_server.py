"""The OAuth flow over the network against an authorization server that others wrote."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.errors import (
    ConnectorError,
    GrantRefusedError,
    ReauthorizationError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp
from apollo_component.host.registry import Registry

pytestmark = [pytest.mark.real, pytest.mark.full]

BACK = "http://127.0.0.1:8765/callback"
ASKED = ("contacts_search",)


class Person:
    """Links an account through the plugin's hooks; the client id chooses how the server answers."""

    def __init__(self, client_id: str, server: str) -> None:
        self.app = OAuthApp(client_id, "secret", (BACK,))
        self.server = server
        self.registry = Registry({"apollo": plugin})

    def returned(self) -> dict[str, str]:
        """What the person's browser brings back from the server's own authorize page."""
        request = AuthorizeRequest("oauth2", {}, self.app, BACK, "state-1", ASKED)
        url = self.registry.call("apollo", "connector_authorize", request=request).url
        route = url.removeprefix(f"{self.server}/#")
        answer = httpx.get(self.server + route)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def exchange(self, query: dict[str, str]) -> Credential:
        callback = Callback(query, "state-1", BACK, self.app, ASKED, connection_type="oauth2")
        made: Credential = self.registry.call("apollo", "connector_exchange", callback=callback)
        return made

    def refresh(self, credential: Credential) -> Credential:
        made: Credential = self.registry.call("apollo", "connector_refresh", credential=credential, app=self.app)
        return made


@pytest.fixture
def person(authorization_server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Person:
    monkeypatch.setenv("APOLLO_OAUTH_URL", authorization_server)
    return Person(request.param, authorization_server)


@pytest.mark.parametrize("person", ["plain"], indirect=True)
def test_codes_and_refresh_tokens_are_used_once(person: Person) -> None:
    """Each refresh gives a whole new pair; a code or refresh token that was used before is refused for good."""
    query = person.returned()
    linked = person.exchange(query)
    fresh = person.refresh(linked)
    again = person.refresh(fresh)
    pairs = {(one.access_token, one.refresh_token) for one in (linked, fresh, again)}
    assert len({token for _, token in pairs}) == 3
    assert all(one.scopes == ("dummy",) for one in (linked, fresh, again))
    for spent in (lambda: person.exchange(query), lambda: person.refresh(linked)):
        with pytest.raises(GrantRefusedError):
            spent()


@pytest.mark.parametrize(
    ("person", "keeps"),
    [
        ("without-scope", {"scopes": ASKED}),
        ("without-expires-in", {"expires_at": None}),
        ("without-refresh-token", {"refresh_token": ""}),
        ("expires-in-text", {}),
    ],
    indirect=["person"],
)
def test_what_an_answer_leaves_out(person: Person, keeps: dict[str, Any]) -> None:
    """Without scopes those asked for stand, without a lifetime none is guessed, without a token the old one stays."""
    linked = person.exchange(person.returned())
    hour = datetime.now(UTC) + timedelta(hours=1)
    assert {name: getattr(linked, name) for name in keeps} == keeps
    assert linked.expires_at is None if "expires_at" in keeps else abs(linked.expires_at - hour) < timedelta(minutes=1)
    if linked.refresh_token:
        fresh = person.refresh(linked)
        assert {name: getattr(fresh, name) for name in keeps} == keeps
        assert fresh.access_token
        assert fresh.refresh_token != linked.refresh_token


@pytest.mark.parametrize("person", ["without-refresh-token"], indirect=True)
def test_a_refresh_token_stays_until_a_new_one_comes(person: Person) -> None:
    """An answer to a refresh that brings no new refresh token leaves the one that was sent."""
    linked = Credential("oauth2", access_token="old", refresh_token="kept", scopes=ASKED)
    fresh = person.refresh(linked)
    assert fresh.access_token != "old"
    assert fresh.refresh_token == "kept"


@pytest.mark.parametrize(
    ("person", "error", "said"),
    [
        ("denied", ReauthorizationError, "access_denied"),
        ("wrong-secret", ReauthorizationError, "client id and secret"),
        ("wrong-scope", ReauthorizationError, "Register the scopes"),
        ("unavailable", TransientError, "temporarily_unavailable"),
        ("without-access-token", UnreadableReplyError, "no access token"),
    ],
    indirect=["person"],
)
def test_what_a_server_refuses(person: Person, error: type[ConnectorError], said: str) -> None:
    """A refusal by redirect, by status or by an answer without a token has its own error, and shows no secret."""
    query = person.returned()
    with pytest.raises(error) as caught:
        person.exchange(query)
    text = f"{caught.value.message} {caught.value.hint}"
    assert type(caught.value) is error
    assert said in text
    assert not any(secret in text for secret in ("secret-", query.get("code", "secret-")))
