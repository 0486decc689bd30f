"""Refusals: every status and body Apollo is known to answer, in one place.

Texts come from Apollo's documentation or from third-party live tests; a line marked "unverified" is a
choice of this sandbox.
"""

from dataclasses import dataclass, field
from typing import Any

UPGRADE = "https://app.apollo.io/#/settings/plans/upgrade"
AUTH_DOCS = "https://docs.apollo.io/reference/authentication"


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """An answer other than 200, raised from anywhere below the dispatcher."""

    status: int
    body: dict[str, Any] | str
    headers: dict[str, str] = field(default_factory=dict)


def unprocessable(text: str, **more: Any) -> Refusal:
    return Refusal(422, {"error": text, **more})


def not_found() -> Refusal:
    return Refusal(404, {"status": 404, "error": "Not Found"})


def bad_id(value: object) -> Refusal:
    return unprocessable(f"Parameters misconfigured. {value} is not a valid ID")


def over_threshold() -> Refusal:
    return unprocessable("Page * per page number is over threshold.")


def invalid_parameters() -> Refusal:
    return unprocessable("Invalid parameters")


def range_as_string() -> Refusal:
    """A range sent as text; the message is third-party, its envelope unverified."""
    return unprocessable("no implicit conversion of String into Integer")


def deprecated_search() -> Refusal:
    return unprocessable(
        "This endpoint is deprecated for API callers. Please use the new mixed_people/api_search endpoint: "
        "https://docs.apollo.io/reference/people-api-search."
    )


def insufficient_credits() -> Refusal:
    return unprocessable(
        f"You have insufficient credits! <a href='{UPGRADE}' aria-onclick='close_alert'>Upgrade your plan</a> "
        "to increase your number of lead credits."
    )


def bulk_refusal(code: str, text: str) -> Refusal:
    return Refusal(400, {"status": "failed", "error_code": code, "error_message": text})


def key_required() -> Refusal:
    """No credential at all (third-party live test; unverified since the change of 2026-09-18)."""
    return unprocessable("Api key required")


def key_in_wrong_place() -> Refusal:
    """The code is known from a third party; the sentence is unverified."""
    return unprocessable("API keys are only accepted in the X-Api-Key header.", error_code="INVALID_API_KEY_LOCATION")


def details(code: str, message: str, *suggestions: dict[str, str], **context: str) -> dict[str, Any]:
    """The `error_details` object added on 2026-09-18."""
    see = {"label": "Check how to create and send an Apollo API key", "url": AUTH_DOCS}
    return {"code": code, "message": message, "suggestions": [*suggestions, see], "context": context}


def in_dialect(body: dict[str, Any] | str, dialect: str) -> dict[str, Any] | str:
    """A body without `error_details` when the dialect is older than they are."""
    if dialect == "new" or isinstance(body, str):
        return body
    return {name: value for name, value in body.items() if name != "error_details"}


def bad_key(dialect: str) -> Refusal:
    """A wrong key: plain text until 2026-09-18, JSON since."""
    text = f"Invalid API key. See {AUTH_DOCS} for how to authenticate."
    if dialect == "old":
        return Refusal(401, text)
    hint = {"label": "Send a valid API key in the X-Api-Key header", "header": "X-Api-Key"}
    known = details("AUTH.AUTHENTICATION.API_KEY_INVALID", "This API key is not valid.", hint)
    return Refusal(401, {"error": text, "error_details": known})


def bad_token(dialect: str) -> Refusal:
    """An unknown, expired or revoked token; only the error_code is documented, the rest is unverified."""
    body = {"error": "Invalid access token.", "error_code": "INVALID_ACCESS_TOKEN"}
    if dialect == "old":
        return Refusal(401, body)
    extra = details("AUTH.AUTHENTICATION.ACCESS_TOKEN_INVALID", "This access token is not valid.")
    return Refusal(401, {**body, "error_details": extra})


def inaccessible(endpoint: str, *, with_token: bool) -> Refusal:
    """What no key and no token may do; recorded under a token, with the older wording for keys (unverified)."""
    credential = "access token" if with_token else "api_key"
    return Refusal(
        403, {"error": f"{endpoint} is not accessible with this {credential}", "error_code": "API_INACCESSIBLE"}
    )


def key_out_of_scope(endpoint: str, dialect: str) -> Refusal:
    """A scoped key without this endpoint; the code inside error_details is unverified."""
    if dialect == "old":
        return inaccessible(endpoint, with_token=False)
    text = (
        f"This API key is not authorized to access {endpoint}. Request an API key from your administrator "
        "that includes this endpoint in its configured scope."
    )
    extra = details("AUTH.AUTHORIZATION.API_INACCESSIBLE", "This API key does not include this endpoint.")
    return Refusal(403, {"error": text, "error_code": "API_INACCESSIBLE", "error_details": extra})


def scope_missing(endpoint: str, scope: str | None, dialect: str) -> Refusal:
    """A token without the scope; status, texts and code are all unverified (403 is assumed)."""
    text = f"{endpoint} is not accessible with this access token"
    message = f"This access token lacks the scope {scope}." if scope else "Not available to access tokens."
    extra = details("AUTH.AUTHORIZATION.SCOPE_MISSING", message)
    body = {"error": text, "error_code": "API_INACCESSIBLE", "error_details": extra}
    return Refusal(403, in_dialect(body, dialect))


def free_plan(endpoint: str) -> Refusal:
    text = (
        f"{endpoint} is not accessible with this api_key on a free plan. "
        "Please upgrade your plan from https://app.apollo.io/."
    )
    return Refusal(403, {"error": text, "error_code": "API_INACCESSIBLE"})


def throttled(endpoint: str, limit: int, window: str, seconds: int) -> Refusal:
    text = (
        f"The maximum number of api calls allowed for {endpoint} is {limit} times per {window}. "
        f"Please upgrade your plan from {UPGRADE}."
    )
    if endpoint.startswith("api/v1/fields"):  # the newer wording, of which the middle is unverified
        text = (
            f"The maximum number of API calls allowed for {endpoint} is {limit} times per {window}. "
            f"To change your rate limit, upgrade your Apollo plan at {UPGRADE}."
        )
    return Refusal(429, {"message": text}, {"retry-after": str(seconds)})
