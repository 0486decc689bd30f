"""Deals, which the API calls opportunities."""

from typing import Any

from .. import params as read
from ..clock import offset_stamp
from ..errors import unprocessable
from ..operation import Answer, Call, Operation
from ..paging import baggage, page_of, pagination
from ..world.crm_records import blank_deal, currency

IDS = ("owner_id", "account_id", "opportunity_stage_id", "opportunity_pipeline_id")
FILTERS = ("opportunity_stage_id", "account_id", "owner_id")
CRUMBS = {"q_keywords": "Contains Keywords", "opportunity_stage_id": "Stage", "owner_id": "Owner"}


def create(call: Call) -> Answer:
    """A new deal of the acting user; an amount with anything but digits is blanked."""
    name = read.text(call.params, "name")
    if not name:
        raise unprocessable("Name is required")
    ids = {field: read.object_id_param(call.params, field) or None for field in IDS}
    world = call.state.world
    deal = blank_deal(world.new_id("deal"), world.team_id, call.caller.user_id, name, call.now)
    amount = read.text(call.params, "amount")
    number = int(amount) if amount.isdecimal() else None
    deal |= {
        **ids,
        "owner_id": ids["owner_id"] or call.caller.user_id,
        "opportunity_pipeline_id": ids["opportunity_pipeline_id"] or world.pipeline_id,
        "amount": number,
        "amount_in_team_currency": number,
        "description": read.text(call.params, "description") or None,
        "closed_date": _date(call),
        "typed_custom_fields": call.params.get("typed_custom_fields") or {},
        "currency": currency(read.text(call.params, "currency_code") or "USD"),
        **_stage(call, ids["opportunity_stage_id"]),
    }
    world.deals[deal["id"]] = deal
    return {"opportunity": deal}


def _date(call: Call) -> str | None:
    date = read.text(call.params, "closed_date")
    return f"{date}T00:00:00.000+00:00" if len(date) == 10 else date or None


def _stage(call: Call, own: str | None) -> dict[str, Any]:
    """What follows from the stage; without one a deal starts in the first (unverified)."""
    stages = call.state.world.deal_stages
    stage = stages[0] if own is None else next((entry for entry in stages if entry["id"] == own), None)
    if stage is None:
        return {}
    return {
        "opportunity_stage_id": stage["id"],
        "stage_name": stage["name"],
        "is_closed": stage["is_closed"],
        "is_won": stage["is_won"],
        "actual_close_date": offset_stamp(call.now) if stage["is_closed"] else None,
    }


def matching(call: Call) -> list[dict[str, Any]]:
    """The deals that pass every filter, the newest first."""
    wanted = {name: own for name in FILTERS if (own := read.object_id_param(call.params, name))}
    words = read.text(call.params, "q_keywords").lower()
    return [
        deal
        for deal in reversed(call.state.world.deals.values())
        if words in deal["name"].lower() and all(deal[name] == own for name, own in wanted.items())
    ]


def search(call: Call) -> Answer:
    page, found = page_of(call.params), matching(call)
    field = read.text(call.params, "sort_by_field")
    if field in ("amount", "is_closed", "is_won"):
        found.sort(key=lambda deal: float(deal[field] or 0), reverse=True)
    accounts = call.state.world.accounts
    rows = [deal | {"account": accounts.get(deal["account_id"] or "")} for deal in page.cut(found)]
    return {
        **baggage(call.params, CRUMBS),
        "opportunities": rows,
        "salesforce_users": [],
        "pagination": pagination(page, len(found)),
    }


DEALS = (
    Operation(
        "opportunities_create",
        "POST",
        "/opportunities",
        "deals/api/v1/opportunities/create",
        "opportunity_write",
        create,
        (
            "name", "owner_id", "account_id", "amount", "opportunity_stage_id", "closed_date",
            "typed_custom_fields", "currency_code", "opportunity_pipeline_id", "description",
        ),
    ),
    Operation(
        "opportunities_search",
        "GET",
        "/opportunities/search",
        "deals/api/v1/opportunities/search",
        "opportunities_list",
        search,
        ("sort_by_field", "page", "per_page", "q_keywords", "opportunity_stage_id", "account_id", "owner_id"),
        also=("POST",),
    ),
)  # fmt: skip
