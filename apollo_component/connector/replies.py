"""From an answer to data, quota windows or the right error: a table decides, not a ladder of ifs. Pure."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.actions import Action
from ..contract.digging import dig, whole
from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    CreditsExhaustedError,
    NotFoundError,
    PendingError,
    PermissionDeniedError,
    QuotaError,
    ReauthorizationError,
    RejectedError,
    TransientError,
    UnreadableReplyError,
)
from ..contract.models import Reply, Window
from .hiding import one_line, without
from .reading import UnreadableError, loaded

Row = Mapping[str, Any]
_CLASSES: dict[str, type[ConnectorError]] = {
    "credential_expired": CredentialExpiredError,
    "reauthorization_needed": ReauthorizationError,
    "permission_denied": PermissionDeniedError,
    "credits_exhausted": CreditsExhaustedError,
    "not_found": NotFoundError,
    "rejected": RejectedError,
    "temporary": TransientError,
    "pending": PendingError,
    "quota": QuotaError,
}
_DEFAULTS: tuple[Row, ...] = (
    {"status": 401, "error": "reauthorization_needed"},
    {"status": 402, "error": "credits_exhausted"},
    {"status": 403, "error": "permission_denied"},
    {"status": 404, "error": "not_found"},
    {"status": 408, "error": "temporary"},
    {"status": 410, "error": "not_found"},
    {"status": 425, "error": "temporary"},
    {"status": 429, "error": "quota"},
    {"status": 503, "error": "temporary"},
)
_TEXT_KEYS = ("error", "message", "error_message", "error_description")
SAID = 4000
"""Characters of what a service said that are looked at; 300 of them are shown."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")
_WINDOW = re.compile(r"per (minute|hour|day)")


def answer_of(reply: Reply, secrets: Sequence[str] = ()) -> Any:
    """The JSON of a good answer. Raises UnreadableReplyError for a redirect, a web page, broken JSON and such that is
    nested deeper than `reading.DEPTH` levels."""
    if 300 <= reply.status < 400:
        raise _redirected(reply, secrets)
    try:
        return loaded(reply.body)
    except UnreadableError:
        kind = "a web page" if b"<html" in reply.body[:2000].lower() else "something that is not JSON"
        raise UnreadableReplyError(
            f"The answer is {kind}, so it didn't come from the service itself.",
            hint="A proxy or sign-in page may stand in between; check the network and the server address.",
            request_id=request_id(reply, secrets),
        ) from None


def error_for(
    reply: Reply, action: Action | None, table: Sequence[Row], secrets: Sequence[str] = ()
) -> ConnectorError | None:
    """The error an answer means, None for 2xx. Rows of `table` win over the defaults by status.

    `secrets` are what the request carried: no part of them is quoted, should the service repeat what it was sent.
    """
    if reply.status < 300:
        return None
    if reply.status < 400:
        return _redirected(reply, secrets)
    body = _body(reply)
    if body is None and not _telling(reply):
        return _unreadable(reply, secrets)
    said = text_of(body, reply, secrets)
    codes = {
        "code": dig(body, "error_details.code"),
        "error_code": dig(body, "error_code") or dig(body, "error"),
    }
    own = [row for row in table if row.get("action") in (None, action and action.id)]
    row = next((row for row in (*own, *_DEFAULTS) if _fits(row, reply.status, codes, said)), None)
    made = _made(row or _fallback(reply.status), reply, said, action, body)
    made.request_id = request_id(reply, secrets)
    return made


def _fits(row: Row, status: int, codes: Mapping[str, Any], said: str) -> bool:
    return (
        row.get("status", status) == status
        and all(row[key] == codes[key] for key in ("code", "error_code") if key in row)
        and ("match" not in row or re.search(row["match"], said, re.IGNORECASE) is not None)
    )


def _fallback(status: int) -> Row:
    return {"error": "temporary" if status >= 500 else "rejected"}


def _made(row: Row, reply: Reply, said: str, action: Action | None, body: Any) -> ConnectorError:
    kind = _CLASSES[row["error"]]
    message = row.get("text") or _sentence(kind, reply.status)
    message = f"{message} ({said})" if said and row.get("quote", True) else message
    extra: dict[str, Any] = {"hint": row.get("hint") or _HINTS.get(kind, "")}
    if kind is PermissionDeniedError:
        missing = missing_for(row.get("missing", "endpoint"), action)
        extra |= {"missing": missing, "hint": extra["hint"] or _grant(missing)}
    if kind is NotFoundError and action and action.example:  # without an example it takes no input
        extra["hint"] = extra["hint"] or "Check the ids that were given."
    if kind is QuotaError:
        word = _WINDOW.search(said)
        extra |= {"window": word.group(1) if word else "", "retry_after": retry_after(reply)}
    if kind in (TransientError, PendingError):
        pause = retry_after(reply)
        pause = pause if pause is not None else _pause(dig(body, "retry_after_seconds"))
        extra |= {
            "retry_after": pause,
            "worked": bool(row.get("worked", kind is TransientError and reply.status != 503)),
        }
    return kind(message, **extra)


def missing_for(what: str, action: Action | None) -> dict[str, Any]:
    if what == "plan":
        return {"plan": "paid"}
    if what != "endpoint" or action is None:
        return {what: True} if what != "endpoint" else {}
    requires = action.requires
    found = {"key_endpoint": requires.key_endpoint, "oauth_scope": requires.oauth_scope}
    return {key: value for key, value in found.items() if value} or {"master_key": True}


def _grant(missing: Mapping[str, Any]) -> str:
    ways = []
    if "key_endpoint" in missing:
        ways.append(f"tick {missing['key_endpoint']} for the API key")
    if "oauth_scope" in missing:
        ways.append(f"add the scope {missing['oauth_scope']} to the OAuth app and authorize again")
    if "master_key" in missing:
        ways.append("use a master API key")
    return f"Ask for the permission: {', or '.join(ways)}." if ways else ""


_HINTS: dict[type[ConnectorError], str] = {
    QuotaError: "Try again once it is free.",
    TransientError: "Try again later.",
    PendingError: "Ask again later.",
}


def _sentence(kind: type[ConnectorError], status: int) -> str:
    return {
        CredentialExpiredError: "The access token is no longer accepted.",
        ReauthorizationError: "The credential is not accepted.",
        PermissionDeniedError: "The credential may not do this.",
        CreditsExhaustedError: "There are no credits left for this.",
        NotFoundError: "What was asked for doesn't exist.",
        PendingError: "What was asked for isn't there yet.",
        TransientError: f"The service has a temporary problem (status {status}).",
        QuotaError: "A request quota is used up.",
    }.get(kind, f"The service refused the request (status {status}).")


def _unreadable(reply: Reply, secrets: Sequence[str]) -> UnreadableReplyError:
    return UnreadableReplyError(
        f"The answer (status {reply.status}) is not the service's own.",
        hint="A proxy may stand in between, or the service is in trouble; try again later.",
        retry_after=retry_after(reply),
        request_id=request_id(reply, secrets),
    )


def _redirected(reply: Reply, secrets: Sequence[str]) -> UnreadableReplyError:
    return UnreadableReplyError(
        "The server answered with a redirect, which is not followed so that no credential leaves for another host.",
        hint="Check the configured server address and any proxy.",
        request_id=request_id(reply, secrets),
    )


def _telling(reply: Reply) -> bool:
    """Whether a refusal that isn't JSON may be the service's: plain text, or a status that says all without a body.

    A proxy's page under 401 or 403 says nothing about the credential; a 429 asks to wait, whoever sends it.
    """
    return reply.status == 429 or _plain(reply) or (reply.status in (401, 403) and not reply.body.strip())


def _body(reply: Reply) -> Any:
    try:
        return loaded(reply.body)
    except UnreadableError:
        return None


def _plain(reply: Reply) -> bool:
    return reply.headers.get("content-type", "").startswith("text/plain")


def text_of(body: Any, reply: Reply, secrets: Sequence[str] = ()) -> str:
    """What the service said, as one line of plain text of at most 300 characters."""
    said = body if isinstance(body, str) else next((dig(body, k) for k in _TEXT_KEYS if dig(body, k)), "")
    if not said and body is None and _plain(reply):
        said = reply.body[:2000].decode("utf-8", "replace")
    bare = html.unescape(re.sub(r"<[^>]{0,500}>", "", str(said)[:SAID]))
    return one_line(without(bare, secrets), 300)


def request_id(reply: Reply, secrets: Sequence[str] = ()) -> str:
    """As the service told it, without any part of a secret; empty when it is none."""
    told = reply.headers.get("x-request-id", "")
    return without(told, secrets) if _REQUEST_ID.fullmatch(told) else ""


def retry_after(reply: Reply) -> float | None:
    """Seconds; a date or nonsense counts as not told."""
    return _pause(reply.headers.get("retry-after"))


def _pause(told: Any) -> float | None:
    found = whole(told)
    return None if found is None else float(max(0, min(found, 7 * 86400)))


def windows_of(reply: Reply, names: Mapping[str, Mapping[str, Sequence[str]]]) -> tuple[Window, ...]:
    """The quota windows an answer tells; empty headers mean unlimited, absent ones mean not told."""
    return tuple(
        Window(window, whole(_first(reply, which["limit"])), whole(_first(reply, which["left"])))
        for window, which in names.items()
        if _first(reply, (*which["limit"], *which["left"])) is not None
    )


def _first(reply: Reply, names: Sequence[str]) -> str | None:
    return next((reply.headers[name] for name in names if name in reply.headers), None)
