"""The team's users, the profile behind a credential and the health check."""

from typing import Any

from .. import params as read
from ..operation import Answer, Call, Operation
from ..paging import RECORDED_PER_PAGE, page_of, pagination

POOLS = ("lead", "direct_dial", "export", "ai", "power_up")


def matching(call: Call) -> list[dict[str, Any]]:
    wanted = read.text(call.params, "q_keywords").lower()
    users = call.state.world.users
    return [user for user in users if wanted in f"{user['name']} {user['email']}".lower()]


def search(call: Call) -> Answer:
    """Users, with page and per_page coming back as they were sent: texts from a query (recorded).

    A per_page that was not sent is a number (recorded), a page that was not sent, too (unverified).
    """
    page, found = page_of(call.params, default=RECORDED_PER_PAGE), matching(call)
    sent = {name: call.params[name] for name in ("page", "per_page") if call.params.get(name)}
    numbers = pagination(page, len(found)) | sent
    return {"pagination": numbers, "users": page.cut(found), "num_fetch_result": None}


def profile(call: Call) -> Answer:
    """The user the credential acts as: for a key, the longest-standing admin."""
    user = call.state.world.user(call.caller.user_id)
    shown = ("id", "first_name", "last_name", "title", "email")
    answer = {name: user[name] for name in shown} | {"team_id": call.caller.team}
    return answer | (_credits(call) if read.flag(call.params, "include_credit_usage") else {})


def _credits(call: Call) -> dict[str, int]:
    """The counters of a plan with one pool for everything (which pools count what is unverified)."""
    ledger = call.state.ledger
    counters = {"num_credits_remaining": ledger.left, "total_unified_credits_used": ledger.total}
    for pool in POOLS:
        counters[f"effective_num_{pool}_credits"] = ledger.limit if pool == "lead" else 0
        counters[f"num_{pool}_credits_used"] = ledger.total if pool == "lead" else 0
    return counters


def health(call: Call) -> Answer:
    """Always 200: a wrong credential shows only in the flag."""
    return {"healthy": True, "is_logged_in": bool(call.caller.name)}


USERS = (
    Operation(
        "users_search",
        "GET",
        "/users/search",
        "api/v1/users/search",
        "users_list",
        search,
        ("page", "per_page", "q_keywords"),
        also=("POST",),
    ),
    Operation(
        "users_api_profile",
        "GET",
        "/users/api_profile",
        "api/v1/users/api_profile",
        "read_user_profile",
        profile,
        ("include_credit_usage",),
        free_plan_ok=True,
    ),
    Operation(
        "auth_health", "GET", "/auth/health", None, None, health, free_plan_ok=True, public=True
    ),
)  # fmt: skip
