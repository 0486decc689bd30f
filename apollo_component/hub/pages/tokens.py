"""Tokens for the JSON API: made (and shown that once), listed, revoked."""

from starlette.responses import Response

from ...contract.errors import InputError, Problem
from ...host.api_tokens import ApiTokens
from ..api.routes import BASE
from ..visits import Place, Visit

DAYS = ("30", "90", "365", "")
"""What can be chosen; empty: until it is revoked."""


def listed(visit: Visit) -> Response:
    return _page(visit)


def add(visit: Visit) -> Response:
    """The secret is in this one answer, which nothing stores."""
    try:
        token, secret = _tokens(visit).add(visit.form.get("name", "").strip(), _days(visit.form.get("days", "")))
    except InputError as error:
        return _page(visit, 422, error=error)
    return _page(visit, made=token, secret=secret)


def remove(visit: Visit) -> Response:
    _tokens(visit).remove(visit.path["token"])
    return visit.to("/settings/tokens")


def _days(text: str) -> float | None:
    if text not in DAYS:
        raise InputError("The token was not made.", [Problem("must be one of those offered", path="days")])
    return float(text) if text else None


def _page(visit: Visit, status: int = 200, **more: object) -> Response:
    values = {"error": None, "made": None, "secret": "", "form": visit.form if more.get("error") else {}, **more}
    now = visit.host.clock()
    values |= {"tokens": _tokens(visit).all(), "days": DAYS, "now": now, "api": f"{visit.hub.address}{BASE}"}
    return visit.page("tokens.html", status, **values)


def _tokens(visit: Visit) -> ApiTokens:
    return ApiTokens(visit.host.store, visit.host.clock)


PLACES = (
    Place("/settings/tokens", listed),
    Place("/settings/tokens", add, ["POST"]),
    Place("/settings/tokens/{token}/remove", remove, ["POST"]),
)
