"""From an answer to data, quota windows or the right error: a table decides, not a ladder of ifs. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.actions import Action
from ..contract.digging import dig, whole
from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    CreditsExhaustedError,
    GoneError,
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
from .error_texts import Said, said_in, tells_failure
from .hiding import without
from .reading import UnreadableError, loaded

Row = Mapping[str, Any]
_CLASSES: dict[str, type[ConnectorError]] = {
    "credential_expired": CredentialExpiredError,
    "reauthorization_needed": ReauthorizationError,
    "permission_denied": PermissionDeniedError,
    "credits_exhausted": CreditsExhaustedError,
    "not_found": NotFoundError,
    "gone": GoneError,
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
    {"status": 410, "error": "gone"},
    {"status": 425, "error": "temporary"},
    {"status": 429, "error": "quota"},
    {"status": 503, "error": "temporary"},
)
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
    said = said_in(body, _plain_text(body, reply), secrets)
    rows = (row for row in (*table, *_DEFAULTS) if row.get("status", reply.status) == reply.status)
    row = next((row for row in rows if _fits(row, said, action)), _fallback(reply.status))
    return _made(row, reply, said, action, body, secrets)


def error_told(
    answer: Any, reply: Reply, action: Action | None, table: Sequence[Row], secrets: Sequence[str] = ()
) -> ConnectorError | None:
    """The error that a good answer (2xx) names in its body, None when it names none.

    Rows of `table` that have a code, an error_code or a match count, whatever their status; else it is rejected.
    The `status` of an answer that is the record itself, as that of an email, is no error. Whether the answer brought
    something beside its error isn't looked at.
    """
    whole_answer = action is not None and action.reply.value == "."
    if not tells_failure(answer, by_status=not whole_answer):
        return None
    said = said_in(answer, "", secrets)
    rows = (row for row in table if {"code", "error_code", "match"} & row.keys() and _fits(row, said, action))
    return _made(next(rows, {"error": "rejected"}), reply, said, action, answer, secrets)


def _fits(row: Row, said: Said, action: Action | None) -> bool:
    """Whether a row is for this action and an answer has its codes and words; its status apart."""
    return (
        row.get("action") in (None, action and action.id)
        and row.get("code", said.code) == said.code
        and row.get("error_code", said.error_code) == said.error_code
        and ("match" not in row or any(re.search(row["match"], text, re.IGNORECASE) for text in said.texts))
    )


def _fallback(status: int) -> Row:
    return {"error": "temporary" if status >= 500 else "rejected"}


def _made(
    row: Row, reply: Reply, said: Said, action: Action | None, body: Any, secrets: Sequence[str]
) -> ConnectorError:
    kind = _CLASSES[row["error"]]
    message, guess, asked = _sentence(kind, reply.status), _HINTS.get(kind, ""), ""
    extra: dict[str, Any] = {}
    if kind is PermissionDeniedError:
        part = row.get("missing") or said.refused
        extra["missing"] = missing_for(part, action)
        message, guess = _PARTS.get(part, (message, ""))
        asked = _grant(extra["missing"])
    if kind is NotFoundError and action and action.example:  # without an example it takes no input
        guess = "Check the ids that were given."
    if kind is QuotaError:
        word = next(filter(None, map(_WINDOW.search, said.texts)), None)
        extra |= {"window": word.group(1) if word else "", "retry_after": retry_after(reply)}
    if kind in (TransientError, PendingError):
        pause = retry_after(reply)
        pause = pause if pause is not None else _pause(dig(body, "retry_after_seconds"))
        extra |= {
            "retry_after": pause,
            "worked": bool(row.get("worked", kind is TransientError and reply.status != 503)),
        }
    message = row.get("text") or message
    message = f"{message} ({said.message})" if said.message and row.get("quote", True) else message
    hint = " ".join(part for part in (said.suggestions, row.get("hint") or asked) if part) or guess
    return kind(message, hint=hint, request_id=request_id(reply, secrets), **extra)


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


_PARTS = {
    "account": ("The service refuses this.", "See to that in the account, then try again."),
    "plan": ("The plan of this account doesn't include this.", "Upgrade the plan, or use an account that has it."),
    "user_permission": ("The credential may not do this.", "Ask an admin of the account for the right."),
}
"""What is said, and what to do, when something else than an endpoint or a scope is missing."""


def _sentence(kind: type[ConnectorError], status: int) -> str:
    refused = "The service refused the request" if status >= 300 else "The service answered with an error"
    return {
        CredentialExpiredError: "The access token is no longer accepted.",
        ReauthorizationError: "The credential is not accepted.",
        PermissionDeniedError: "The credential may not do this.",
        CreditsExhaustedError: "There are no credits left for this.",
        NotFoundError: "What was asked for doesn't exist.",
        GoneError: "What was asked for is no longer there.",
        PendingError: "What was asked for isn't there yet.",
        TransientError: f"The service has a temporary problem (status {status}).",
        QuotaError: "A request quota is used up.",
    }.get(kind, f"{refused} (status {status}).")


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
    return said_in(body, _plain_text(body, reply), secrets).message


def _plain_text(body: Any, reply: Reply) -> str:
    """The text of an answer that is no JSON."""
    return reply.body[:2000].decode("utf-8", "replace") if body is None and _plain(reply) else ""


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
