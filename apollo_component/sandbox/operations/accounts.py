"""The team's accounts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .. import params as read
from ..errors import unprocessable
from ..operation import Answer, Call, Operation
from ..paging import RECORDED_PER_PAGE, baggage, page_of, pagination
from ..searching import cut, in_order, visible
from ..world import World

SORTS = {
    "account_last_activity_date": "last_activity_date",
    "account_created_at": "created_at",
    "account_updated_at": "updated_at",
}
CRUMBS = {
    "q_organization_name": "Company Name",
    "account_stage_ids": "Account Stage",
    "account_label_ids": "Lists",
}


def matching(call: Call) -> list[dict[str, Any]]:
    """The accounts that pass every filter, the newest first."""
    name = read.text(call.params, "q_organization_name").lower()
    stages = set(read.object_ids(read.texts(call.params, "account_stage_ids")))
    labels = set(read.object_ids(read.texts(call.params, "account_label_ids")))
    return [
        record
        for record in reversed(call.state.world.accounts.values())
        if name in record["name"].lower()
        and (not stages or record["account_stage_id"] in stages)
        and (not labels or labels & set(record["label_ids"]))
    ]


def search(call: Call) -> Answer:
    page, found = page_of(call.params, default=RECORDED_PER_PAGE), visible(call, matching(call))
    if field := read.text(call.params, "sort_by_field"):
        if field not in SORTS:
            raise unprocessable("Invalid sort criteria", skip_alert_dialog=True)
        ascending = read.flag(call.params, "sort_ascending")
        found = in_order(found[::-1], lambda record: record[SORTS[field]] or "", ascending=ascending)
    rows = [shown(call.state.world, record) for record in cut(call, page, found)]
    return {
        **baggage(call.params, CRUMBS),
        "pagination": pagination(page, len(found)),
        "accounts": rows,
    }


def over_company(wide: Mapping[str, Any], account: dict[str, Any]) -> dict[str, Any]:
    """An account with what is known of its company where it has nothing itself."""
    return {**account, **{name: value for name, value in wide.items() if name != "id" and account.get(name) is None}}


def shown(world: World, record: dict[str, Any]) -> dict[str, Any]:
    """An account with the number of its contacts as it is now; when it changed is not told, as documented."""
    kept = {name: value for name, value in record.items() if name != "updated_at"}
    people = world.contacts.find("account_id", record["id"])
    standings = [standing for contact in people for standing in contact["contact_campaign_statuses"]]
    return kept | {
        "num_contacts": len(people),
        "contact_emailer_campaign_ids": list(dict.fromkeys(one["emailer_campaign_id"] for one in standings)),
        "contact_campaign_status_tally": dict(Counter(one["status"] for one in standings)),
    }


ACCOUNTS = (
    Operation(
        "accounts_search",
        "POST",
        "/accounts/search",
        "api/v1/accounts/search",
        "accounts_search",
        search,
        (
            "q_organization_name", "account_stage_ids", "account_label_ids", "sort_by_field",
            "sort_ascending", "page", "per_page",
        ),
    ),
)  # fmt: skip
