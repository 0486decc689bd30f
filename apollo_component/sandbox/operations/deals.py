"""Deals, which the API calls opportunities."""

from typing import Any

from .. import params as read
from ..clock import offset_stamp, stamp
from ..errors import not_found, unprocessable
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..paging import RECORDED_PER_PAGE, baggage, page_of, pagination
from ..searching import cut, visible
from ..typed_values import merged
from ..world import World
from ..world.crm_records import blank_deal, currency

IDS = ("owner_id", "account_id", "opportunity_stage_id", "opportunity_pipeline_id")
SORTS = ("amount", "is_closed", "is_won")
CRUMBS = {"q_opportunity_name": "Name", "opportunity_stage_ids": "Stage"}


def create(call: Call) -> Answer:
    """A new deal, with stage and owner only where they are sent; an amount with anything but digits is blanked.

    Its existence_level is none in this answer and full afterwards (recorded).
    """
    name = read.text(call.params, "name")
    if not name:
        raise unprocessable("Name is required")
    ids = {field: read.object_id_param(call.params, field) or None for field in IDS}
    world = call.state.world
    deal = blank_deal(world.fresh_id("deal", call.now), world.team_id, call.caller.user_id, name, call.now)
    deal |= {
        **ids,
        "opportunity_pipeline_id": ids["opportunity_pipeline_id"] or world.pipeline_id,
        **_amount(call),
        "description": read.text(call.params, "description") or None,
        "closed_date": _date(call),
        "currency": currency(read.text(call.params, "currency_code") or "USD"),
        **(_stage(call, ids["opportunity_stage_id"]) if ids["opportunity_stage_id"] else {}),
    }
    deal["typed_custom_fields"] = merged(world, "opportunity", deal, call.params.get("typed_custom_fields"))
    world.deals[deal["id"]] = deal
    return {"opportunity": deal | {"existence_level": "none"}}


def _amount(call: Call) -> dict[str, Any]:
    amount = read.text(call.params, "amount")
    number = int(amount) if amount.isdecimal() else None
    return {"amount": number, "amount_in_team_currency": number}


def found_deal(call: Call) -> dict[str, Any] | None:
    own = read.object_ids([call.path["opportunity_id"]])[0]
    return call.state.world.deals.get(own)


def show(call: Call) -> Answer:
    deal = found_deal(call)
    if deal is None:
        raise not_found()
    return {"opportunity": with_people(call.state.world, deal)}


def update(call: Call) -> Answer:
    """Sent values overwrite; a new stage takes its name and its end with it. A sent is_closed is ignored (recorded)."""
    deal, params, world = found_deal(call), call.params, call.state.world
    if deal is None:
        raise unprocessable("Opportunity does not exist.")
    ids = {field: read.object_id_param(params, field) for field in IDS if field in params}
    plain = {name: read.text(params, name) or None for name in ("description",) if name in params}
    deal |= plain | {name: own or None for name, own in ids.items() if name != "opportunity_stage_id"}
    deal |= {"name": read.text(params, "name") or deal["name"]}
    deal |= _amount(call) if "amount" in params else {}
    deal |= {"closed_date": _date(call)} if "closed_date" in params else {}
    if (stage := ids.get("opportunity_stage_id")) and stage != deal["opportunity_stage_id"]:
        deal |= _stage(call, stage)
    deal["typed_custom_fields"] = merged(world, "opportunity", deal, params.get("typed_custom_fields"))
    deal["last_activity_date"] = stamp(call.now)
    return {"opportunity": deal}


def stages(call: Call) -> Answer:
    return {"opportunity_stages": call.state.world.deal_stages}


def shown(world: World, deal: dict[str, Any]) -> dict[str, Any]:
    """A deal as lists show it: with its account where it has one; without one there is no such key (recorded)."""
    account = world.accounts.get(deal["account_id"] or "")
    return deal | ({"account": shown_account(world, account)} if account else {})


def with_people(world: World, deal: dict[str, Any]) -> dict[str, Any]:
    """A deal alone, or of a contact: with the number of its people, too."""
    return shown(world, deal) | {"num_contacts": len(deal["opportunity_contact_roles"])}


def _date(call: Call) -> str | None:
    date = read.text(call.params, "closed_date")
    return f"{date}T00:00:00.000+00:00" if len(date) == 10 else date or None


def _stage(call: Call, own: str) -> dict[str, Any]:
    """What follows from the stage; an unknown one changes nothing (unverified)."""
    stage = next((entry for entry in call.state.world.deal_stages if entry["id"] == own), None)
    if stage is None:
        return {}
    return {
        "opportunity_stage_id": stage["id"],
        "stage_name": stage["name"],
        "is_closed": stage["is_closed"],
        "is_won": stage["is_won"],
        "stage_updated_at": offset_stamp(call.now),
        "actual_close_date": offset_stamp(call.now) if stage["is_closed"] else None,
    }


def matching(call: Call) -> list[dict[str, Any]]:
    """The deals with the words in their name, in any of the stages, the newest first.

    Other filters, also those that the official command-line client sends, are ignored (seen by users of the API).
    """
    words = read.text(call.params, "q_opportunity_name").lower().split()
    among = set(read.object_ids(read.texts(call.params, "opportunity_stage_ids")))
    return [
        deal
        for deal in reversed(call.state.world.deals.values())
        if all(word in deal["name"].lower() for word in words) and (not among or deal["opportunity_stage_id"] in among)
    ]


def search(call: Call) -> Answer:
    page, found = page_of(call.params, default=RECORDED_PER_PAGE), visible(call, matching(call))
    if (field := read.text(call.params, "sort_by_field")) in SORTS:
        descending = not read.flag(call.params, "sort_ascending")
        found.sort(key=lambda deal: float(deal[field] or 0), reverse=descending)
    rows = [shown(call.state.world, deal) for deal in cut(call, page, found)]
    return {
        **baggage(call.params, CRUMBS),
        "opportunities": rows,
        "group_by_field_facets": None,
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
        (
            "sort_by_field", "sort_ascending", "page", "per_page", "q_opportunity_name", "opportunity_stage_ids",
            "opportunity_stage_id", "account_id", "owner_id",  # of the command-line client; ignored
        ),
        also=("POST",),
    ),
    Operation(
        "opportunities_show", "GET", "/opportunities/{opportunity_id}",
        "deals/api/v1/opportunities/show", "opportunity_read", show,
    ),
    Operation(
        "opportunities_update", "PATCH", "/opportunities/{opportunity_id}",
        "deals/api/v1/opportunities/update", "opportunity_update", update,
        ("owner_id", "name", "amount", "opportunity_stage_id", "closed_date", "typed_custom_fields"),
    ),
    Operation(
        "opportunity_stages_list", "GET", "/opportunity_stages",
        "deals/api/v1/opportunity_stages/index", "opportunity_stages_list", stages,
    ),
)  # fmt: skip
