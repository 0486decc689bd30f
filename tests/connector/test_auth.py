"""Linking an account: pasted keys, authorize addresses, callbacks, tokens and their refusals."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from apollo_component.connector import auth
from apollo_component.connector.connector import Connector
from apollo_component.connector.messages import Request
from apollo_component.contract.errors import (
    ConnectorError,
    GrantRefusedError,
    InputError,
    ReauthorizationError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Redirect, Reply

Make = Callable[..., Reply]
SECRET = "SECRET-canary"
APP = OAuthApp("client-1", SECRET, ("https://example.com/cb?x=1", "http://127.0.0.1:8765/callback"))
BACK = APP.redirect_uris[0]
TOKEN = "/api/v1/oauth/token"
PAIR = {
    "access_token": "ACCESS-canary",
    "token_type": "Bearer",
    "expires_in": 2592000,
    "refresh_token": "REFRESHED-canary",
    "scope": "read_user_profile app_scopes contacts_search",
    "created_at": 1761200000,
}


def callback(own: str = "STATE-canary", /, **query: str) -> Callback:
    return Callback(query, own, BACK, APP, ("contacts_search",))


@pytest.mark.parametrize(
    "pasted",
    [
        "abc-123_X",
        "  abc-123_X\n",
        '"abc-123_X"',
        "' abc-123_X '",
        "\u201cabc-123_X\u201d",
        "`abc-123_X`",
        "\tabc-123_X\r\n",
    ],
)
def test_a_key_is_taken_as_it_was_meant(connector: Connector, pasted: str) -> None:
    """White space and quotes pasted around a key are gone, and nothing is asked of the network."""
    found = connector.connector_authorize(AuthorizeRequest("api_key", fields={"api_key": pasted}))
    assert found == Credential("api_key", api_key="abc-123_X")


@pytest.mark.parametrize(
    "pasted", ["", " \n", '""', "CANA\nRY", "CANA RY", "CANA\tRY", "CANA\x00RY", "CANÄRY", "CANARY" * 99]
)
def test_what_cannot_be_a_key_is_refused_unseen(connector: Connector, pasted: str) -> None:
    """A key that is empty, too long or holds what no key has is refused, and the refusal doesn't show it."""
    with pytest.raises(InputError) as caught:
        connector.connector_authorize(AuthorizeRequest("api_key", fields={"api_key": pasted}))
    assert [problem.path for problem in caught.value.problems] == ["api_key"]
    assert "CAN" not in f"{caught.value} {caught.value!r} {caught.value.as_dict()}"


def test_a_missing_key_is_refused(connector: Connector) -> None:
    """A form without the key is an input error too."""
    with pytest.raises(InputError):
        connector.connector_authorize(AuthorizeRequest("api_key"))


def url_of(connector: Connector, **more: Any) -> str:
    values: dict[str, Any] = {"app": APP, "redirect_uri": BACK, "state": "S+1/2", "scopes": ("b", "a")}
    found = connector.connector_authorize(AuthorizeRequest("oauth2", **(values | more)))
    assert isinstance(found, Redirect)
    return found.url


def test_the_query_comes_after_the_hash_route(connector: Connector) -> None:
    """The authorize address has its whole query behind `#/oauth/authorize`, quoted, with nothing secret in it."""
    url = url_of(connector)
    base, _, query = url.partition("?")
    assert base == "https://app.apollo.io/#/oauth/authorize"
    assert "?" not in query
    assert parse_qs(query, strict_parsing=True) == {
        "client_id": ["client-1"],
        "redirect_uri": [BACK],
        "response_type": ["code"],
        "scope": ["b a"],
        "state": ["S+1/2"],
    }
    assert "scope=b%20a" in query
    assert SECRET not in url


def test_no_scopes_means_no_parameter(connector: Connector) -> None:
    """Without wanted scopes the parameter is left out, so that the service takes all that are registered."""
    assert "scope" not in url_of(connector, scopes=())


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/cb",
        "https://example.com/cb?x=1&y=2",
        "https://EXAMPLE.com/cb?x=1",
        "http://127.0.0.1:8766/callback",
        "",
    ],
)
def test_a_redirect_that_is_not_registered_is_refused(connector: Connector, address: str) -> None:
    """Only an address that the app registers, letter for letter, can be returned to; the refusal lists them."""
    with pytest.raises(InputError, match=r"redirect_uri: is not one that the app registers .*8765"):
        url_of(connector, redirect_uri=address)


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://example.com/cb", True),
        ("http://localhost:1/cb", True),
        ("http://[::1]:8765/cb", True),
        ("http://127.9.9.9/cb", True),
        ("http://example.com/cb", False),
        ("http://127.0.0.1.example.com/cb", False),
        ("https://user:pass@example.com/cb", False),
        ("https://example.com/cb#x", False),
        ("https://example.com/cb?a=1#x", False),
        ("ftp://example.com/", False),
        ("/cb", False),
        ("", False),
    ],
)
def test_where_a_code_may_be_sent(connector: Connector, address: str, fine: bool) -> None:
    """Without a registered list, a code returns over https or to this computer, and never behind a fragment."""
    app = replace(APP, redirect_uris=())
    if fine:
        assert url_of(connector, app=app, redirect_uri=address)
        return
    with pytest.raises(InputError, match="redirect_uri"):
        url_of(connector, app=app, redirect_uri=address)


def test_an_app_is_needed(connector: Connector) -> None:
    """OAuth without an app is refused before anybody is sent anywhere."""
    with pytest.raises(InputError, match="client_id"):
        url_of(connector, app=None)


def test_an_unknown_connection_type_is_refused(connector: Connector) -> None:
    """A type that isn't declared is refused with those that are."""
    with pytest.raises(InputError, match="api_key, oauth2"):
        connector.connector_authorize(AuthorizeRequest("saml"))


def test_a_code_is_exchanged(connector: Connector, service: Any, reply: Make, now: datetime) -> None:
    """A good callback gives the whole credential by one form request that carries code and app in its body."""
    service.answers = {TOKEN: reply(200, PAIR)}
    found = connector.connector_exchange(callback(code="CODE-canary", state="STATE-canary"))
    (request,) = service.requests
    assert (request.method, request.url) == ("POST", "https://app.apollo.io" + TOKEN)
    assert request.form == {
        "grant_type": "authorization_code",
        "code": "CODE-canary",
        "redirect_uri": BACK,
        "client_id": "client-1",
        "client_secret": SECRET,
    }
    assert (request.json, request.query) == (None, ())
    assert found == Credential(
        "oauth2",
        access_token="ACCESS-canary",
        refresh_token="REFRESHED-canary",
        issued_at=now,
        expires_at=now + timedelta(days=30),
        scopes=("read_user_profile", "app_scopes", "contacts_search"),
    )


def test_wanted_scopes_stand_when_granted_ones_are_not_told(connector: Connector, service: Any, reply: Make) -> None:
    """An answer without scopes leaves those that were asked for."""
    service.answers = {TOKEN: reply(200, PAIR | {"scope": " "})}
    found = connector.connector_exchange(callback(code="c", state="STATE-canary"))
    assert found.scopes == ("contacts_search",)


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        (
            {"status_code": "403", "error_message": "You do not have permission to connect"},
            ReauthorizationError,
            "do not have permission to connect",
        ),
        ({"status_code": "403"}, ReauthorizationError, "403"),
        ({"error_message": ""}, ReauthorizationError, "no reason was given"),
        ({"error": "access_denied", "error_description": "No, thanks"}, ReauthorizationError, "No, thanks"),
        ({"error": "access_denied", "state": "STATE-canary"}, ReauthorizationError, "access_denied"),
        ({"error": "x", "code": "CODE-canary", "state": "STATE-canary"}, ReauthorizationError, "x"),
        ({"code": "CODE-canary", "state": "foreign"}, InputError, "another attempt"),
        ({"error": "access_denied", "state": "foreign"}, InputError, "another attempt"),
        ({"status_code": "403", "state": "foreign"}, InputError, "another attempt"),
        ({"code": "CODE-canary"}, InputError, "no state"),
        ({"code": "CODE-canary", "state": ""}, InputError, "no state"),
        ({"state": "STATE-canary"}, InputError, "no code"),
        ({"state": "STATE-canary", "code": ""}, InputError, "no code"),
        ({"code": "CODE-canary", "state": "stäte"}, InputError, "another attempt"),
        ({}, InputError, "no state"),
    ],
)
def test_a_callback_that_gives_nothing(
    connector: Connector, service: Any, query: dict[str, str], error: type[ConnectorError], said: str
) -> None:
    """Denials in both forms are told in the service's words; foreign or missing states are refused; nothing is sent."""
    with pytest.raises(error, match=said) as caught:
        connector.connector_exchange(callback(**query))
    assert type(caught.value) is error
    assert service.requests == []
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_an_attempt_without_a_state_accepts_nothing(connector: Connector, service: Any) -> None:
    """An attempt whose own state is empty can't be completed by an answer without one."""
    with pytest.raises(InputError, match="no state"):
        connector.connector_exchange(callback("", code="c", state=""))


def test_what_a_denial_says_is_made_harmless(connector: Connector) -> None:
    """The words of a denial come from outside: one short line without control characters is kept."""
    with pytest.raises(ReauthorizationError) as caught:
        connector.connector_exchange(callback(error="x", error_description="a\n\x1b[2J" + "b" * 999))
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400
    assert "admin" in caught.value.hint


OLD = Credential("oauth2", access_token="OLD-canary", refresh_token="SPENT-canary", scopes=("a", "b"))


def test_a_refresh_gives_the_whole_new_credential(
    connector: Connector, service: Any, reply: Make, now: datetime
) -> None:
    """A refresh sends the refresh token in the body once, and replaces both tokens and their times."""
    service.answers = {TOKEN: reply(200, PAIR)}
    found = connector.connector_refresh(OLD, APP)
    (request,) = service.requests
    assert request.form["grant_type"] == "refresh_token"
    assert request.form["refresh_token"] == "SPENT-canary"
    assert (found.access_token, found.refresh_token) == ("ACCESS-canary", "REFRESHED-canary")
    assert (found.issued_at, found.expires_at) == (now, now + timedelta(days=30))


@pytest.mark.parametrize("told", [{}, {"scope": None}, {"scope": ""}, {"scope": ["x"]}])
def test_a_refreshed_credential_keeps_its_scopes(connector: Connector, service: Any, reply: Make, told: Any) -> None:
    """Where the answer doesn't tell scopes, the old ones stay."""
    service.answers = {TOKEN: reply(200, {key: PAIR[key] for key in ("access_token", "refresh_token")} | told)}
    assert connector.connector_refresh(OLD, APP).scopes == ("a", "b")


@pytest.mark.parametrize(
    ("seconds", "known"),
    [(60, True), ("60", True), (None, False), ("soon", False), (0, False), (-5, False), (10**14, True)],
)
def test_when_a_token_expires(
    connector: Connector, service: Any, reply: Make, now: datetime, seconds: Any, known: bool
) -> None:
    """A number of seconds, as number or text, gives the time of expiry; anything else leaves it open."""
    service.answers = {TOKEN: reply(200, PAIR | {"expires_in": seconds})}
    expires = connector.connector_refresh(OLD, APP).expires_at
    assert (expires is not None) is known
    assert expires is None or expires > now


def refusal(connector: Connector) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        connector.connector_refresh(OLD, APP)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "SPENT-canary is revoked"},
            GrantRefusedError,
            "spent, revoked, expired",
        ),
        (401, {"error": "invalid_grant"}, GrantRefusedError, "spent, revoked, expired"),
        (
            401,
            {"error": "invalid_client", "error_description": "SECRET-canary"},
            ReauthorizationError,
            "client id and secret",
        ),
        (400, {"error": "invalid_client"}, ReauthorizationError, "client id and secret"),
        (400, {"error": "invalid_scope", "error_description": "scope x"}, ReauthorizationError, "Register the scopes"),
        (400, {"error": "unsupported_grant_type"}, ReauthorizationError, "unsupported_grant_type"),
        (404, {"error": "Not Found"}, ReauthorizationError, "OAuth app"),
        (403, {"error": "Blocked"}, ReauthorizationError, "Blocked"),
    ],
)
def test_refused_for_good(
    connector: Connector, service: Any, reply: Make, status: int, body: Any, error: type[ConnectorError], said: str
) -> None:
    """A spent grant and a wrong app are told apart, both ask a person, and neither shows a secret."""
    service.answers = {TOKEN: reply(status, body)}
    found = refusal(connector)
    assert type(found) is error
    assert said in f"{found.message} {found.hint}"
    assert "canary" not in f"{found} {found.hint} {found!r} {json.dumps(found.as_dict())}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": "Oops"}),
        (502, b"<html>Bad gateway</html>"),
        (503, b""),
        (503, {"error": "invalid"}),
        (429, {"message": "The maximum number is 50 times per minute."}),
        (429, b"<html>"),
        (400, b"<html>invalid_grant</html>"),
        (401, b"<html>Sign in to the proxy</html>"),
        (403, b"<html>Blocked by a firewall</html>"),
        (302, b""),
        (200, b"<html>Welcome</html>"),
        (200, b'{"access_token": "ACCESS-canary'),
        (200, {}),
        (200, []),
        (200, {"access_token": None}),
        (200, {"access_token": ""}),
        (200, {"access_token": "ACCESS-canary\r\nX: y"}),
        (200, {"access_token": "ACCESS-canäry"}),
        (200, {"access_token": ["ACCESS-canary"]}),
    ],
)
def test_temporary_refusals_end_nothing(
    connector: Connector, service: Any, reply: Make, status: int, body: Any
) -> None:
    """Trouble of the service or of something in between is temporary: the connection stays as it is."""
    service.answers = {TOKEN: reply(status, body)}
    found = refusal(connector)
    assert isinstance(found, TransientError)
    assert "canary" not in f"{found} {found.hint}"


def test_a_network_error_passes_through(connector: Connector, service: Any) -> None:
    """What sending raised reaches the host as it is."""
    service.answers = {TOKEN: TransientError("No answer.", worked=True)}
    assert refusal(connector) is service.answers[TOKEN]


def test_a_key_has_no_refresh(connector: Connector, key: Credential) -> None:
    """Refreshing a key connection is refused, nothing is sent."""
    with pytest.raises(InputError):
        connector.connector_refresh(key, APP)


def test_the_credential_goes_into_one_header(manifest: Manifest, key: Credential, token: Credential) -> None:
    """A key travels in x-api-key, a token as Bearer, and neither anywhere else."""
    kinds = manifest.connection_types
    assert auth.headers_for(kinds["api_key"], key) == {"x-api-key": "KEY-canary"}
    assert auth.headers_for(kinds["oauth2"], token) == {"Authorization": "Bearer TOKEN-canary"}


def test_no_repr_of_a_request_shows_a_secret() -> None:
    """Headers and forms are missing from what a request prints as."""
    request = Request("POST", "https://x.example/", form={"client_secret": "canary"}, headers={"x-api-key": "canary"})
    assert "canary" not in f"{request!r} {request}"


@pytest.mark.parametrize("error", [UnreadableReplyError, GrantRefusedError])
def test_grant_errors_have_their_classes(error: type[ConnectorError]) -> None:
    """A host that knows only the two base classes handles both kinds of refusal."""
    assert issubclass(error, TransientError | ReauthorizationError)
