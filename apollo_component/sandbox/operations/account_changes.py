"""Writing accounts, one by one and in bulk, and showing one."""

from typing import Any

from .. import params as read
from ..account_writes import apply, check_ids, duplicate, named, new_account
from ..errors import unprocessable
from ..jobs import start_job
from ..operation import Answer, Call, Operation
from ..operations.accounts import over_company, shown
from ..world.lists import counted, lists_named, set_membership
from ..world.people_records import wide_organization

Record = dict[str, Any]

BULK_LIMIT, UPDATE_LIMIT = 100, 1000
WRITE_PARAMETERS = (
    "name", "domain", "owner_id", "account_stage_id", "phone", "raw_address", "typed_custom_fields",
)  # fmt: skip
SHARED = ("name", "owner_id", "account_stage_id")


def create(call: Call) -> Answer:
    """A new account; the same domain twice makes two."""
    if not named(call.params):
        raise unprocessable("Please specify at least a name or domain.")
    check_ids(call.params)
    return {"account": _flat(call, new_account(call, call.params))}


def _flat(call: Call, account: Record) -> Record:
    return shown(call.state.world, account)


def found_account(call: Call, own: str) -> Record:
    """The account of an id; the text for a deleted one is third-party, for an unknown one unverified."""
    own = read.object_ids([own])[0]
    account = call.state.world.accounts.get(own)
    if account is None:
        gone = own in call.state.world.accounts.deleted
        raise unprocessable(
            "This account has been deleted!" if gone else "Oops! This account does not exist in Apollo."
        )
    return account


def update(call: Call) -> Answer:
    account = found_account(call, call.path["account_id"])
    check_ids(call.params)
    apply(call, account, call.params)
    world = call.state.world
    labels = [counted(world, world.labels[own]) for own in account["label_ids"] if own in world.labels]
    return {"account": _flat(call, account), "labels": labels}


def show(call: Call) -> Answer:
    """One account with all that is known of its company."""
    world, account = call.state.world, found_account(call, call.path["id"])
    company = world.directory.company_by_id.get(account["organization_id"] or "")
    wide: Record = {}
    if company:
        wide = dict(wide_organization(company))
        places = ("raw_address", "postal_code", "street_address", "city", "state", "country")
        wide |= {f"organization_{name}": wide[name] for name in places}
    record = over_company(wide, _flat(call, account))
    extra: Record = {
        "engagement_graph": None,
        "account_queues": [],
        "disable_flag": False,
        "suggest_location_enrichment": False,
    }
    return {"account": record | extra, "salesforce_users": [], "hubspot_owners": []}


def stages(call: Call) -> Answer:
    return {"account_stages": call.state.world.account_stages}


def bulk_create(call: Call) -> Answer:
    """Up to 100 accounts; those that are there already come back as they are.

    An account without a name and a domain is in neither array (unverified).
    """
    sent = call.params.get("accounts")
    if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
        raise unprocessable('Please provide an array of account attributes in the "accounts" parameter.')
    if len(sent) > BULK_LIMIT:
        raise unprocessable("Please limit your array to 100 accounts or fewer.")
    for item in sent:
        check_ids(item)
    world, wide = call.state.world, read.flag(call.params, "run_dedupe")
    lists = lists_named(world, read.texts(call.params, "append_label_names"), call.caller.user_id, call.now, "accounts")
    created: list[Record] = []
    existing: list[Record] = []
    for item in sent:
        known = duplicate(world, item, wide=wide)
        if not known and not named(item):
            continue
        account = known or new_account(call, item)
        (existing if known else created).append(account)
        if lists:
            labels = dict.fromkeys([*account["label_ids"], *(label["id"] for label in lists)])
            set_membership(world, account, list(labels), call.now)
    return {"created_accounts": created, "existing_accounts": existing}


def bulk_update(call: Call) -> Answer:
    """Shared values for account_ids, or values per account; the answer holds ids and changed fields."""
    each, ids = call.params.get("account_attributes"), read.texts(call.params, "account_ids")
    if isinstance(each, list) and each:
        if read.flag(call.params, "async"):
            raise unprocessable("Async processing is not permitted.")
        changes = [(read.text(item, "id"), item) for item in each if isinstance(item, dict)]
    elif ids:
        shared = {name: call.params[name] for name in (*SHARED, "typed_custom_fields") if name in call.params}
        changes = [(own, shared) for own in ids]
    else:
        raise unprocessable("Please provide either account_ids or account_attributes")  # unverified
    if len(changes) > UPDATE_LIMIT:
        raise unprocessable("Please limit your array to fewer than 1000.")
    read.object_ids(own for own, _ in changes)
    for _, item in changes:
        check_ids(item)
    accounts = call.state.world.accounts
    known = [(own, item) for own, item in changes if own in accounts]
    if read.flag(call.params, "async"):
        work = [lambda own=own, item=item: _late(call, own, item) for own, item in known]
        job = start_job(call, "account_bulk_update", [own for own, _ in changes], work)
        return {"accounts": [], "entity_progress_job": job}
    for own, item in known:
        apply(call, accounts[own], item)
    rows = [{"id": own} | {name: accounts[own][name] for name in item if name in SHARED} for own, item in known]
    return {"accounts": rows}


def _late(call: Call, own: str, item: Record) -> None:
    account = call.state.world.accounts.get(own)
    if account:
        apply(call, account, item)


def update_owners(call: Call) -> Answer:
    for name in ("account_ids", "owner_id"):
        if not call.params.get(name):
            raise unprocessable(f"Required parameter '{name}' missing")
    owner = read.object_id_param(call.params, "owner_id")
    accounts = call.state.world.accounts
    ids = read.object_ids(read.texts(call.params, "account_ids"))
    found = [accounts[own] for own in dict.fromkeys(ids) if own in accounts]
    for account in found:
        apply(call, account, {"owner_id": owner})
    return {"accounts": [{name: record[name] for name in ("id", "owner_id", "crm_owner_id")} for record in found]}


ACCOUNT_CHANGES = (
    Operation(
        "accounts_create", "POST", "/accounts", "api/v1/accounts/create", "account_write", create, WRITE_PARAMETERS
    ),
    Operation(
        "accounts_update", "PATCH", "/accounts/{account_id}", "api/v1/accounts/update", "account_update",
        update, WRITE_PARAMETERS, also=("PUT",),
    ),
    Operation("accounts_show", "GET", "/accounts/{id}", "api/v1/accounts/show", "account_read", show),
    Operation(
        "accounts_bulk_create", "POST", "/accounts/bulk_create", "api/v1/accounts/bulk_create",
        "account_bulk_create", bulk_create, ("accounts", "append_label_names", "run_dedupe"),
    ),
    Operation(
        "accounts_bulk_update", "POST", "/accounts/bulk_update", "api/v1/accounts/bulk_update",
        "account_stages_update", bulk_update,
        ("account_ids", "account_attributes", "name", "owner_id", "account_stage_id", "async"),
    ),
    Operation(
        "accounts_update_owners", "POST", "/accounts/update_owners", "api/v1/accounts/update_owners",
        "account_owners_update", update_owners, ("account_ids", "owner_id"),
    ),
    Operation(
        "account_stages_list", "GET", "/account_stages", "api/v1/account_stages/index", "account_stages_list", stages
    ),
)  # fmt: skip
