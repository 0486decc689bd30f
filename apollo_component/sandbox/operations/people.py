"""People search and people enrichment."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from .. import params as read
from .. import people_filters
from ..asynchronous import async_parts, check_async, has_waterfall, price
from ..errors import bad_id, bulk_refusal, unprocessable
from ..ids import is_object_id
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..paging import page_of
from ..searching import cut
from ..state_cache import cached
from ..word_list import words
from ..world import World
from ..world.directory import Person, hostname, profile
from ..world.people_records import thin_person, wide_person

BULK_LIMIT = 10
PLACEHOLDER = "email_not_unlocked@domain.com"
GDPR = {"Germany", "France", "Netherlands", "Sweden", "Spain", "United Kingdom"}
# Which of its other statuses Apollo shows as extrapolated here is unverified.
SHOW_STATUSES = {"verified": "verified", "likely to engage": "extrapolated", "unverified": "extrapolated"}

SEARCH_PARAMETERS = words(
    """person_titles include_similar_titles q_keywords person_locations person_seniorities
    organization_locations q_organization_domains_list contact_email_status organization_ids
    organization_num_employees_ranges revenue_range currently_using_all_of_technology_uids
    currently_using_any_of_technology_uids currently_not_using_any_of_technology_uids
    q_organization_job_titles organization_job_locations organization_num_jobs_range
    organization_job_posted_at_range page per_page person_not_titles q_person_name person_functions
    person_department_or_subdepartments person_total_yoe_range person_days_in_current_title_range
    organization_industry_tag_ids q_organization_keyword_tags q_not_organization_keyword_tags
    included_organization_keyword_fields organization_latest_funding_stage_cd total_funding_range
    latest_funding_amount_range latest_funding_date_range organization_founded_year_range
    organization_trading_status organization_department_or_subdepartment_counts"""
)
ASYNC_PARAMETERS = (
    "run_waterfall_email", "run_waterfall_phone", "reveal_personal_emails", "reveal_phone_number",
    "webhook_url", "poll_only",
)  # fmt: skip
MATCH_PARAMETERS = (
    "first_name", "last_name", "name", "email", "hashed_email", "organization_name", "domain", "id",
    "linkedin_url",
)  # fmt: skip


SHOWN = words(
    """id first_name last_name name linkedin_url title photo_url twitter_url github_url facebook_url
    extrapolated_email_confidence headline organization_id employment_history street_address city state country
    postal_code formatted_address time_zone"""
)


def people_matching(call: Call) -> Sequence[Person]:
    """Everyone a search finds; kept per filter set, as people never change."""
    people_filters.check(call.params)
    return cached(
        call.state,
        b"people" + people_filters.filter_key(call.params),
        lambda: people_filters.find_people(call.state.world.directory, call.params),
    )


def search(call: Call) -> Answer:
    page, found = page_of(call.params), people_matching(call)
    rows = [_thin(call, person) for person in cut(call, page, found)]
    return {"total_entries": len(found), "people": rows}


def _thin(call: Call, person: Person) -> orjson.Fragment:
    return cached(
        call.state,
        b"thin" + person.id.encode(),
        lambda: orjson.Fragment(orjson.dumps(thin_person(person))),
    )


def find_person(world: World, keys: Mapping[str, Any]) -> Person | None:
    """The person the identifiers mean, the strongest identifier first."""
    directory = world.directory
    if own := read.text(keys, "id"):
        return directory.by_id.get(own)
    if email := read.text(keys, "email").lower():
        return directory.by_email.get(email)
    if digest := read.text(keys, "hashed_email").lower():
        return directory.by_hashed_email.get(digest)
    if url := read.text(keys, "linkedin_url"):
        return directory.by_linkedin.get(profile(url))
    return _by_name(world, keys)


def _by_name(world: World, keys: Mapping[str, Any]) -> Person | None:
    """By name with employer; a name alone finds nobody (Apollo may answer a stub then)."""
    joined = f"{read.text(keys, 'first_name')} {read.text(keys, 'last_name')}"
    name = (read.text(keys, "name") or joined).strip().lower()
    domain, employer = hostname(read.text(keys, "domain")), read.text(keys, "organization_name").lower()
    if not (domain or employer):
        return None
    return next(
        (
            person
            for person in world.directory.by_name.get(name, ())
            if person.company.domain == domain or person.company.name.lower() == employer
        ),
        None,
    )


def shown(world: World, person: Person) -> dict[str, Any]:
    """The wide record with the links to the team's own contact and account."""
    record = wide_person(person)
    if contacts := world.contacts.find("person_id", person.id):
        record |= {"contact_id": contacts[0]["id"], "contact": contacts[0]}
        if account := world.accounts.get(contacts[0]["account_id"] or ""):
            record |= {"account_id": account["id"], "account": shown_account(world, account)}
    return record


def match(call: Call) -> Answer:
    check_async(call.params)
    own = read.text(call.params, "id")
    if own and not is_object_id(own):
        raise bad_id(own)  # unverified for this operation: the general refusal of malformed ids
    person = find_person(call.state.world, call.params)
    found = [person] if person else []
    _bill(call, found)
    answer: Answer = {"person": enriched(call, person) if person else None}
    return answer | async_parts(call, found)


def _bill(call: Call, found: list[Person]) -> int:
    """One credit per person, and with `bill_on: accept` what the asynchronous part will cost."""
    later = call.state.settings.bill_on == "deliver"
    more = 0 if later else price(call.params, found)
    return call.state.ledger.bill(call, people=[person.id for person in found], more=more) - more


def enriched(call: Call, person: Person) -> dict[str, Any]:
    """The wide record; personal addresses on request, outside of the GDPR regions."""
    record = shown(call.state.world, person)
    if read.flag(call.params, "reveal_personal_emails"):
        private = f"{person.first}.{person.last}.{person.number}@mail.example".lower()
        record["personal_emails"] = [] if person.city.country in GDPR else [private]
    return record


def bulk_match(call: Call) -> Answer:
    details = call.params.get("details")
    if not isinstance(details, list) or not details:
        raise bulk_refusal("INVALID_REQUEST", "invalid request, missing details")
    if len(details) > BULK_LIMIT:
        raise bulk_refusal("RECORD_LIMIT_EXCEEDED", "cannot enrich more than 10 in a single request")
    check_async(call.params)
    world = call.state.world
    people = [find_person(world, keys) if isinstance(keys, dict) else None for keys in details]
    found = [person for person in people if person]
    cost = _bill(call, found)
    matches = [enriched(call, person) if person else None for person in people]
    counts: Answer = {
        "unique_enriched_records": len({person.id for person in found}),
        "missing_records": len(details) - len(found),
        "credits_consumed": float(cost),  # without the asynchronous part, whose payload tells its own
    }
    if has_waterfall(call.params):  # the counters are absent then, and the addresses come later
        counts = {}
    if read.flag(call.params, "run_waterfall_email"):
        hidden = ("email", "email_status")
        matches = [m and {name: value for name, value in m.items() if name not in hidden} for m in matches]
    return {
        "status": "success",
        "error_code": None,
        "error_message": None,
        "total_requested_enrichments": len(details),
        **counts,
        "matches": matches,
        **async_parts(call, found),
    }


def show(call: Call) -> Answer:
    """One person without what a reveal would tell: a verified address is the documented placeholder."""
    own = call.path["id"]
    if not is_object_id(own):
        raise bad_id(own)
    world = call.state.world
    person = world.directory.by_id.get(own)
    if person is None:
        raise unprocessable("Person does not exist.")
    call.state.ledger.bill(call, people=[own])
    wide = wide_person(person)
    record = {name: wide[name] for name in SHOWN}
    record["email_status"] = SHOW_STATUSES.get(person.email_status, "unavailable")
    contacts = world.contacts.find("person_id", own)
    if contacts:
        more = {"contact_id": contacts[0]["id"], "revealed_for_current_team": True}
        return {"person": record | more | {"email": contacts[0]["email"]}}
    return {"person": record | {"email": PLACEHOLDER if record["email_status"] == "verified" else None}}


PEOPLE = (
    Operation(
        "people_api_search",
        "POST",
        "/mixed_people/api_search",
        "api/v1/mixed_people/api_search",
        "mixed_people_api_search",
        search,
        SEARCH_PARAMETERS,
        quota_class="search",
    ),
    Operation(
        "people_match",
        "POST",
        "/people/match",
        "api/v1/people/match",
        "people_match",
        match,
        (*MATCH_PARAMETERS, *ASYNC_PARAMETERS),
        quota_class="enrichment",
        also=("GET",),
    ),
    Operation(
        "people_bulk_match",
        "POST",
        "/people/bulk_match",
        "api/v1/people/bulk_match",
        "people_bulk_match",
        bulk_match,
        (*ASYNC_PARAMETERS, "details"),
        quota_class="enrichment_bulk",
    ),
    Operation(
        "people_show",
        "GET",
        "/people/{id}",
        "api/v1/people/show",
        "person_read",
        show,
        quota_class="enrichment",
    ),
)
