"""Changing many contacts at once."""

from collections.abc import Mapping
from typing import Any

from .. import params as read
from ..contact_writes import apply, check_ids, find_duplicate, new_contact, sanitized
from ..errors import unprocessable
from ..jobs import start_job
from ..operation import Answer, Call, Operation
from ..word_list import words
from ..world.crm_records import contact_email
from ..world.lists import lists_named, set_membership

Record = dict[str, Any]
Params = Mapping[str, Any]

CREATE_LIMIT, SYNC_LIMIT, UPDATE_LIMIT = 100, 100, 1000
SHARED = words(
    """owner_id email organization_name title first_name last_name account_id present_raw_address linkedin_url
    typed_custom_fields"""
)
PLAIN = words(
    """linkedin_url facebook_url twitter_url photo_url organization_id salesforce_id salesforce_lead_id
    salesforce_contact_id salesforce_account_id outreach_id salesloft_id"""
)
PLACEHOLDER = "email_import"  # the source of contacts that a mailbox made; a bulk create fills them


def _wanted(call: Call) -> list[Record]:
    """The contacts of contact_ids that exist; unknown ones are left out."""
    if not call.params.get("contact_ids"):
        raise unprocessable("Required parameter 'contact_ids' missing")
    ids = read.object_ids(read.texts(call.params, "contact_ids"))
    book = call.state.world.contacts.records
    return [book[own] for own in dict.fromkeys(ids) if own in book]


def update_stages(call: Call) -> Answer:
    found = _wanted(call)
    stage = read.object_id_param(call.params, "contact_stage_id")
    for contact in found if stage else ():
        apply(call, contact, {"contact_stage_id": stage}, new=False)
    return {"contacts": found}


def update_owners(call: Call) -> Answer:
    found = _wanted(call)
    owner = read.object_id_param(call.params, "owner_id")
    for contact in found if owner else ():
        apply(call, contact, {"owner_id": owner}, new=False)
    return {"contacts": [{name: record[name] for name in ("id", "owner_id", "crm_owner_id")} for record in found]}


def bulk_create(call: Call) -> Answer:
    """Up to 100 contacts; with run_dedupe those that are there already come back as they are.

    A contact that can't be made, as it has neither a name nor a readable address, is in neither array (unverified).
    """
    sent = call.params.get("contacts")
    if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
        raise unprocessable('Please provide an array of contact attributes in the "contact_attributes" parameter.')
    if len(sent) > CREATE_LIMIT:
        raise unprocessable("Please limit your array to 100 contacts or fewer.")
    owner = read.object_id_param(call.params, "owner_id") or call.caller.user_id
    world = call.state.world
    if not world.is_user(owner):
        raise unprocessable("The owner is not a member of your team.")  # unverified text
    for item in sent:
        check_ids(item)
    names, dedupe = read.texts(call.params, "append_label_names"), read.flag(call.params, "run_dedupe")
    lists = lists_named(world, names, call.caller.user_id, call.now, "contacts")
    created: list[Record] = []
    existing: list[Record] = []
    for item in filter(_usable, sent):
        known = find_duplicate(world, item) if dedupe else None
        contact = known[0] if known else _new(call, item, owner)
        if known and contact["source"] == PLACEHOLDER:
            _fill(call, contact, item, new=False)
        (existing if known else created).append(contact)
        if lists:
            labels = dict.fromkeys([*contact["label_ids"], *(label["id"] for label in lists)])
            set_membership(world, contact, list(labels), call.now)
    return {"created_contacts": created, "existing_contacts": existing}


def _new(call: Call, item: Params, owner: str) -> Record:
    contact = new_contact(call, owner)
    _fill(call, contact, item, new=True)
    return contact


def _usable(item: Params) -> bool:
    email = read.text(item, "email")
    named = any(read.text(item, name) for name in ("first_name", "last_name", "name", "person_id"))
    return is_address(email) if email else named


def is_address(email: str) -> bool:
    """Whether a text has something on both sides of an @."""
    user, at, host = email.rpartition("@")
    return bool(user and at and host)


def _fill(call: Call, contact: Record, item: Params, *, new: bool) -> None:
    """The fields bulk_create names differently, on top of those all writes share."""
    contact |= {name: read.text(item, name) or None for name in PLAIN if name in item}
    sent = dict(item)
    if title := read.text(item, "primary_title"):
        sent["title"] = title
    if hubspot := read.text(item, "hubspot_id"):
        contact["hubspot_vid"] = hubspot
    if read.text(item, "phone"):
        sent["direct_phone"] = item["phone"]
    company = contact["organization_id"]
    apply(call, contact, sent, new=new)
    contact["organization_id"] = company or contact["organization_id"]
    extra = [entry for entry in _objects(item, "contact_emails") if read.text(entry, "email")]
    status = contact["email_status"]
    contact["contact_emails"] += [
        contact_email(read.text(entry, "email"), status, read.integer(entry.get("position"), place) or place)
        for place, entry in enumerate(extra, len(contact["contact_emails"]))
        if read.text(entry, "email") != contact["email"]
    ]
    contact["phone_numbers"] += [
        {"raw_number": raw, "sanitized_number": sanitized(raw), "type": None, "position": place, "status": "no_status"}
        for place, entry in enumerate(_objects(item, "phone_numbers"), len(contact["phone_numbers"]))
        if (raw := read.text(entry, "raw_number"))
    ]
    if contact["phone_numbers"]:
        contact["sanitized_phone"] = contact["phone_numbers"][0]["sanitized_number"]
    call.state.world.contacts.save(contact)


def _objects(item: Params, name: str) -> list[Record]:
    sent = item.get(name)
    return [entry for entry in sent if isinstance(entry, dict)] if isinstance(sent, list) else []


def bulk_update(call: Call) -> Answer:
    """Up to 100 contacts at once; more, or on request, in a job that goes on with the clock."""
    changes = _changes(call)
    if len(changes) > UPDATE_LIMIT:
        raise unprocessable("Please limit your array to fewer than 1000.")
    read.object_ids(own for own, _ in changes)
    for own, item in changes:
        _check(own, item)
    book = call.state.world.contacts.records
    known = [(own, item) for own, item in changes if own in book]
    if read.flag(call.params, "async") or len(changes) > SYNC_LIMIT:
        work = [lambda own=own, item=item: _late(call, own, item) for own, item in known]
        job = start_job(call, "contact_bulk_update", [own for own, _ in changes], work)
        return {"entity_progress_job": {name: job[name] for name in JOB_SHOWN}}
    for own, item in known:
        apply(call, book[own], item, new=False)
    visible = set(read.texts(call.params, "visible_entity_ids"))
    return {"contacts": [book[own] for own, _ in known if not visible or own in visible]}


JOB_SHOWN = ("id", "job_type", "status", "entity_ids", "created_at", "updated_at")


def _late(call: Call, own: str, item: Params) -> None:
    contact = call.state.world.contacts.records.get(own)
    if contact:
        apply(call, contact, item, new=False)


def _changes(call: Call) -> list[tuple[str, Params]]:
    each, ids = call.params.get("contact_attributes"), read.texts(call.params, "contact_ids")
    if isinstance(each, list) and each:
        return [(read.text(item, "id"), item) for item in each if isinstance(item, dict)]
    if not ids:
        raise unprocessable("Please provide either contact_ids or contact_attributes")
    shared = {name: call.params[name] for name in SHARED if name in call.params}
    return [(own, shared) for own in ids]


def _check(own: str, item: Params) -> None:
    check_ids(item)
    email = read.text(item, "email")
    if email and not is_address(email):
        details = {"contact_id": own, "field": "email", "message": "Invalid email format"}
        raise unprocessable("Validation failed", error_details=details)


CONTACT_BULK = (
    Operation(
        "contacts_update_stages", "POST", "/contacts/update_stages", "api/v1/contacts/update_stages",
        "contact_stages_update", update_stages, ("contact_ids", "contact_stage_id"),
    ),
    Operation(
        "contacts_update_owners", "POST", "/contacts/update_owners", "api/v1/contacts/update_owners",
        "contact_owners_update", update_owners, ("contact_ids", "owner_id"),
    ),
    Operation(
        "contacts_bulk_create", "POST", "/contacts/bulk_create", "api/v1/contacts/bulk_create",
        "contacts_bulk_create", bulk_create, ("contacts", "append_label_names", "owner_id", "run_dedupe"),
    ),
    Operation(
        "contacts_bulk_update", "POST", "/contacts/bulk_update", "api/v1/contacts/bulk_update",
        "contacts_bulk_update", bulk_update,
        ("contact_ids", "contact_attributes", *SHARED, "async", "visible_entity_ids"),
    ),
)  # fmt: skip
