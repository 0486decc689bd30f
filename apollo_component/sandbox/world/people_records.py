"""Records of people and companies as the API shows them: thin in searches, wide in enrichment."""

from functools import lru_cache
from typing import Any

from ..clock import offset_stamp, stamp
from ..ids import object_id
from ..world.directory import Company, Person
from ..world.names import TECHNOLOGIES

EPOCH = 1_788_220_800.0  # 2026-09-01T00:00:00Z: the made-up past ends here, so that it never depends on today
DAY = 86_400.0
MAYBE_PHONE = "Maybe: please request direct dial via people/bulk_match"

Record = dict[str, Any]


def obfuscated(last_name: str) -> str:
    """The first two letters, asterisks and the last one, as `Hu***n`."""
    return f"{last_name[:2]}***{last_name[-1:]}"


def thin_person(person: Person) -> Record:
    """One row of people search: no address, no last name, only hints of what enrichment would tell."""
    company = person.company
    return {
        "id": person.id,
        "first_name": person.first,
        "last_name_obfuscated": obfuscated(person.last),
        "title": person.role.title,
        "last_refreshed_at": offset_stamp(EPOCH - person.number % 90 * DAY + person.number % 997 / 1000),
        "has_email": person.email is not None,
        "has_city": True,
        "has_state": True,
        "has_country": True,
        "has_direct_phone": "Yes" if person.direct_phone else MAYBE_PHONE,
        "organization": {
            "name": company.name,
            "has_industry": True,
            "has_phone": company.number % 3 == 0,
            "has_city": True,
            "has_state": True,
            "has_country": True,
            "has_zip_code": company.number % 2 == 0,
            "has_revenue": company.revenue > 0,
            "has_employee_count": True,
        },
    }


def wide_person(person: Person) -> Record:
    """One person as enrichment tells it, without the links to the team's own contact."""
    role, city = person.role, person.city
    return {
        "id": person.id,
        "first_name": person.first,
        "last_name": person.last,
        "name": person.name,
        "linkedin_url": person.linkedin_url,
        "title": role.title,
        "email_status": person.email_status,
        "photo_url": None,
        "twitter_url": None,
        "github_url": None,
        "facebook_url": None,
        # Now and then a number comes as text (a third party saw it; which fields do so is unverified).
        "extrapolated_email_confidence": "0.62" if person.email_status == "likely to engage" else None,
        "headline": f"{role.title} at {person.company.name}",
        "email": person.email,
        "organization_id": person.company.id,
        "employment_history": [_employment(person)],
        "state": city.state,
        "city": city.name,
        "country": city.country,
        "street_address": None,
        "postal_code": None,
        "formatted_address": f"{city.name}, {city.state}, {city.country}",
        "time_zone": city.time_zone,
        "organization": wide_organization(person.company),
        "is_likely_to_engage": person.email_status == "likely to engage",
        "show_intent": False,
        "departments": [role.department],
        "subdepartments": [],
        "functions": [role.function],
        "seniority": role.seniority,
        "revealed_for_current_team": True,
        "intent_strength": None,
        "email_domain_catchall": False,
    }


def _employment(person: Person) -> Record:
    own_id = object_id(person.number, "employment", 0)
    empty = ("created_at", "degree", "description", "emails", "end_date", "grade_level", "kind", "major")
    return {
        "_id": own_id,
        **dict.fromkeys(empty),
        "current": True,
        "organization_id": person.company.id,
        "organization_name": person.company.name,
        "raw_address": None,
        "start_date": f"{2012 + person.number % 13}-{1 + person.number % 12:02d}-01",
        "title": person.role.title,
        "updated_at": None,
        "id": own_id,
        "key": own_id,
    }


def _technologies(company: Company) -> list[Record]:
    return [
        {"uid": uid, "name": name, "category": category}
        for uid, name, category in TECHNOLOGIES
        if uid in company.technologies
    ]


def _money(amount: int) -> str:
    return f"{amount / 1_000_000:.1f}M"


@lru_cache(maxsize=20_000)
def wide_organization(company: Company) -> Record:
    """One company as enrichment tells it; shared between answers, so never changed."""
    city, trade = company.city, company.trade
    technologies = _technologies(company)
    tag = object_id(0, f"industry/{trade.name}", 0)
    revenue: int | str = str(company.revenue) if company.number % 17 == 5 else company.revenue
    refreshed = stamp(EPOCH - company.number * DAY) if company.funding_stage else None
    return {
        "id": company.id,
        "name": company.name,
        "website_url": f"http://www.{company.domain}",
        "blog_url": None,
        "angellist_url": None,
        "linkedin_url": company.linkedin_url,
        "twitter_url": None,
        "facebook_url": None,
        "primary_phone": {},
        "languages": ["English"],
        "num_languages": 1,
        "alexa_ranking": None,
        "phone": None,
        "linkedin_uid": str(10_000_000 + company.number),
        "founded_year": str(company.founded) if company.number % 13 == 7 else company.founded,
        "publicly_traded_symbol": None,
        "publicly_traded_exchange": None,
        "logo_url": None,
        "crunchbase_url": None,
        "primary_domain": company.domain,
        "industry": trade.name,
        "keywords": list(trade.keywords),
        "estimated_num_employees": company.headcount,
        "industries": [trade.name],
        "secondary_industries": [],
        "snippets_loaded": True,
        "industry_tag_id": tag,
        "industry_tag_hash": {trade.name: tag},
        "retail_location_count": 0,
        "num_retail_locations": 0,
        "raw_address": f"1 Example Street, {city.name}, {city.state}, {city.country}",
        "street_address": "1 Example Street",
        "city": city.name,
        "state": city.state,
        "postal_code": None,
        "country": city.country,
        "owned_by_organization_id": None,
        "seo_description": f"{company.name} is a made-up company.",
        "short_description": f"{company.name} works in {trade.name}.",
        "suborganizations": [],
        "num_suborganizations": 0,
        "annual_revenue_printed": _money(company.revenue),
        "annual_revenue": revenue,
        "total_funding": company.total_funding,
        "total_funding_printed": _money(company.total_funding) if company.total_funding else None,
        "latest_funding_round_date": refreshed,
        "latest_funding_stage": company.funding_stage,
        "funding_events": [],
        "technology_names": [entry["name"] for entry in technologies],
        "current_technologies": technologies,
        "org_chart_root_people_ids": [],
        "org_chart_sector": "OrgChart::SectorHierarchy::Rules::Default",
        "org_chart_removed": False,
        "org_chart_show_department_filter": True,
        "departmental_head_count": {"engineering": company.headcount // 3, "sales": company.headcount // 5},
        "organization_headcount_six_month_growth": 0.04,
        "organization_headcount_twelve_month_growth": None,
        "organization_headcount_twenty_four_month_growth": None,
        "organization_revenue": company.revenue,
        "organization_revenue_printed": _money(company.revenue),
        "sic_codes": [],
        "naics_codes": [],
        "market_cap": None,
        "sanitized_phone": None,
        "intent_strength": None,
        "show_intent": False,
        "has_intent_signal_account": False,
        "intent_signal_account": None,
    }
