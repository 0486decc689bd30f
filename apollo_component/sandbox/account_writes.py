"""How what a caller sends becomes an account: duplicates, fields, phone and company."""

from collections.abc import Mapping
from typing import Any

from . import params as read
from .clock import touch
from .contact_writes import sanitized
from .operation import Call
from .typed_values import field_errors, merged
from .world import World
from .world.crm_records import blank_account
from .world.directory import hostname

Record = dict[str, Any]
Params = Mapping[str, Any]

PLAIN = (
    "name", "owner_id", "account_stage_id", "raw_address", "linkedin_url", "facebook_url", "twitter_url",
    "parent_account_id", "organization_id",
)  # fmt: skip
CRM_IDS = ("salesforce_id", "hubspot_id")
IDS = ("owner_id", "account_stage_id", "organization_id", "parent_account_id")


def named(params: Params) -> bool:
    """Whether a new account has what it needs: a name or a domain."""
    return bool(read.text(params, "name") or read.text(params, "domain"))


def check_ids(params: Params) -> None:
    for name in IDS:
        read.object_id_param(params, name)


def new_account(call: Call, params: Params) -> Record:
    """An account of the acting user in the team's first stage; nothing is looked for first."""
    world = call.state.world
    account = blank_account(world.fresh_id("account", call.now), world.team_id, "", None, call.now)
    account |= {
        "source": "api",
        "original_source": "api",
        "source_display_name": "Created from API",
        "account_stage_id": world.account_stages[0]["id"],
        "owner_id": call.caller.user_id,
        "creator_id": call.caller.user_id,
    }
    apply(call, account, params)
    account["updated_at"] = account["created_at"]
    return account


def apply(call: Call, account: Record, params: Params) -> None:
    """Sent values overwrite, empty ones clear, omitted ones stay; then the account is stored."""
    world = call.state.world
    account |= {name: read.text(params, name) or None for name in (*PLAIN, *CRM_IDS) if name in params}
    if "domain" in params:
        account["domain"] = hostname(read.text(params, "domain")) or None
    account["name"] = account["name"] or account["domain"] or ""
    if "phone" in params:
        phone = read.text(params, "phone")
        account |= {"phone": phone or None, "sanitized_phone": sanitized(phone) if phone else None}
    if isinstance(params.get("merged_crm_ids"), list):
        account["merged_crm_ids"] = read.texts(params, "merged_crm_ids")
    if "domain" in params and "organization_id" not in params:
        company = world.directory.company_by_domain.get(account["domain"] or "")
        account["organization_id"] = company.id if company else None
    account["typed_custom_fields"] = merged(world, "account", account, params.get("typed_custom_fields"))
    account["custom_field_errors"] = field_errors(call, "account", params.get("typed_custom_fields"))
    touch(account, call.now)
    world.accounts.save(account)


def duplicate(world: World, params: Params, *, wide: bool) -> Record | None:
    """The account that is already there: by CRM ids, and on request by domain, company id and name, too."""
    crm = [read.text(params, name) for name in CRM_IDS] + read.texts(params, "merged_crm_ids")
    keys = [("crm", own.lower()) for own in crm]
    if wide:
        keys.append(("domain", hostname(read.text(params, "domain"))))
        keys.append(("organization_id", read.text(params, "organization_id")))
        keys.append(("name", read.text(params, "name").lower()))
    for kind, value in keys:
        if value and (found := world.accounts.find(kind, value)):
            return found[0]
    return None
