"""The filters of people search, one small function each; a name that is not in the table is ignored."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from . import params as read
from .company_filters import EMPLOYER_FILTERS, bands_of, bounds, employer_test
from .errors import invalid_parameters, range_as_string
from .world.directory import Directory, Person, hostname

Test = Callable[[Person], bool]
Params = Mapping[str, Any]

ABBREVIATIONS = {
    "ceo": "chief executive officer",
    "cto": "chief technology officer",
    "cfo": "chief financial officer",
    "cmo": "chief marketing officer",
    "coo": "chief operating officer",
    "vp": "vice president",
    "sr": "senior",
    "sdr": "sales development representative",
}
SMALL_WORDS = {"of", "and", "the", "for"}
RANGES = (
    "revenue_range", "organization_num_jobs_range", "organization_job_posted_at_range", "person_total_yoe_range",
    "person_days_in_current_title_range", "total_funding_range", "latest_funding_amount_range",
    "latest_funding_date_range", "organization_founded_year_range",
)  # fmt: skip


def words(title: str) -> frozenset[str]:
    """The meaningful words of a title, abbreviations spelt out."""
    plain = re.findall(r"[a-z0-9]+", title.lower())
    spelt = " ".join(ABBREVIATIONS.get(word, word) for word in plain).split()
    return frozenset(spelt) - SMALL_WORDS


def _titles(params: Params) -> Test | None:
    wanted = read.texts(params, "person_titles")
    if not wanted:
        return None
    if not read.flag(params, "include_similar_titles", default=True):
        exact = {title.strip().lower() for title in wanted}
        return lambda person: person.role.title.lower() in exact
    return _similar(wanted)


def _similar(wanted: Iterable[str]) -> Test:
    sets = [found for title in wanted if (found := words(title))]
    known: dict[str, bool] = {}

    def matches(person: Person) -> bool:
        title = person.role.title
        if title not in known:
            have = words(title)
            known[title] = any(want <= have for want in sets)
        return known[title]

    return matches


def _seniorities(params: Params) -> Test | None:
    """Compared as sent: "VP" finds nobody, "vp" does (seen live)."""
    wanted = set(read.texts(params, "person_seniorities"))
    return (lambda person: person.role.seniority in wanted) if wanted else None


def _not_titles(params: Params) -> Test | None:
    wanted = read.texts(params, "person_not_titles")
    if not wanted:
        return None
    similar = _similar(wanted)
    return lambda person: not similar(person)


def _any_of(name: str, value: Callable[[Person], str | None]) -> Callable[[Params], Test | None]:
    def build(params: Params) -> Test | None:
        wanted = {text.strip().lower() for text in read.texts(params, name)}
        return (lambda person: value(person) in wanted) if wanted else None

    return build


def _place(name: str, of: Callable[[Person], frozenset[str]]) -> Callable[[Params], Test | None]:
    """A location is a city, a state or a country, or several of them with commas."""

    def build(params: Params) -> Test | None:
        wanted = [
            {part.strip().lower() for part in text.split(",") if part.strip()} for text in read.texts(params, name)
        ]
        return (lambda person: any(parts <= of(person) for parts in wanted)) if wanted else None

    return build


def _company_ids(params: Params) -> Test | None:
    wanted = set(read.object_ids(read.texts(params, "organization_ids")))
    return (lambda person: person.company.id in wanted) if wanted else None


def _domains(params: Params) -> Test | None:
    wanted = {hostname(text) for text in read.texts(params, "q_organization_domains_list")}
    return (lambda person: person.company.domain in wanted) if wanted else None


def _bands(params: Params) -> Test | None:
    bands = bands_of(read.texts(params, "organization_num_employees_ranges"))
    if not bands:
        return None
    return lambda person: any(low <= person.company.headcount <= high for low, high in bands)


def _range(name: str, value: Callable[[Person], int]) -> Callable[[Params], Test | None]:
    def build(params: Params) -> Test | None:
        between = bounds(params, name)
        return (lambda person: between[0] <= value(person) <= between[1]) if between else None

    return build


def _keywords(params: Params) -> Test | None:
    wanted = read.text(params, "q_keywords").lower().split()
    return (lambda person: all(word in haystack(person) for word in wanted)) if wanted else None


def haystack(person: Person) -> str:
    """What a free-text search of people looks at."""
    company = person.company
    parts = (person.name, person.role.title, company.name, company.trade.name, *company.trade.keywords)
    return " ".join(parts).lower()


def _person_name(params: Params) -> Test | None:
    wanted = read.text(params, "q_person_name").lower().split()
    return (lambda person: all(word in person.name.lower() for word in wanted)) if wanted else None


def _tools(name: str, agree: Callable[[set[str], frozenset[str]], bool]) -> Callable[[Params], Test | None]:
    def build(params: Params) -> Test | None:
        wanted = set(read.texts(params, name))
        return (lambda person: agree(wanted, person.company.technologies)) if wanted else None

    return build


FILTERS: dict[str, Callable[[Params], Test | None]] = {
    "person_seniorities": _seniorities,
    "person_titles": _titles,
    "person_not_titles": _not_titles,
    "q_person_name": _person_name,
    "person_functions": _any_of("person_functions", lambda person: person.role.function),
    "person_department_or_subdepartments": _any_of(
        "person_department_or_subdepartments", lambda person: person.role.department
    ),
    "person_locations": _place("person_locations", lambda person: person.city.words),
    "organization_locations": _place("organization_locations", lambda person: person.company.city.words),
    "organization_ids": _company_ids,
    "q_organization_domains_list": _domains,
    "organization_num_employees_ranges": _bands,
    "contact_email_status": _any_of("contact_email_status", lambda person: person.email_status),
    "revenue_range": _range("revenue_range", lambda person: person.company.revenue),
    "total_funding_range": _range("total_funding_range", lambda person: person.company.total_funding),
    "organization_founded_year_range": _range("organization_founded_year_range", lambda person: person.company.founded),
    "currently_using_all_of_technology_uids": _tools(
        "currently_using_all_of_technology_uids", lambda want, have: want <= have
    ),
    "currently_using_any_of_technology_uids": _tools(
        "currently_using_any_of_technology_uids", lambda want, have: bool(want & have)
    ),
    "currently_not_using_any_of_technology_uids": _tools(
        "currently_not_using_any_of_technology_uids", lambda want, have: not want & have
    ),
    "q_keywords": _keywords,
}


def check(params: Params) -> None:
    """The refusals people search is known for."""
    if any(isinstance(params.get(name), str) for name in RANGES):
        raise range_as_string()
    if params.get("q_organization_domains") and params.get("q_organization_domains_list"):
        raise invalid_parameters()
    read.object_ids(read.texts(params, "organization_industry_tag_ids"))


def find_people(directory: Directory, params: Params) -> tuple[Person, ...]:
    """Everyone who passes every filter that is understood."""
    tests = [test for build in FILTERS.values() if (test := build(params))]
    employers = employer_test(directory.companies, params)
    if employers is not None:
        tests.append(lambda person: person.company.id in employers)
    if not tests:
        return directory.people
    return tuple(person for person in directory.people if all(test(person) for test in tests))


def filter_key(params: Params) -> bytes:
    """The same bytes for the same filters, whatever page is asked for."""
    names = (*FILTERS, *EMPLOYER_FILTERS, "include_similar_titles")
    return orjson.dumps({name: params[name] for name in names if name in params}, option=orjson.OPT_SORT_KEYS)
