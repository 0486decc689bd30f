"""Company enrichment, and what is known about companies: job postings and news."""

from typing import Any

from .. import params as read
from ..errors import bulk_refusal, details, unprocessable
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..paging import page_of, pagination
from ..searching import cut, date_bounds, within
from ..world import company_facts as facts
from ..world.directory import Company, Directory, hostname, profile
from ..world.people_records import wide_organization

IDENTIFIERS = ("domain", "linkedin_url", "name", "website")
BULK_LIMIT, JOBS_CEILING, NEWS_BILLED = 10, 10_000, 25


def enrich(call: Call) -> Answer:
    """One company; an unknown one is 200 with an empty object (seen live), before autumn 2026 with null."""
    sent = {name: value for name in IDENTIFIERS if (value := read.text(call.params, name))}
    readable = "." in hostname(sent.get("domain") or sent.get("website") or "") or len(
        sent.keys() & {"linkedin_url", "name"}
    )
    old = call.state.settings.dialect == "old"
    if not readable and (not old or not sent):
        raise unprocessable("Required parameter 'domain' missing", **({} if old else _structured()))
    company = find_company(call.state.world.directory, sent)
    call.state.ledger.bill(call, organizations=[company.id] if company else [])
    if company:
        return {"organization": _shown(call, company)}
    return {"organization": None} if old else {}


def show(call: Call) -> Answer:
    """One company by id; an unknown one is null and free (unverified)."""
    own = read.object_ids([call.path["id"]])[0]
    company = call.state.world.directory.company_by_id.get(own)
    call.state.ledger.bill(call, organizations=[own] if company else [])
    extra: dict[str, object] = {
        "employee_metrics": [],
        "generic_org_insights": None,
        "show_intent": False,
        "detail_view_loaded": True,
    }
    return {"organization": _shown(call, company) | extra if company else None}


def bulk_enrich(call: Call) -> Answer:
    """Up to ten companies by domain, or by details, which win; misses are left out (unverified)."""
    details, domains = call.params.get("details"), read.texts(call.params, "domains")
    given = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    by_details = bool(given)
    keys = given or [{"domain": own} for own in domains]
    if not keys:
        raise bulk_refusal("INVALID_REQUEST", "invalid request, missing domains")
    if len(keys) > BULK_LIMIT:
        raise bulk_refusal("RECORD_LIMIT_EXCEEDED", "domain count cannot be more than 10")
    sent = [{name: value for name in IDENTIFIERS if (value := read.text(item, name))} for item in keys]
    companies = [find_company(call.state.world.directory, item) for item in sent]
    found = {company.id: company for company in companies if company}
    call.state.ledger.bill(call, organizations=list(found))
    different = len({tuple(sorted(item.items())) for item in sent})
    return {
        "status": "success",
        "error_code": None,
        "error_message": None,
        "total_requested_records": len(keys) if by_details else None,
        "unique_records": different if by_details else None,
        "total_requested_domains": None if by_details else len(keys),
        "unique_domains": None if by_details else different,
        "unique_enriched_records": len(found),
        "missing_records": sum(company is None for company in companies),
        "organizations": [_shown(call, company) for company in found.values()],
    }


def job_postings(call: Call) -> Answer:
    """A page of postings without a total; a page with something on it costs a credit (an empty one: unverified)."""
    own = read.object_ids([call.path["organization_id"]])[0]
    company = call.state.world.directory.company_by_id.get(own)
    page = page_of(call.params, ceiling=JOBS_CEILING)
    rows = cut(call, page, facts.job_postings(company)) if company else []
    call.state.ledger.bill(call, more=1 if rows else 0)
    return {"organization_job_postings": rows}


def news_matching(call: Call) -> list[dict[str, Any]]:
    """The news about any of the companies, the newest first."""
    ids = read.texts(call.params, "organization_ids")
    if not ids:
        raise unprocessable("organization_ids is required")
    known = call.state.world.directory.company_by_id
    categories = {text.lower() for text in read.texts(call.params, "categories")}
    dates = date_bounds(call.params, "published_at")
    companies = [known[own] for own in dict.fromkeys(read.object_ids(ids)) if own in known]
    found = [
        article
        for company in companies
        for article in facts.news_articles(company)
        if (not categories or categories & set(article["event_categories"])) and within(article["published_at"], dates)
    ]
    return sorted(found, key=lambda article: str(article["published_at"]), reverse=True)


def news(call: Call) -> Answer:
    """A page of news: one credit for every 25 rows begun."""
    page, found = page_of(call.params), news_matching(call)
    rows = cut(call, page, found)
    call.state.ledger.bill(call, more=-(-len(rows) // NEWS_BILLED))
    return {"pagination": pagination(page, len(found)), "news_articles": rows}


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
    world = call.state.world
    account = next(iter(world.accounts.find("organization_id", company.id)), None)
    linked = {"account_id": account["id"], "account": shown_account(world, account)} if account else {}
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
    Operation(
        "organizations_bulk_enrich", "POST", "/organizations/bulk_enrich", "api/v1/organizations/bulk_enrich",
        "organizations_bulk_enrich", bulk_enrich, ("domains", "details"), quota_class="enrichment_bulk",
    ),
    Operation(
        "organizations_show", "GET", "/organizations/{id}", "api/v1/organizations/show", "organization_read", show,
        quota_class="enrichment",
    ),
    Operation(
        "organizations_job_postings", "GET", "/organizations/{organization_id}/job_postings",
        "api/v1/organizations/job_postings", "organizations_job_posting", job_postings, ("page", "per_page"),
        quota_class="enrichment",
    ),
    Operation(
        "news_articles_search", "POST", "/news_articles/search", "api/v1/news_articles/search",
        "organizations_news_articles", news, ("organization_ids", "categories", "published_at", "page", "per_page"),
        quota_class="search",
    ),
)  # fmt: skip
