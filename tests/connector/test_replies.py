"""From an answer to the right error, the quota windows or the data (api.md sections 3 to 8)."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.connector.replies import answer_of, error_for, error_told, retry_after, windows_of
from apollo_component.contract.errors import (
    ConnectorError,
    CreditsExhaustedError,
    GoneError,
    PermissionDeniedError,
    QuotaError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Reply, Window

Make = Callable[..., Reply]
DETAILS = {
    "error": "Invalid API key. See https://docs.apollo.io/reference/authentication for how to authenticate.",
    "error_details": {
        "code": "AUTH.AUTHENTICATION.API_KEY_INVALID",
        "message": "This API key is not valid.",
        "suggestions": [],
        "context": {},
    },
}
SCOPED = {
    "error": "This API key is not authorized to access api/v1/contacts/search. Request an API key from your "
    "administrator that includes this endpoint in its configured scope.",
    "error_code": "API_INACCESSIBLE",
}
FREE = {
    "error": "api/v1/contacts/search is not accessible with this api_key on a free plan. Please upgrade your plan "
    "from https://app.apollo.io/.",
    "error_code": "API_INACCESSIBLE",
}
CREDITS = (
    "You have insufficient credits! <a href='https://app.apollo.io/#/settings/plans/upgrade' "
    "aria-onclick='close_alert'>Upgrade your plan</a> to increase your number of lead credits."
)
HOURLY = (
    "The maximum number of api calls allowed for api/v1/contacts/search is 600 times per hour. "
    "Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade."
)
REFUSALS: dict[str, dict[str, tuple[int, Any, str]]] = {
    # code: status, body (a text is its `error`), a part of message and hint
    "reauthorization_needed": {
        "key, new": (401, DETAILS, "Copy the key again"),
        "key, old JSON": (401, DETAILS["error"], "Copy the key again"),
        "401 unknown": (401, "No.", "No."),
        "401 empty": (401, b"", "not accepted"),
        "no key": (422, "Api key required", "saw no API key"),
        "key elsewhere": (422, {"error": "Use the header", "error_code": "INVALID_API_KEY_LOCATION"}, "header"),
        "key expired": (401, "This API key has expired.", "new key"),
        "account inactive": (401, "The account that owns this key is not active.", "owns this key is not active"),
        "key revoked, beside the old text": (
            401,
            {
                "error": "Invalid API key. See the docs.",
                "error_details": {"message": "This API key was revoked by Dana."},
            },
            "revoked by Dana",
        ),
        "address, beside the old text": (
            401,
            {
                "error": "Invalid API key.",
                "error_details": {"code": "AUTH.IP_RESTRICTED", "message": "Not from this network."},
            },
            "(Not from this network.)",
        ),
    },
    "credential_expired": {
        "token": (401, {"error_code": "INVALID_ACCESS_TOKEN", "error": "x"}, "access token"),
    },
    "permission_denied": {
        "another user's task": (401, "This task belongs to another user. Ask them.", "Only the user"),
        "key scope": (403, SCOPED, "tick api/v1/contacts/search"),
        "key scope, old": (
            403,
            "api/v1/contacts/search is not accessible with this api_key",
            "tick api/v1/contacts/search",
        ),
        "key scope, under another status": (422, SCOPED, "tick api/v1/contacts/search"),
        "free plan": (403, FREE, "Upgrade the plan"),
        "free plan, token": (
            403,
            FREE | {"error": "x is not accessible with this access token on a free plan."},
            "Upgrade the plan",
        ),
        "paid plans": (403, {"message": "This endpoint is only available to Apollo users on paid plans."}, "plan"),
        "lists": (403, "You do not have permission to access lists. Ask.", "Apollo admin"),
        "tasks": (403, "You do not have permissions to access task functions.", "Apollo admin"),
        "access": (403, "Access denied.", "Apollo admin"),
        "mapping": (403, "CRM Mapping cannot be configured using API Call", "Apollo admin"),
        "scope, new": (
            403,
            {"error": "No scope.", "error_details": {"code": "AUTH.AUTHORIZATION.X"}},
            "contacts_search",
        ),
        "legacy plan": (403, "This endpoint requires unified credits.", "plan"),
    },
    "rejected": {
        "bulk size": (
            400,
            {
                "status": "failed",
                "error_code": "RECORD_LIMIT_EXCEEDED",
                "error_message": "cannot enrich more than 10 in a single request",
            },
            "more than 10",
        ),
        "bulk empty": (
            400,
            {"error_code": "INVALID_REQUEST", "error_message": "invalid request, missing details"},
            "missing details",
        ),
        "phone": (400, "Please add a valid 'webhook_url' parameter when using 'reveal_phone_number'", "webhook_url"),
        "argument": (400, "param is missing or the value is empty: metrics", "metrics"),
        "id": (422, "Parameters misconfigured. 12345 is not a valid ID", "24 characters"),
        "parameter": (422, "Required parameter 'contact_ids' missing", "contact_ids"),
        "name": (422, "Please specify at least a name or domain.", "name or domain"),
        "limit": (422, "Please limit your array to 100 contacts or fewer.", "100 contacts"),
        "cap": (422, "Page * per page number is over threshold.", "over threshold"),
        "deprecated": (422, "This endpoint is deprecated for API callers. Please use the new one.", "deprecated"),
        "internal": (
            422,
            {"status": "failed", "error_code": "UNKNOWN_ERROR", "error_message": "no implicit conversion"},
            "implicit",
        ),
        "validation": (
            422,
            {
                "error": "Validation failed",
                "error_details": {"contact_id": "1", "field": "email", "message": "Invalid email format"},
            },
            "(Invalid email format (contact_id 1))",
        ),
        "418": (418, "Teapot", "Teapot"),
    },
    "not_found": {
        "deal": (404, {"status": 404, "error": "Not Found"}, "Not Found"),
        "list": (
            404,
            {"message": "Could not find label with id 1", "error": "Record not found."},
            "Could not find label with id 1",
        ),
        "conversation": (404, "Conversation not found or access denied.", "Conversation"),
        "unknown": (404, {"error_code": "request_id_unknown"}, "doesn't exist"),
        "expired": (410, {"error_code": "request_id_expired"}, "no longer has this result"),
        "gone 1": (422, "Oops! This contact does not exist in Apollo.", "Oops"),
        "gone 2": (422, {"message": "This contact has been deleted."}, "deleted"),
        "gone 3": (422, "This account has been deleted!", "deleted"),
        "gone 4": (422, "Person does not exist.", "Person"),
        "gone 5": (422, "Opportunity does not exist.", "Opportunity"),
        "gone 6": (422, "Could not find message.", "message"),
        "gone 7": (422, "Contact does not exist", "Contact"),
    },
    "pending": {
        "pending": (404, {"error_code": "result_pending", "retry_after_seconds": 10}, "isn't there yet"),
    },
    "credits_exhausted": {
        "credits": (422, CREDITS, "no credits left"),
        "credits, conversations": (422, "Insufficient credits. Please upgrade your plan.", "no credits left"),
        "credits, another status": (
            403,
            {"error": "Forbidden", "error_details": {"message": "You have insufficient credits."}},
            "no credits left",
        ),
        "402": (402, "Pay.", "Pay."),
    },
    "quota": {
        "hour": (429, {"message": HOURLY}, "600 times per hour"),
        "429 page": (429, b"<html>slow down</html>", "quota"),
    },
    "temporary": {
        "busy": (429, "We are already processing the request for your sequence", "still working"),
        "bulk create": (500, "An error occurred while creating contacts. Please try again.", "creating contacts"),
        "503": (503, "Maintenance", "Maintenance"),
    },
}
TABLE: dict[str, tuple[int, Any, str, str]] = {
    name: (status, {"error": body} if isinstance(body, str) else body, code, said)
    for code, rows in REFUSALS.items()
    for name, (status, body, said) in rows.items()
}


@pytest.fixture(scope="module")
def judge(manifest: Manifest) -> Callable[[Reply], ConnectorError | None]:
    action, table = manifest.actions["contacts_search"], manifest.data["errors"]
    return lambda reply: error_for(reply, action, table)


@pytest.mark.parametrize("case", TABLE)
def test_every_known_refusal_has_its_error(judge: Any, reply: Make, case: str) -> None:
    """Each error body that is known, old or new, becomes the error that says what comes next."""
    status, body, code, said = TABLE[case]
    error = judge(reply(status, body, x_request_id="req-1"))
    assert error.code == code
    assert said in f"{error.message} {error.hint}"
    assert error.request_id == "req-1"
    assert "<" not in str(error)


@pytest.mark.parametrize("case", [name for name, row in TABLE.items() if isinstance(row[1], dict) and row[0] == 401])
def test_plain_text_says_the_same(judge: Any, reply: Make, case: str) -> None:
    """The old dialect sent text/plain: the same words there mean the same error."""
    status, body, code, said = TABLE[case]
    if case in ("token", "key, new") or case.endswith("old text"):
        body = {"error": DETAILS["error"]}
        code, said = "reauthorization_needed", "Copy the key again"
    error = judge(reply(status, body["error"].encode(), content_type="text/plain; charset=utf-8"))
    assert (error.code, said in f"{error.message} {error.hint}") == (code, True)


@pytest.mark.parametrize(
    ("case", "missing"),
    [
        ("key scope", {"key_endpoint": "api/v1/contacts/search", "oauth_scope": "contacts_search"}),
        ("key scope, old", {"key_endpoint": "api/v1/contacts/search", "oauth_scope": "contacts_search"}),
        ("scope, new", {"key_endpoint": "api/v1/contacts/search", "oauth_scope": "contacts_search"}),
        ("free plan", {"plan": "paid"}),
        ("paid plans", {"plan": "paid"}),
        ("lists", {"user_permission": True}),
        ("another user's task", {"user_permission": True}),
    ],
)
def test_a_refusal_names_what_is_missing(judge: Any, reply: Make, case: str, missing: Mapping[str, Any]) -> None:
    """A permission error tells programs which endpoint, scope, plan or right is missing."""
    error = judge(reply(*TABLE[case][:2]))
    assert isinstance(error, PermissionDeniedError)
    assert error.missing == missing


IP = {
    "error": "IP not allowed",
    "error_details": {
        "code": "AUTH.AUTHORIZATION.IP_RESTRICTED",
        "message": "Requests from this IP address are not allowed.",
        "suggestions": [{"label": "Add your IP address to the allowlist"}],
        "context": {"ip": "203.0.113.7"},
    },
}
ENDPOINT = {"key_endpoint": "api/v1/contacts/search", "oauth_scope": "contacts_search"}


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (IP, {"account": True}),
        ({"error": "Your IP is not in the allow list of this endpoint."}, {"account": True}),
        ({"error": "Access denied.", "error_code": "IP_RESTRICTED"}, {"account": True}),
        ({"error": "Access denied.", "error_details": IP["error_details"]}, {"account": True}),
        ({"message": "This account has been suspended. Talk to your admin about your permissions."}, {"account": True}),
        ({"error": "Inactive account"}, {"account": True}),
        ({"error_details": {"code": "AUTH.AUTHORIZATION.API_KEY_EXPIRED"}}, {"account": True}),
        ({"error": "API access is not enabled for this workspace."}, {"account": True}),
        ({"error": "You do not have permission to use the API."}, {"account": True}),
        ({"error": "Not available in your region."}, {"account": True}),
        ({"error": "This endpoint requires unified credits."}, {"plan": "paid"}),
        ({"error": "The workspace is on a legacy credit plan."}, {"plan": "paid"}),
        ({"error": "API access is not part of your subscription."}, {"plan": "paid"}),
        ({"error": "Your plan does not include this endpoint."}, {"plan": "paid"}),
        ({"error": "This feature is not available on the free tier."}, {"plan": "paid"}),
        ({"error": "This endpoint is not part of the key's scope."}, ENDPOINT),
        ({"error": "Missing OAuth scope", "error_details": {"message": "Ask for contacts_search."}}, ENDPOINT),
        ({"error": "Forbidden", "error_details": {"code": "AUTH.AUTHORIZATION.OAUTH_SCOPE_MISSING"}}, ENDPOINT),
        ({"error": "Forbidden"}, ENDPOINT),
        ({"error_code": "FORBIDDEN"}, ENDPOINT),
        ({}, ENDPOINT),
        (b"", ENDPOINT),
        ({"error": "You don't have the permission to see deals."}, {"user_permission": True}),
        ({"error": "Your role can't list users."}, {"user_permission": True}),
    ],
)
def test_the_words_of_a_refusal_tell_what_is_missing(
    manifest: Manifest, reply: Make, body: Any, missing: Mapping[str, Any]
) -> None:
    """A right that is refused is one of an endpoint, a plan or a person, or none of these, by the words; and an
    endpoint to tick is named only where that is the matter or nothing tells."""
    action = manifest.actions["contacts_search"]
    for table in (manifest.data["errors"], ()):
        error = error_for(reply(403, body), action, table)
        assert isinstance(error, PermissionDeniedError)
        assert error.missing == missing
        assert ("tick api/v1/contacts/search" in error.hint) == (missing == ENDPOINT)
        assert "master" not in error.hint
        assert error.hint


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (403, IP, "Add your IP address to the allowlist."),
        (
            422,
            {
                "error": "x",
                "error_details": {"suggestions": [{"label": "Use a.", "url": "u"}, {"label": "Or <b>b</b>!"}]},
            },
            "Use a. Or b!",
        ),
        (404, {"error_details": {"suggestions": ["List the contacts"]}}, "List the contacts."),
        (429, {"error_details": {"suggestions": [{"label": "Wait"}, {"label": "Wait"}]}}, "Wait."),
        (404, {"error_details": {"suggestions": []}}, "Check the ids that were given."),
        (404, {"error_details": {"suggestions": [{"label": None}, 7, {}]}}, "Check the ids that were given."),
        (404, {"error_details": {"suggestions": {"label": "x"}}}, "Check the ids that were given."),
        (
            422,
            {"error": "1 is not a valid ID", "error_details": {"suggestions": [{"label": "Send ids"}]}},
            "Send ids. An Apollo id has 24 characters, digits and the letters a to f.",
        ),
        (
            403,
            {"error": "No scope here.", "error_details": {"suggestions": [{"label": "Request the scope"}]}},
            (
                "Request the scope. Ask for the permission: tick api/v1/contacts/search for the API key, or add the "
                "scope contacts_search to the OAuth app and authorize again."
            ),
        ),
    ],
)
def test_what_the_service_suggests_comes_first(judge: Any, reply: Make, status: int, body: Any, hint: str) -> None:
    """The labels of its suggestions are the hint, before the table's own; a guess is made only without them."""
    assert judge(reply(status, body)).hint == hint


def test_suggestions_are_bounded_and_hide_secrets(manifest: Manifest, reply: Make) -> None:
    """However many labels, however long, at most 300 characters are shown, on one line, without what was sent."""
    labels = [{"label": f"Try\n{number} " + "x" * 100} for number in range(5000)]
    found = [{"label": "Send key s3cr3t-canary-1 again"}, *labels]
    error = error_for(
        reply(422, {"error_details": {"suggestions": found}}), None, manifest.data["errors"], ["s3cr3t-canary-1"]
    )
    assert error is not None
    assert error.hint.startswith("Send key [hidden] again. Try 0 xxx")
    assert len(error.hint) <= 300
    assert error.hint.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "request_id_expired"},
        {"error": "Gone", "error_code": "request_id_expired"},
        {"error": "Gone"},
        {"error_code": "result_deleted"},
    ],
)
def test_what_is_gone_is_told_apart(judge: Any, reply: Make, body: Any) -> None:
    """A 410 says that it was there and isn't any more, and doesn't send anybody to look for another id."""
    error = judge(reply(410, body))
    assert isinstance(error, GoneError)
    assert error.code == "not_found"
    assert "no longer" in error.message
    assert "ids" not in error.hint
    assert "later" not in error.hint


GOOD: list[Any] = [
    {},
    [],
    None,
    "text",
    {"error_code": None, "error_message": None, "status": "success", "matches": []},
    {"error": "", "errors": [], "error_details": {}, "success": True},
    {"error": False, "errors": {"email": []}, "error_details": {"code": None, "suggestions": []}},
    {"errors": [None, {}, " "], "status": None},
    {"status": "completed"},
    {"status": 200, "success": None},
    {"contacts": [{"error": "kept in a record", "status": "failed"}]},
]


@pytest.mark.parametrize("body", GOOD)
def test_an_answer_that_names_no_error_is_good(manifest: Manifest, reply: Make, body: Any) -> None:
    """Keys of errors that hold nothing, as in every good bulk answer, are no error."""
    action = manifest.actions["people_bulk_match"]
    assert error_told(body, reply(200, body), action, manifest.data["errors"]) is None


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        (
            {"error": "Something went wrong", "error_code": "INTERNAL"},
            "rejected",
            "(status 200). (Something went wrong)",
        ),
        ({"errors": [{"index": 1, "message": "Email is invalid"}]}, "rejected", "(Email is invalid (index 1))"),
        ({"success": False}, "rejected", "The service answered with an error (status 200)."),
        ({"success": False, "message": "The list is locked."}, "rejected", "The list is locked."),
        ({"status": "error", "detail": "q_keywords must be text"}, "rejected", "q_keywords must be text"),
        ({"status": "Failed", "matches": []}, "rejected", "error"),
        ({"error_message": "domain count cannot be more than 10"}, "rejected", "more than 10"),
        ({"error": True}, "rejected", "error"),
        (
            {
                "status": "failed",
                "error_code": "INSUFFICIENT_CREDITS",
                "error_message": "You have insufficient credits",
            },
            "credits_exhausted",
            "no credits left",
        ),
        ({"error_code": "INSUFFICIENT_CREDITS"}, "credits_exhausted", "no credits left"),
        ({"error": CREDITS}, "credits_exhausted", "no credits left"),
        ({"error_details": {"code": "AUTH.AUTHENTICATION.API_KEY_INVALID"}}, "reauthorization_needed", "this API key"),
        (SCOPED, "permission_denied", "tick api/v1/people/bulk_match"),
        ({"error": "This contact has been deleted."}, "not_found", "deleted"),
        ({"error_code": "result_pending", "retry_after_seconds": 5}, "pending", "isn't there yet"),
    ],
)
def test_a_good_status_may_hold_an_error(manifest: Manifest, reply: Make, body: Any, code: str, part: str) -> None:
    """An error in the body of a 2xx is the one its codes and words mean under any status, in the service's words."""
    action = manifest.actions["people_bulk_match"]
    error = error_told(body, reply(200, body, x_request_id="req-1"), action, manifest.data["errors"])
    assert error is not None
    assert error.code == code
    assert part in f"{error.message} {error.hint}"
    assert error.request_id == "req-1"


@pytest.mark.parametrize("status", ["failed", "error"])
def test_the_status_of_a_record_is_no_error(manifest: Manifest, reply: Make, status: str) -> None:
    """Where the answer is the record, its status is that of an email or of a task; an error beside it still counts."""
    action, table = manifest.actions["emailer_messages_send_status"], manifest.data["errors"]
    body = {"status": status, "failure_reason": "no mailbox"}
    assert error_told(body, reply(200, body), action, table) is None
    assert error_told(body | {"error": "No."}, reply(200, body), action, table) is not None
    assert error_told(body, reply(200, body), None, table) is not None


def test_an_error_in_a_good_answer_hides_secrets(reply: Make) -> None:
    """As every refusal does."""
    body = {"error": "bad key s3cr3t-canary-1 sent"}
    error = error_told(body, reply(200, body), None, (), ["s3cr3t-canary-1"])
    assert error is not None
    assert "(bad key [hidden] sent)" in error.message


def test_an_action_without_names_needs_a_master_key(manifest: Manifest, reply: Make) -> None:
    """Where an action lists neither endpoint nor scope, a refusal asks for a master key; without an action nothing."""
    refused = reply(403, SCOPED)
    error = error_for(refused, manifest.actions["auth_health"], manifest.data["errors"])
    assert isinstance(error, PermissionDeniedError)
    assert error.missing == {"master_key": True}
    assert "master API key" in error.hint
    alone = error_for(refused, None, manifest.data["errors"])
    assert isinstance(alone, PermissionDeniedError)
    assert alone.missing == {}


def test_what_doesnt_exist_points_at_the_ids(manifest: Manifest, reply: Make) -> None:
    """A record that isn't there gets a hint; where no input was given, and for what isn't an action, there is none."""
    missing = reply(404, {"error": "Not Found"})
    asked = [manifest.actions["contacts_show"], manifest.actions["usage_api_stats"], None]
    found = [error_for(missing, action, ()) for action in asked]
    assert [error and error.hint for error in found] == ["Check the ids that were given.", "", ""]


def test_markup_is_taken_out(reply: Make) -> None:
    """What the service said is shown as one line of plain text, short and without markup or control characters."""
    said = f"A <b>bold</b> &amp; {CREDITS}\n\x1b[31m" + "x" * 1000
    error = error_for(reply(422, {"error": said}), None, ())
    assert error is not None
    assert "A bold & You have insufficient credits! Upgrade your plan to increase" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 400


def test_credits_are_told_apart_by_text(judge: Any, reply: Make) -> None:
    """The 422 that means no credits is not confused with other 422s, and says what to do."""
    error = judge(reply(422, {"error": CREDITS}))
    assert isinstance(error, CreditsExhaustedError)
    assert "Upgrade your plan" not in error.message
    assert error.hint


@pytest.mark.parametrize("word", ["minute", "hour", "day"])
def test_a_quota_error_names_its_window(judge: Any, reply: Make, word: str) -> None:
    """A throttled request tells which window is used up and when to come back, and surely did nothing."""
    error = judge(reply(429, {"message": HOURLY.replace("hour", word)}, retry_after="42"))
    assert isinstance(error, QuotaError)
    assert (error.window, error.retry_after, error.worked) == (word, 42, False)


def test_a_new_worded_quota_error_has_no_window(judge: Any, reply: Make) -> None:
    """A 429 that names no window is a quota error all the same."""
    error = judge(reply(429, {"message": "The maximum number of API calls allowed for /fields was reached."}))
    assert isinstance(error, QuotaError)
    assert (error.window, error.retry_after) == ("", None)


@pytest.mark.parametrize(
    ("case", "pause", "worked"),
    [("busy", None, False), ("pending", 10, False), ("503", None, False), ("bulk create", None, True)],
)
def test_what_may_have_worked(judge: Any, reply: Make, case: str, pause: float | None, worked: bool) -> None:
    """A temporary error tells whether the service may have worked already, and how long to wait where told."""
    error = judge(reply(*TABLE[case][:2]))
    assert isinstance(error, TransientError)
    assert not isinstance(error, QuotaError)
    assert (error.retry_after, error.worked) == (pause, worked)


UNREADABLE = {
    "web page": (b"<!doctype html><html>Sign in</html>", {}),
    "truncated": (b'{"contacts": [{"id": "CANARY', {}),
    "truncated error": (b'{"error": "Invalid API', {}),
    "empty": (b"", {}),
    "not utf-8": (b'{"a": "\xff"}', {}),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_answer_of_somebody_else_is_unreadable(reply: Make, case: str) -> None:
    """A page, a broken or an empty body under a good status is a temporary error that shows none of it."""
    with pytest.raises(UnreadableReplyError) as caught:
        answer_of(reply(200, UNREADABLE[case][0], x_request_id="req-1"))
    assert "CANARY" not in str(caught.value)
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("body", [b"", b"<html></html>", {"error": "moved"}])
def test_a_redirect_is_unreadable(judge: Any, reply: Make, status: int, body: Any) -> None:
    """A redirect, whatever its body, is never an answer of the service and is not followed."""
    moved = reply(status, body, location="https://elsewhere.example/?CANARY", content_type="text/plain")
    error = judge(moved)
    assert isinstance(error, UnreadableReplyError)
    assert "CANARY" not in f"{error} {error.hint}"
    with pytest.raises(UnreadableReplyError, match="redirect"):
        answer_of(moved)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 422, 500, 502, 503])
@pytest.mark.parametrize("case", ["web page", "truncated error"])
def test_a_refusal_of_somebody_else_is_unreadable(judge: Any, reply: Make, status: int, case: str) -> None:
    """A proxy's page or half an answer says nothing about the credential or the record: it is temporary."""
    error = judge(reply(status, UNREADABLE[case][0], retry_after="5"))
    assert isinstance(error, UnreadableReplyError)
    assert error.retry_after == 5


@pytest.mark.parametrize("body", [{}, [], [1], "text", 0, None, True, {"contacts": None}])
def test_any_json_is_an_answer(judge: Any, reply: Make, body: Any) -> None:
    """Under a good status every JSON value is data and no error."""
    assert judge(reply(200, body)) is None
    assert answer_of(reply(200, body)) == body


NINE = {
    "x-rate-limit-minute": "200",
    "x-rate-limit-hourly": "400",
    "x-rate-limit-24-hour": "2000",
    "x-minute-usage": "1",
    "x-hourly-usage": "2",
    "x-24-hour-usage": "3",
    "x-minute-requests-left": "199",
    "x-hourly-requests-left": "398",
    "x-24-hour-requests-left": "1997",
}


@pytest.mark.parametrize(
    ("headers", "windows"),
    [
        (NINE, (Window("minute", 200, 199), Window("hour", 400, 398), Window("day", 2000, 1997))),
        (
            {
                "x-rate-limit-minute": "1000",
                "x-minute-requests-left": "999",
                "x-rate-limit-hourly": "",
                "x-rate-limit-24-hour": "",
            },
            (Window("minute", 1000, 999), Window("hour", None, None), Window("day", None, None)),
        ),
        ({"x-rate-limit-daily": "600", "x-daily-requests-left": "7"}, (Window("day", 600, 7),)),
        ({"x-minute-requests-left": "0"}, (Window("minute", None, 0),)),
        ({"x-rate-limit-minute": "many", "x-minute-requests-left": " 5 "}, (Window("minute", None, 5),)),
        ({"content-type": "application/json"}, ()),
    ],
)
def test_windows_from_the_headers(manifest: Manifest, headers: dict[str, str], windows: tuple[Window, ...]) -> None:
    """The nine headers give three windows; an empty one is unlimited, an absent one not told, older names count."""
    assert windows_of(Reply(200, headers, b""), manifest.data["quota_headers"]) == windows


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30), ("0", 0), ("-5", 0), ("9999999999", 7 * 86400), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None)],
)
def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    """Only a number of seconds counts, at least none and at most a week."""
    assert retry_after(Reply(429, {"retry-after": header}, b"")) == seconds
    assert retry_after(Reply(429, {}, b"")) is None


@pytest.mark.parametrize(("told", "seconds"), [(10, 10), (-5, 0), (10**9, 7 * 86400), ("soon", None), ([1], None)])
def test_how_long_to_wait_when_the_body_tells(told: Any, seconds: float | None) -> None:
    """A pause in the body of an answer is bounded like one in its headers: no host can wait less than no time."""
    error = error_for(Reply(503, {}, json.dumps({"retry_after_seconds": told}).encode()), None, [])
    assert isinstance(error, TransientError)
    assert error.retry_after == seconds


HEADERS = st.dictionaries(
    st.sampled_from([*NINE, "retry-after", "content-type", "x-request-id"]),
    st.sampled_from(["", "0", "-1", "nan", "1e999", "text/plain", "text/html"]) | st.text(max_size=20),
    max_size=4,
)
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "error_code", "error_details", "code", "retry_after_seconds", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = st.binary(max_size=100) | JSONISH.map(lambda value: json.dumps(value).encode())


@given(st.integers(100, 599), HEADERS, BODIES)
def test_any_answer_is_data_or_a_connector_error(
    judge: Any, manifest: Manifest, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Whatever a server sends, reading it gives data, windows or a ConnectorError, and nothing else."""
    found = Reply(status, headers, body)
    error = judge(found)
    assert (error is None) == (status < 300)
    assert error is None or (error.message and json.dumps(error.as_dict()))
    assert all(window.name for window in windows_of(found, manifest.data["quota_headers"]))
    with contextlib.suppress(UnreadableReplyError):
        answer_of(found)
