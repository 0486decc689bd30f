"""People search and people enrichment."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson

from .. import params as read
from .. import people_filters
from ..asynchronous import async_parts, check_async, has_waterfall, price
from ..errors import bad_id, bulk_refusal, unprocessable
from ..ids import is_object_id, signed_int64
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..paging import page_of
from ..searching import cut
from ..state_cache import cached
from ..word_list import words
from ..world import World
from ..world.directory import Person, hostname, profile
from ..world.people_records import thin_person, wide_organization, wide_person

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
STUB_NULLS = words(
    """email_status extrapolated_email_confidence facebook_url first_name github_url headline intent_strength
    last_name linkedin_url organization_id photo_url seniority title twitter_url"""
)

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


class Match(NamedTuple):
    """A person and how sure the match is: "high", "medium" or "low"."""

    person: Person
    confidence: str

    @property
    def has_data(self) -> bool:
        """A weak match of a person without an address brings a name and nothing else (made up)."""
        return self.confidence != "low" or self.person.email is not None


def find_match(world: World, keys: Mapping[str, Any]) -> Match | None:
    """The person the identifiers mean, the strongest identifier first.

    The four confidences are documented, what leads to which is made up: an id, an address, its hash and a LinkedIn
    profile are high, a name with the employer's domain is medium, a name with the employer's name low. A name alone
    finds nobody.
    """
    directory = world.directory
    sure: tuple[tuple[str, Callable[[str], Person | None]], ...] = (
        ("id", directory.by_id.get),
        ("email", lambda email: directory.by_email.get(email.lower())),
        ("hashed_email", lambda digest: directory.by_hashed_email.get(digest.lower())),
        ("linkedin_url", lambda url: directory.by_linkedin.get(profile(url))),
    )
    for name, look_up in sure:
        if sent := read.text(keys, name):
            found = look_up(sent)
            return Match(found, "high") if found else None
    return _match_by_name(world, keys)


def _match_by_name(world: World, keys: Mapping[str, Any]) -> Match | None:
    joined = f"{read.text(keys, 'first_name')} {read.text(keys, 'last_name')}"
    namesakes = world.directory.by_name.get((read.text(keys, "name") or joined).strip().lower(), [])
    domain, employer = hostname(read.text(keys, "domain")), read.text(keys, "organization_name").lower()
    by_domain = (Match(one, "medium") for one in namesakes if domain and one.company.domain == domain)
    by_employer = (Match(one, "low") for one in namesakes if employer and one.company.name.lower() == employer)
    return next(chain(by_domain, by_employer), None)


def stub(call: Call, keys: Mapping[str, Any]) -> dict[str, Any]:
    """What is answered for a person Apollo doesn't know: a new id and the address as it was sent (recorded).

    Before autumn 2026 it told no `match_confidence` and no company of the address's domain.
    """
    email = read.text(keys, "email")
    record: dict[str, Any] = {
        **dict.fromkeys(STUB_NULLS),
        **{name: [] for name in ("employment_history", "departments", "subdepartments", "functions")},
        "id": call.state.world.new_id("stub"),
        "name": "",
        "email": email or None,
        "revealed_for_current_team": True,
        "show_intent": False,
        "email_domain_catchall": False,
    }
    if call.state.settings.dialect == "old":
        return record
    company = call.state.world.directory.company_by_domain.get(email.lower().rpartition("@")[2])
    return record | {"match_confidence": "none"} | ({"organization": wide_organization(company)} if company else {})


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
    found = find_match(call.state.world, call.params)
    matches = [found] if found else []
    _bill(call, matches)
    if found:
        return {"person": enriched(call, found)} | async_parts(call, [found.person])
    world = call.state.world
    world.made["lookup"] += 1
    # below the ids of promised results, which count upwards from 0
    answer: Answer = {"person": stub(call, call.params), "request_id": signed_int64(world.seed, -world.made["lookup"])}
    return answer | async_parts(call, [])


def _bill(call: Call, found: list[Match]) -> int:
    """One credit per person with data, and with `bill_on: accept` what the asynchronous part will cost."""
    later = call.state.settings.bill_on == "deliver"
    more = 0 if later else price(call.params, [one.person for one in found])
    billed = [one.person.id for one in found if one.has_data]
    return call.state.ledger.bill(call, people=billed, more=more) - more


def enriched(call: Call, found: Match) -> dict[str, Any]:
    """The wide record; personal addresses on request, outside of the GDPR regions."""
    person, sureness = found.person, {"match_confidence": found.confidence}
    if not found.has_data:
        named = {"id": person.id, "first_name": person.first, "last_name": person.last, "name": person.name}
        return stub(call, {}) | named | sureness
    record = shown(call.state.world, person) | sureness
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
    asked: list[dict[str, Any]] = [keys if isinstance(keys, dict) else {} for keys in details]
    people = [find_match(world, keys) for keys in asked]
    different = list({one.person.id: one for one in people if one}.values())
    cost = _bill(call, different)  # someone asked for twice in one request costs once
    matches = [enriched(call, one) if one else None for one in people]
    counts: Answer = {
        "unique_enriched_records": sum(one.has_data for one in different),
        "missing_records": people.count(None),
        "credits_consumed": float(cost),  # without the asynchronous part, whose payload tells its own
    }
    if has_waterfall(call.params):  # the counters are absent then, nobody is null, and the addresses come later
        counts = {}
        matches = [match or stub(call, keys) for match, keys in zip(matches, asked, strict=True)]
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
        **async_parts(call, [one.person for one in different]),
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
