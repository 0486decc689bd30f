"""Authorize, exchange and refresh for both kinds of connection. Pure: flows yield requests, nothing is sent here."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from ..contract.digging import whole
from ..contract.errors import (
    ConnectorError,
    GrantRefusedError,
    InputError,
    Problem,
    ReauthorizationError,
    TransientError,
    UnreadableReplyError,
)
from ..contract.manifest import ConnectionType, OAuth
from ..contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Redirect, Reply
from ..contract.servers import wrong
from .messages import Flow, Request
from .replies import answer_of, error_for

LONGEST_SECONDS = 10 * 365 * 86400
"""A token said to live longer than this is treated as if it lived this long."""
LONGEST_TOKEN = 10_000
"""Characters; a longer one would fit no server's headers."""
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"


def authorize(
    kind: ConnectionType, request: AuthorizeRequest, server: str, key_field: str = "api_key"
) -> Credential | Redirect:
    """A credential from a pasted key, or the URL where the person allows the app. Raises InputError.

    `key_field` names the form's field that holds the key.
    """
    if kind.oauth is None:
        return Credential(kind.id, api_key=pasted(request.fields.get(key_field, ""), key_field))
    return Redirect(authorize_url(kind.oauth, server, request))


def pasted(value: str, field: str = "api_key") -> str:
    """A key as it was meant: white space and quotes around it are gone. Raises InputError, never showing it."""
    bare = value.strip().strip(_QUOTES).strip()
    problem = ""
    if not bare:
        problem = "is empty"
    elif not bare.isascii() or not bare.isprintable() or " " in bare:
        problem = "holds white space or characters that a key never has; copy it again"
    elif len(bare) > 500:
        problem = "is longer than 500 characters; copy only the key"
    if problem:
        raise InputError("The API key can't be used.", [Problem(problem, path=field)])
    return bare


def authorize_url(oauth: OAuth, server: str, request: AuthorizeRequest) -> str:
    """Joined by hand: a URL builder would put the query before the `#` of a hash route."""
    if request.app is None:
        raise InputError("An OAuth app is needed.", [Problem("is required", path="client_id")])
    if problem := redirect_problem(request.redirect_uri, request.app):
        raise InputError("The redirect address can't be used.", [Problem(problem, path="redirect_uri")])
    query = {
        "client_id": request.app.client_id,
        "redirect_uri": request.redirect_uri,
        "response_type": "code",
        "scope": oauth.scope_separator.join(request.scopes),
        "state": request.state,
    }
    return f"{server}{oauth.authorize}?{urlencode({k: v for k, v in query.items() if v}, quote_via=quote)}"


def redirect_problem(uri: str, app: OAuthApp) -> str:
    if app.redirect_uris and uri not in app.redirect_uris:
        return f"is not one that the app registers ({', '.join(app.redirect_uris)})"
    return "must not hold a fragment" if "#" in uri else wrong(uri.partition("?")[0])


def exchange(oauth: OAuth, kind: ConnectionType, callback: Callback, server: str, now: datetime) -> Flow[Credential]:
    """The credential for a callback. Raises ReauthorizationError on denial, InputError on a foreign state."""
    code = code_of(oauth, callback)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback.redirect_uri}
    reply = yield token_request(oauth, server, callback.app, form)
    bare = Credential(kind.id, scopes=callback.scopes or None)
    return credential_from(reply, bare, now, oauth.scope_separator, (code, callback.app.client_secret))


def code_of(oauth: OAuth, callback: Callback) -> str:
    query = callback.query
    state = query.get("state", "")
    if state and not hmac.compare_digest(state.encode(), callback.state.encode()):
        raise InputError("This answer belongs to another attempt; nothing was linked. Start again.")
    if text := denial(oauth, query):
        raise ReauthorizationError(
            f"Access was not given: {text}",
            hint="Ask an admin of the account for the permission to connect integrations, then start again.",
        )
    if not state:
        raise InputError("The answer carries no state, so it can't be trusted; nothing was linked. Start again.")
    if not query.get("code"):
        raise InputError("The answer carries no code; nothing was linked. Start again.")
    return query["code"]


def denial(oauth: OAuth, query: Mapping[str, str]) -> str:
    """What a refusal says, in either of the two forms that occur; empty when it is no refusal."""
    for status, message in ((oauth.denial_status, oauth.denial_message), ("error", "error_description")):
        if status in query or message in query:
            said = query.get(message) or query.get(status, "")
            return "".join(char if char.isprintable() else " " for char in said)[:300] or "no reason was given"
    return ""


def refresh(oauth: OAuth, credential: Credential, app: OAuthApp, server: str, now: datetime) -> Flow[Credential]:
    """The whole new credential; the service has already revoked the old pair."""
    form = {"grant_type": "refresh_token", "refresh_token": credential.refresh_token}
    reply = yield token_request(oauth, server, app, form)
    secrets = (credential.refresh_token, credential.access_token, app.client_secret)
    return credential_from(reply, credential, now, oauth.scope_separator, secrets)


def token_request(oauth: OAuth, server: str, app: OAuthApp, form: Mapping[str, str]) -> Request:
    identity = {"client_id": app.client_id, "client_secret": app.client_secret}
    return Request("POST", server + oauth.token, form={**form, **identity}, headers={"Accept": "application/json"})


def credential_from(
    reply: Reply, old: Credential, now: datetime, separator: str = " ", secrets: Sequence[str] = ()
) -> Credential:
    if error := token_error(reply, secrets):
        raise error
    answer = answer_of(reply, secrets)
    if not isinstance(answer, Mapping) or not _sendable(answer.get("access_token")):
        raise UnreadableReplyError("The token answer holds no access token that can be used.", hint="Try again later.")
    seconds = min(whole(answer.get("expires_in")) or 0, LONGEST_SECONDS)
    return replace(
        old,
        access_token=answer["access_token"],
        refresh_token=str(answer.get("refresh_token") or old.refresh_token),
        scopes=granted(answer, old, separator),
        issued_at=now,
        expires_at=now + timedelta(seconds=seconds) if seconds > 0 else None,
    )


def _sendable(token: Any) -> bool:
    """Whether a token can stand in a header."""
    return isinstance(token, str) and 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()


def granted(answer: Mapping[str, Any], old: Credential, separator: str = " ") -> tuple[str, ...] | None:
    told = answer.get("scope")
    return tuple(told.replace(separator, " ").split()) if isinstance(told, str) and told.strip() else old.scopes


def token_error(reply: Reply, secrets: Sequence[str] = ()) -> ConnectorError | None:
    """Refused for good (`invalid_grant`, `invalid_client`, other 4xx) or temporary (429, 5xx, a web page)."""
    error = error_for(reply, None, _TOKEN_TABLE, secrets)
    return error if error is None or isinstance(error, TransientError) else _final(error, reply)


def _final(error: ConnectorError, reply: Reply) -> ConnectorError:
    if b"invalid_grant" in reply.body[:4000]:
        return GrantRefusedError(error.message, hint="Link the account again.", request_id=error.request_id)
    return ReauthorizationError(error.message, hint=error.hint or "Check the OAuth app.", request_id=error.request_id)


_TOKEN_TABLE = (
    {
        "error_code": "invalid_grant",
        "error": "reauthorization_needed",
        "text": "The code or refresh token is spent, revoked, expired or was given to another app.",
        "quote": False,
    },
    {
        "error_code": "invalid_client",
        "error": "reauthorization_needed",
        "text": "The service doesn't accept the OAuth app's client id and secret.",
        "hint": "Check the client id and secret of the app, then link the account again.",
        "quote": False,
    },
    {
        "error_code": "invalid_scope",
        "error": "reauthorization_needed",
        "hint": "Register the scopes with the app.",
    },
)


def headers_for(kind: ConnectionType, credential: Credential) -> dict[str, str]:
    """The one header that carries the credential."""
    return {kind.header: kind.prefix + (credential.api_key or credential.access_token)}
