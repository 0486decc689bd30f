"""How what a caller sends becomes a contact: duplicates, fields, phones and lists."""

from collections.abc import Mapping
from typing import Any

from . import params as read
from .clock import touch
from .operation import Call
from .typed_values import field_errors, merged
from .world import World
from .world.crm_records import blank_contact, set_email
from .world.directory import hostname
from .world.lists import lists_named

Record = dict[str, Any]
Params = Mapping[str, Any]

PLAIN = (
    "first_name", "last_name", "organization_name", "title", "account_id", "contact_stage_id",
    "present_raw_address", "linkedin_url", "owner_id",
)  # fmt: skip
ID_PARAMETERS = ("account_id", "contact_stage_id", "person_id", "owner_id")
# Named in the documented match order though not listed as parameters; they never change once set.
FIXED_ONCE_SET = ("person_id", "salesforce_lead_id", "salesforce_contact_id")
USER_MANAGED = "User Managed"
CRM_IDS = ("salesforce_id", "hubspot_vid", "crm_id")
# Only work_direct is shown in Apollo's examples; the other types are unverified.
PHONES = {
    "direct_phone": "work_direct",
    "corporate_phone": "work_hq",
    "mobile_phone": "mobile",
    "home_phone": "home",
    "other_phone": "other",
}


def find_duplicate(world: World, params: Params) -> tuple[Record, str] | None:
    """The contact a create with run_dedupe means, in the documented match order, and why.

    Only the reason "email_match" is documented; the others are unverified, as is taking the oldest of several.
    """
    book, employer = world.contacts, read.text(params, "organization_name").lower()
    names = [
        read.text(params, "name").lower(),
        f"{read.text(params, 'first_name')} {read.text(params, 'last_name')}".lower().strip(),
    ]
    keys = [
        *((("crm_id_match", (name, read.text(params, name)))) for name in CRM_IDS),
        ("person_id_match", ("person_id", read.text(params, "person_id"))),
        ("email_match", ("email", read.text(params, "email").lower())),
        *(("name_and_company_match", ("name", name, employer)) for name in names),
    ]
    own = book.records.get(read.text(params, "id"))
    if own:
        return own, "id_match"
    for reason, key in keys:
        if all(key) and (found := book.find(*key)):
            return found[0], reason
    return None


def new_contact(call: Call, owner_id: str) -> Record:
    """A contact with the defaults of a new one (recorded): the first stage, the acting user as its creator."""
    world = call.state.world
    contact = blank_contact(world.fresh_id("contact", call.now), world.team_id, "api", call.now)
    stage = world.contact_stages[0]["id"]
    return contact | {"contact_stage_id": stage, "owner_id": owner_id, "creator_id": call.caller.user_id}


def check_ids(params: Params) -> None:
    for name in ID_PARAMETERS:
        read.object_id_param(params, name)


def apply(call: Call, contact: Record, params: Params, *, new: bool) -> None:
    """Sent values overwrite, empty ones clear, omitted ones stay; then the contact is stored."""
    world = call.state.world
    contact |= {name: read.text(params, name) or None for name in PLAIN if name in params}
    for name in (*FIXED_ONCE_SET, *CRM_IDS):
        if name in params and not (name in FIXED_ONCE_SET and contact[name]):
            contact[name] = read.text(params, name) or None
    contact["name"] = f"{contact['first_name'] or ''} {contact['last_name'] or ''}".strip()
    _set_company(world, contact, params, new=new)
    if "email" in params:
        _set_email(contact, read.text(params, "email") or None, new=new)
    _set_phones(contact, params)
    if "label_names" in params:
        names = read.texts(params, "label_names")
        lists = lists_named(world, names, call.caller.user_id, call.now, "contacts")
        contact["label_ids"] = [label["id"] for label in lists]
    contact["typed_custom_fields"] = merged(world, "contact", contact, params.get("typed_custom_fields"))
    contact["custom_field_errors"] = field_errors(call, "contact", params.get("typed_custom_fields"))
    if not new:
        touch(contact, call.now)
    world.contacts.save(contact)


def _set_company(world: World, contact: Record, params: Params, *, new: bool) -> None:
    """Links the company; no account is looked up or made from a company name (unverified).

    A new contact without a company gets that of its email's domain (recorded), when it is known.
    """
    directory = world.directory
    if "organization_name" not in params and "website_url" not in params:
        employer = directory.company_by_domain.get(read.text(params, "email").lower().rpartition("@")[2])
        if new and employer:
            contact |= {"organization_id": employer.id, "organization_name": employer.name}
        return
    company = directory.company_by_domain.get(hostname(read.text(params, "website_url")))
    company = company or directory.company_by_name.get((contact["organization_name"] or "").lower())
    contact["organization_id"] = company.id if company else None


def _set_email(contact: Record, email: str | None, *, new: bool) -> None:
    """A new address counts as verified and as the user's own (recorded); a changed one is not checked again."""
    if email is None:
        set_email(contact, None, "unavailable")
        return
    kept = not new and contact["email"]
    set_email(contact, email, contact["email_status"] if kept else "verified", USER_MANAGED)
    contact["email_from_customer"] = True


def _set_phones(contact: Record, params: Params) -> None:
    sent = {name: kind for name, kind in PHONES.items() if name in params}
    if not sent:
        return
    kept = [phone for phone in contact["phone_numbers"] if phone["type"] not in sent.values()]
    made = [_phone(number, kind) for name, kind in sent.items() if (number := read.text(params, name))]
    phones = [phone | {"position": place} for place, phone in enumerate([*made, *kept])]
    contact["phone_numbers"] = phones
    contact["sanitized_phone"] = phones[0]["sanitized_number"] if phones else None


def sanitized(number: str) -> str:
    """A number in the form of E.164; ten digits without a country are American."""
    digits = "".join(letter for letter in number if letter.isdecimal())
    country = "" if number.strip().startswith("+") or len(digits) != 10 else "1"
    return f"+{country}{digits}"


def _phone(number: str, kind: str) -> Record:
    return {
        "raw_number": number,
        "sanitized_number": sanitized(number),
        "type": kind,
        "status": "no_status",
        "dnc_status": None,
        "dnc_other_info": None,
        "dialer_flags": None,
        "source_name": "User Managed",
        "vendor_validation_statuses": [],
        "third_party_vendor_name": None,
    }
