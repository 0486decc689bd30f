"""Company search, which answers with companies and saved accounts in two arrays."""

import orjson

from .. import company_filters
from ..operation import Answer, Call, Operation
from ..operations.accounts import over_company
from ..operations.accounts import shown as shown_account
from ..paging import baggage, page_of, pagination
from ..searching import cut
from ..state_cache import cached
from ..word_list import words
from ..world.directory import Company
from ..world.people_records import wide_organization

PARAMETERS = words(
    """q_organization_domains_list organization_num_employees_ranges organization_locations
    organization_not_locations revenue_range currently_using_any_of_technology_uids q_organization_keyword_tags
    q_organization_name organization_ids latest_funding_amount_range total_funding_range latest_funding_date_range
    q_organization_job_titles organization_job_locations organization_num_jobs_range
    organization_job_posted_at_range page per_page"""
)
CRUMBS = {
    "organization_num_employees_ranges": "# Employees",
    "organization_locations": "Company Locations",
    "q_organization_name": "Company Name",
    "q_organization_keyword_tags": "Company Keywords",
}
SHOWN = words(
    """id name website_url blog_url angellist_url linkedin_url twitter_url facebook_url primary_phone languages
    alexa_ranking phone linkedin_uid founded_year publicly_traded_symbol publicly_traded_exchange logo_url
    crunchbase_url primary_domain owned_by_organization_id sanitized_phone show_intent has_intent_signal_account
    intent_signal_account intent_strength organization_revenue organization_revenue_printed sic_codes naics_codes
    organization_headcount_six_month_growth organization_headcount_twelve_month_growth
    organization_headcount_twenty_four_month_growth"""
)


def matching(call: Call) -> tuple[Company, ...]:
    """Every company a search finds; kept per filter set, as companies never change."""
    company_filters.check(call.params)
    kept = {name: call.params[name] for name in company_filters.FILTERS if name in call.params}
    key = b"companies" + orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    directory = call.state.world.directory
    return cached(call.state, key, lambda: company_filters.find_companies(directory.companies, call.params))


def search(call: Call) -> Answer:
    """One credit a page; an empty page is free."""
    page, found, world = page_of(call.params), matching(call), call.state.world
    rows = cut(call, page, found)
    call.state.ledger.bill(call, more=1 if rows else 0)
    accounts, organizations = [], []
    for company in rows:
        saved = world.accounts.find("organization_id", company.id)
        if saved:
            accounts.append(over_company(_row(company), shown_account(world, saved[0])))
        else:
            organizations.append(_row(company))
    return {
        **baggage(call.params, CRUMBS),
        "pagination": pagination(page, len(found)),
        "accounts": accounts,
        "organizations": organizations,
        "model_ids": [company.id for company in rows],  # unverified: for an account, its company's id
        "derived_params": {},
    }


def _row(company: Company) -> dict[str, object]:
    wide = wide_organization(company)
    return {name: wide[name] for name in SHOWN}


COMPANY_SEARCH = (
    Operation(
        "mixed_companies_search", "POST", "/mixed_companies/search", "api/v1/mixed_companies/search",
        "mixed_companies_search", search, PARAMETERS, quota_class="search",
    ),
)  # fmt: skip
