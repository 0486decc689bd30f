"""The team's contacts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from .. import params as read
from ..contact_writes import apply, check_ids, find_duplicate, new_contact
from ..errors import bad_id, scope_missing, unprocessable
from ..ids import is_object_id
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..operations.deals import with_people
from ..paging import baggage, page_of, pagination
from ..searching import cut, in_order, visible
from ..state_cache import cached
from ..world import World
from ..world.directory import Company
from ..world.lists import counted
from ..world.people_records import wide_organization

if TYPE_CHECKING:
    from ..state import State

WRITE_PARAMETERS = (
    "first_name", "last_name", "organization_name", "title", "account_id", "email", "website_url",
    "label_names", "contact_stage_id", "present_raw_address", "direct_phone", "corporate_phone",
    "mobile_phone", "home_phone", "other_phone", "typed_custom_fields",
)  # fmt: skip
SEARCH_FILTERS = ("q_keywords", "contact_stage_ids", "contact_label_ids", "sort_by_field", "sort_ascending")
UNDOCUMENTED_FILTERS = ("linkedin_url",)  # seen live: compared whole, in Apollo's own form
SORTS: dict[str, Callable[[World, dict[str, Any]], str]] = {
    "contact_last_activity_date": lambda _, record: record["last_activity_date"] or "",
    "contact_created_at": lambda _, record: record["created_at"],
    "contact_updated_at": lambda _, record: record["updated_at"],
    "contact_email_last_opened_at": lambda world, record: world.opened.get(record["id"], ""),
    "contact_email_last_clicked_at": lambda world, record: world.clicked.get(record["id"], ""),
}
CRUMBS = {
    "q_keywords": "Contains Keywords",
    "contact_stage_ids": "Contact Stage",
    "contact_label_ids": "Lists",
}


def create(call: Call) -> Answer:
    """A new contact, or with run_dedupe the update of the one that is already there."""
    check_ids(call.params)
    world = call.state.world
    found = find_duplicate(world, call.params) if read.flag(call.params, "run_dedupe") else None
    if found is None:
        contact = new_contact(call, call.caller.user_id)
        apply(call, contact, call.params, new=True)
        answer = _answer(world, contact)
        return answer | {"contact": contact | {"queued_for_crm_push": True}}  # recorded; null when it is read later
    contact, reason = found
    apply(call, contact, call.params, new=False)
    result = {"found_existing": True, "match_reason": reason, "existing_contact_id": contact["id"]}
    return _answer(world, contact) | {"dedupe_result": result}


def show(call: Call) -> Answer:
    own = read.object_ids([call.path["contact_id"]])[0]
    book = call.state.world.contacts
    if own in book.deleted:
        raise unprocessable("This contact has been deleted.")
    if own not in book.records:
        raise unprocessable("Oops! This contact does not exist in Apollo.")
    return _answer(call.state.world, book.records[own])


def opportunities(call: Call) -> Answer:
    """The deals a contact has a role in; an unknown contact has none.

    Whether a token may ask is disputed: Apollo's documentation names a scope, its command-line client says that none
    grants it. A switch refuses it.
    """
    world, settings = call.state.world, call.state.settings
    if call.caller.scopes is not None and settings.contact_deals_by_token == "refused":
        raise scope_missing("api/v1/contacts/opportunities", None, settings.dialect)
    found = [
        with_people(world, deal)
        for deal in reversed(world.deals.values())
        if any(role["contact_id"] == call.path["contact_id"] for role in deal["opportunity_contact_roles"])
    ]
    return {"opportunities": found}


def stages(call: Call) -> Answer:
    return {"contact_stages": call.state.world.contact_stages}


def update(call: Call) -> Answer:
    own = call.path["contact_id"]
    if not is_object_id(own):
        raise bad_id(own)
    check_ids(call.params)
    book = call.state.world.contacts
    if own in book.deleted:
        raise unprocessable("Cannot update contact as it is deleted.", deleted_contact_ids=[own])
    contact = book.records.get(own)
    if contact is None:
        # the text of many controllers; for this one unverified
        raise unprocessable("Oops! This contact does not exist in Apollo.")
    apply(call, contact, call.params, new=False)
    return _answer(call.state.world, contact)


def _answer(world: World, contact: dict[str, Any]) -> Answer:
    labels = [counted(world, world.labels[own]) for own in contact["label_ids"] if own in world.labels]
    return {"contact": contact, "labels": labels}


def matching(call: Call) -> list[str]:
    """The ids of the contacts that pass every filter, sorted; kept until a contact changes."""
    filters = {name: call.params[name] for name in (*SEARCH_FILTERS, *UNDOCUMENTED_FILTERS) if name in call.params}
    key = b"contacts" + orjson.dumps(filters, option=orjson.OPT_SORT_KEYS)
    version = call.state.world.contacts.version
    kept: tuple[int, list[str]] | None = call.state.cache.get(key)
    if kept is None or kept[0] != version:
        kept = call.state.cache[key] = (version, _find(call))
    return kept[1]


def _find(call: Call) -> list[str]:
    words = read.text(call.params, "q_keywords").lower().split()
    stages = set(read.object_ids(read.texts(call.params, "contact_stage_ids")))
    labels = set(read.object_ids(read.texts(call.params, "contact_label_ids")))
    profile = read.text(call.params, "linkedin_url")
    book = call.state.world.contacts
    found = [
        record
        for own, record in book.records.items()
        if all(word in book.words[own] for word in words)
        and (not stages or record["contact_stage_id"] in stages)
        and (not labels or not labels.isdisjoint(record["label_ids"]))
        and profile in ("", record["linkedin_url"])
    ]
    world, sort = call.state.world, SORTS.get(read.text(call.params, "sort_by_field"))
    if sort is None:  # an unknown sort is ignored (unverified)
        return [record["id"] for record in reversed(found)]
    ordered = in_order(found, lambda record: sort(world, record), ascending=read.flag(call.params, "sort_ascending"))
    return [record["id"] for record in ordered]


def search(call: Call) -> Answer:
    page, found, world = page_of(call.params), visible(call, matching(call)), call.state.world
    rows = [_row(call.state, world.contacts.records[own]) for own in cut(call, page, found)]
    return {
        "contacts": rows,
        **baggage(call.params, CRUMBS),
        "pagination": pagination(page, len(found)),
    }


def _row(state: "State", contact: dict[str, Any]) -> dict[str, Any]:
    """A contact as searches show it: with its account and its company, where there are any."""
    world = state.world
    account = world.accounts.get(contact["account_id"] or "")
    company = world.directory.company_by_id.get(contact["organization_id"] or "")
    linked = {"account": shown_account(world, account)} if account else {}
    return contact | linked | ({"organization": _raw_company(state, company)} if company else {})


def _raw_company(state: "State", company: Company) -> orjson.Fragment:
    """A company as bytes: it never changes, and a page of contacts shows a hundred."""
    key = b"company" + company.id.encode()
    return cached(state, key, lambda: orjson.Fragment(orjson.dumps(wide_organization(company))))


CONTACTS = (
    Operation(
        "contacts_search",
        "POST",
        "/contacts/search",
        "api/v1/contacts/search",
        "contacts_search",
        search,
        (*SEARCH_FILTERS, *UNDOCUMENTED_FILTERS, "page", "per_page"),
    ),
    Operation(
        "contacts_create",
        "POST",
        "/contacts",
        "api/v1/contacts/create",
        "contact_write",
        create,
        (*WRITE_PARAMETERS, "run_dedupe"),
    ),
    Operation(
        "contacts_update",
        "PATCH",
        "/contacts/{contact_id}",
        "api/v1/contacts/update",
        "contact_update",
        update,
        WRITE_PARAMETERS,
        also=("PUT",),
    ),
    Operation(
        "contacts_show", "GET", "/contacts/{contact_id}", "api/v1/contacts/show", "contact_read", show
    ),
    Operation(
        "contacts_opportunities", "POST", "/contacts/{contact_id}/opportunities",
        "deals/api/v1/opportunities/search", "opportunities_list", opportunities,
    ),
    Operation(
        "contact_stages_list", "GET", "/contact_stages", "api/v1/contact_stages/index",
        "contact_stages_list", stages,
    ),
)  # fmt: skip
