"""The exact words of every refusal, its hint and its request id: what people read and what `--json` gives."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apollo_component.connector import auth, replies
from apollo_component.contract.errors import ConnectorError, UnreadableReplyError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAID: dict[str, Any] = json.loads((Path(__file__).parent / "said.json").read_text())
JSON_ = {"content-type": "application/json", "x-request-id": "r-1"}
PLAIN = {"content-type": "text/plain; charset=utf-8", "x-request-id": "r-2"}
PAGE = b"<!doctype html>" + b" " * 1980 + b"<HTML>"
LATE_PAGE = b"<!doctype html>" + b" " * 1981 + b"<html>"
BACK = "https://example.com/cb"
APP = OAuthApp("client-1", "client-secret-canary", (BACK, "https://example.com/other"))
OLD = Credential("oauth2", access_token="access-canary-1", refresh_token="refresh-canary-1")


def reply(status: int, body: Any = None, headers: dict[str, str] | None = None, **more: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return Reply(status, {**(JSON_ if headers is None else headers), **more}, raw)


def refused(status: int, body: Any = None, headers: dict[str, str] | None = None, **more: str) -> Callable[..., Any]:
    """The refusal by the table of the host's defaults alone."""
    return lambda _manifest: replies.error_for(reply(status, body, headers, **more), None, ())


def by_table(row: dict[str, Any], status: int, body: Any) -> Callable[..., Any]:
    """The refusal when a service's own table has this row."""
    return lambda _manifest: replies.error_for(reply(status, body), None, (row,))


def of_action(name: str, status: int, body: Any) -> Callable[[Manifest], Any]:
    def read(manifest: Manifest) -> Any:
        return replies.error_for(reply(status, body), manifest.actions[name], ())

    return read


def unread(status: int, body: bytes) -> Callable[..., Any]:
    return lambda _manifest: replies.answer_of(reply(status, body))


def pasted(value: str) -> Callable[..., Any]:
    return lambda _manifest: auth.pasted(value)


def started(redirect: str, app: OAuthApp | None = APP) -> Callable[[Manifest], Any]:
    def start(manifest: Manifest) -> Any:
        oauth = manifest.connection_types["oauth2"].oauth
        assert oauth
        request = AuthorizeRequest("oauth2", {}, app, redirect_uri=redirect, state="s")
        return auth.authorize_url(oauth, "https://example.com", request)

    return start


def back(**query: str) -> Callable[[Manifest], Any]:
    def come(manifest: Manifest) -> Any:
        oauth = manifest.connection_types["oauth2"].oauth
        assert oauth
        return auth.code_of(oauth, Callback(query, "state-1", BACK, APP))

    return come


def token(status: int, body: Any, **more: str) -> Callable[..., Any]:
    answer = reply(status, body, **more)
    return lambda _manifest: auth.credential_from(answer, OLD, NOW, " ", (OLD.refresh_token, APP.client_secret))


def flow(make: str) -> Callable[[Manifest], Any]:
    """A service that repeats all it was sent, to an exchange or a refresh."""

    def go(manifest: Manifest) -> Any:
        kind = manifest.connection_types["oauth2"]
        assert kind.oauth
        if make == "refresh":
            steps = auth.refresh(kind.oauth, OLD, APP, "https://example.com", NOW)
        else:
            come = Callback({"state": "s", "code": "code-canary-1"}, "s", BACK, APP)
            steps = auth.exchange(kind.oauth, kind, come, "https://example.com", NOW)
        sent = next(steps)
        return steps.send(reply(400, {"message": f"{sent.form} {OLD.access_token} {OLD.refresh_token}"}))

    return go


CASES: dict[str, Callable[[Manifest], Any]] = {
    "300": refused(300),
    "399": refused(399),
    "400": refused(400, {"message": "Bad"}),
    "401": refused(401, {"error": "No."}),
    "401 without a body": refused(401, b"  "),
    "403 without a body": refused(403, b""),
    "404 without a body": refused(404, b""),
    "402": refused(402),
    "403": refused(403),
    "403 of an address": of_action(
        "contacts_search", 403, {"error": "Forbidden", "message": "Your IP is not allowed."}
    ),
    "403 of a plan": of_action("contacts_search", 403, {"error": "Your plan doesn't include this endpoint."}),
    "403 of a role": of_action("contacts_search", 403, {"error": "Your role may not see contacts."}),
    "403 of a scope": of_action("contacts_search", 403, {"error_details": {"code": "OAUTH.SCOPE_MISSING"}}),
    "403 of an action": of_action("contacts_search", 403, {}),
    "403 of a master key": of_action("emailer_messages_activities", 403, {}),
    "404": refused(404),
    "404 of an action": of_action("contacts_show", 404, {}),
    "404 of an action without input": of_action("users_api_profile", 404, {}),
    "408": refused(408, **{"retry-after": "7"}),
    "410": refused(410),
    "422": refused(422, {"error_message": "<b>Name</b> can&#39;t be\x07 blank"}),
    "422 as text": refused(422, "A plain string."),
    "422 as a list": refused(422, [1]),
    "422 long": refused(422, {"error": "ab " * 150}),
    "422 in plain text": refused(422, b"caf\xff\xe9 " + b"x" * 3000, PLAIN),
    "422 both": refused(422, {"error": "the first", "message": "the second"}, PLAIN),
    "422 of fields": refused(422, {"error": "Unprocessable Entity", "errors": {"page": ["is missing", "Is it odd?"]}}),
    "422 with suggestions": refused(422, {"error_details": {"message": "No.", "suggestions": [{"label": "Try b"}]}}),
    "422 without headers": refused(422, b"never shown", {}),
    "425": refused(425, {"retry_after_seconds": 9}),
    "429": refused(429, {"message": "100 per hour"}, **{"retry-after": "30"}),
    "429 with a page": refused(429, PAGE),
    "500": refused(500),
    "503": refused(503, {"retry_after_seconds": 1}, **{"retry-after": "4"}),
    "502 with a page": refused(502, PAGE, **{"retry-after": "5"}),
    "row, expired": by_table({"status": 401, "error": "credential_expired"}, 401, {}),
    "row, pending": by_table({"status": 404, "error": "pending"}, 404, {}),
    "row by code": by_table({"code": "A.B", "error": "not_found"}, 422, {"error_details": {"code": "A.B"}}),
    "answer is an error": lambda _manifest: replies.error_told({"error": "No such list."}, reply(200), None, ()),
    "answer is an error without a word": lambda _manifest: replies.error_told({"success": False}, reply(201), None, ()),
    "answer is a page": unread(200, PAGE),
    "answer is a page later on": unread(200, LATE_PAGE),
    "answer is nothing": unread(200, b""),
    "answer is a redirect": unread(300, b"{}"),
    "key empty": pasted(" '' "),
    "key with a space": pasted("abc def"),
    "key not ascii": pasted("abcé"),
    "key too long": pasted("a" * 501),
    "no app": started(BACK, None),
    "redirect not registered": started("https://example.org/cb"),
    "redirect with a fragment": started(BACK + "#x", OAuthApp("c", "s")),
    "redirect not safe": started("http://example.com/cb?x=https://y", OAuthApp("c", "s")),
    "state of another": back(state="state-2", code="c"),
    "no state": back(code="c"),
    "no code": back(state="state-1"),
    "denied": back(state="state-1", status_code="403", error_message="You\x00may not" + "!" * 300),
    "denied without a word": back(state="state-1", status_code="", error=""),
    "token spent": token(400, {"error": "invalid_grant"}),
    "token spent, said late": token(400, {"error": "x" * 3980, "message": "invalid_grant"}),
    "token app unknown": token(401, {"error": "invalid_client"}),
    "token scope": token(400, {"error": "invalid_scope", "error_description": "no client-secret-canary"}),
    "token echo": token(400, {"message": "not refresh-canary-1: no"}),
    "token echo of an exchange": flow("exchange"),
    "token echo of a refresh": flow("refresh"),
    "token odd": token(400, {"error": "odd"}),
    "token later": token(503, {}),
    "token none": token(200, {"access_token": ""}),
    "token not text": token(200, {"access_token": 7}),
    "token no object": token(200, [1]),
}


def said(case: str, manifest: Manifest) -> dict[str, Any]:
    try:
        found = CASES[case](manifest)
    except ConnectorError as error:
        found = error
    assert isinstance(found, ConnectorError), found
    return {"class": type(found).__name__, **found.as_dict()}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_says_exactly_this(manifest: Manifest, case: str) -> None:
    """Each refusal has its class, code, words, hint, request id and pause, to the letter."""
    assert said(case, manifest) == SAID[case]


def test_the_cases_are_all_told() -> None:
    """The expected words are those of the cases, no more and no fewer."""
    assert list(SAID) == list(CASES)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_good_status_is_no_refusal(status: int) -> None:
    """Every status below 300 is an answer."""
    assert replies.error_for(reply(status), None, ()) is None
    assert replies.answer_of(reply(status, {"a": 1})) == {"a": 1}


def test_an_answer_is_read_whatever_its_refusal_status() -> None:
    """Only a redirect is never read as an answer."""
    assert replies.answer_of(reply(400, {"a": 1})) == {"a": 1}


def test_a_key_may_have_five_hundred_characters() -> None:
    """The longest key that is accepted has 500 characters."""
    assert auth.pasted("a" * 500) == "a" * 500


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("is refresh-canary-1 wrong", "is [hidden] wrong"),
        ("xrefresh-", "[hidden]"),
        ("refresh-xx", "[hidden]"),
        ("refresh", "refresh"),
        ("canary-1", "[hidden]"),
        ("anary-1", "anary-1"),
        ("xxcanary-1", "[hidden]"),
        ("harmless words only", "harmless words only"),
    ],
)
def test_eight_characters_of_a_secret_are_hidden(text: str, shown: str) -> None:
    """A word that has eight characters in a row of a secret is hidden whole, seven are no secret."""
    assert replies.without(text, ("refresh-canary-1",)) == shown
    assert replies.without(text, ()) == text


def test_the_token_request_asks_for_json(manifest: Manifest) -> None:
    """The form carries the grant and the app, and JSON is asked for."""
    oauth = manifest.connection_types["oauth2"].oauth
    assert oauth
    sent = auth.token_request(oauth, "https://example.com", APP, {"grant_type": "g"})
    assert (sent.method, sent.url) == ("POST", "https://example.com" + oauth.token)
    assert sent.form == {"grant_type": "g", "client_id": APP.client_id, "client_secret": APP.client_secret}
    assert {name.lower(): value for name, value in (sent.headers or {}).items()} == {"accept": "application/json"}


@pytest.mark.parametrize(("told", "seconds"), [(1, 1), ("2", 2), (0, None), (-5, None), (None, None)])
def test_a_token_lives_as_long_as_told(told: Any, seconds: int | None) -> None:
    """One second is a life; nothing, zero and less are no promise."""
    answer = reply(200, {"access_token": "a", "refresh_token": None, "expires_in": told, "scope": "b c"})
    found = auth.credential_from(answer, OLD, NOW)
    assert (found.expires_at and (found.expires_at - NOW).total_seconds()) == seconds
    assert (found.access_token, found.refresh_token, found.scopes) == ("a", OLD.refresh_token, ("b", "c"))
    assert auth.credential_from(reply(200, {"access_token": "a", "scope": "b,c"}), OLD, NOW, ",").scopes == ("b", "c")
    assert auth.granted({"scope": "b c"}, OLD) == ("b", "c")


@pytest.mark.parametrize("length", [1, auth.LONGEST_TOKEN])
def test_the_longest_token_is_taken(length: int) -> None:
    """As is one character."""
    answer = reply(200, {"access_token": "a" * length})
    assert auth.credential_from(answer, OLD, NOW).access_token == "a" * length


def test_a_longer_token_is_none() -> None:
    """The next length is refused."""
    with pytest.raises(UnreadableReplyError):
        auth.credential_from(reply(200, {"access_token": "a" * (auth.LONGEST_TOKEN + 1)}), OLD, NOW)


def test_no_request_id_of_a_token_answer_shows_a_secret() -> None:
    """Not that of something that isn't JSON either."""
    answer = reply(200, b"no JSON", {"x-request-id": APP.client_secret})
    with pytest.raises(UnreadableReplyError) as caught:
        auth.credential_from(answer, OLD, NOW, " ", (APP.client_secret,))
    assert caught.value.request_id == "[hidden]"
