"""Company enrichment."""

from .. import params as read
from ..errors import details, unprocessable
from ..operation import Answer, Call, Operation
from ..world.directory import Company, Directory, hostname, profile
from ..world.people_records import wide_organization

IDENTIFIERS = ("domain", "linkedin_url", "name", "website")


def enrich(call: Call) -> Answer:
    """One company; an unknown one is 200 with null (a third party saw the key missing, too)."""
    sent = {name: value for name in IDENTIFIERS if (value := read.text(call.params, name))}
    readable = "." in hostname(sent.get("domain") or sent.get("website") or "") or len(
        sent.keys() & {"linkedin_url", "name"}
    )
    old = call.state.settings.dialect == "old"
    if not readable and (not old or not sent):
        raise unprocessable("Required parameter 'domain' missing", **({} if old else _structured()))
    company = find_company(call.state.world.directory, sent)
    call.state.ledger.bill(call, organizations=[company.id] if company else [])
    return {"organization": _shown(call, company) if company else None}


def _structured() -> dict[str, object]:
    """Since 2026-09-18 this refusal carries error_details; its code is unverified."""
    text = "A domain, website, LinkedIn URL or name is required."
    return {"error_details": details("ENRICHMENT.ORGANIZATION.IDENTIFIER_MISSING", text)}


def find_company(directory: Directory, keys: dict[str, str]) -> Company | None:
    """The company the first usable identifier means."""
    if address := keys.get("domain") or keys.get("website"):
        return directory.company_by_domain.get(hostname(address))
    if url := keys.get("linkedin_url"):
        return directory.company_by_linkedin.get(profile(url))
    return directory.company_by_name.get(keys.get("name", "").lower())


def _shown(call: Call, company: Company) -> dict[str, object]:
    accounts = call.state.world.accounts.values()
    account = next((record for record in accounts if record["organization_id"] == company.id), None)
    linked = {"account_id": account["id"], "account": account} if account else {}
    return wide_organization(company) | linked


COMPANIES = (
    Operation(
        "organizations_enrich",
        "GET",
        "/organizations/enrich",
        "api/v1/organizations/enrich",
        "organizations_enrich",
        enrich,
        IDENTIFIERS,
        quota_class="enrichment",
        also=("POST",),
    ),
)
