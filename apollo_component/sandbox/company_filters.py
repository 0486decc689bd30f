"""The filters of company search, which people search applies to employers, too."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from . import params as read
from .errors import range_as_string
from .ids import object_id
from .searching import date_bounds, within
from .world.company_facts import funding_moment, job_count, job_postings
from .world.directory import Company, hostname

Test = Callable[[Company], bool]
Params = Mapping[str, Any]
Builder = Callable[[Params], Test | None]

RANGES = (
    "revenue_range", "latest_funding_amount_range", "total_funding_range", "latest_funding_date_range",
    "organization_num_jobs_range", "organization_job_posted_at_range",
)  # fmt: skip


def industry_tag(company: Company) -> str:
    """The id behind an industry, as the wide record carries it."""
    return object_id(0, f"industry/{company.trade.name}", 0)


def _place(name: str, *, wanted: bool) -> Builder:
    """A location is a city, a state or a country, or several of them with commas."""

    def build(params: Params) -> Test | None:
        places = [{part.strip().lower() for part in text.split(",") if part.strip()} for text in _texts(params, name)]
        return (lambda one: any(parts <= one.city.words for parts in places) == wanted) if places else None

    return build


def _texts(params: Params, name: str) -> list[str]:
    return read.texts(params, name)


def _ids(params: Params) -> Test | None:
    wanted = set(read.object_ids(_texts(params, "organization_ids")))
    return (lambda one: one.id in wanted) if wanted else None


def _tags(params: Params) -> Test | None:
    wanted = set(read.object_ids(_texts(params, "organization_industry_tag_ids")))
    return (lambda one: industry_tag(one) in wanted) if wanted else None


def _domains(params: Params) -> Test | None:
    wanted = {hostname(text) for text in _texts(params, "q_organization_domains_list")}
    return (lambda one: one.domain in wanted) if wanted else None


def _name(params: Params) -> Test | None:
    wanted = read.text(params, "q_organization_name").lower()
    return (lambda one: wanted in one.name.lower()) if wanted else None


def _bands(params: Params) -> Test | None:
    bands = bands_of(_texts(params, "organization_num_employees_ranges"))
    return (lambda one: any(low <= one.headcount <= high for low, high in bands)) if bands else None


def bands_of(texts: Iterable[str]) -> list[tuple[float, float]]:
    """Reads "11,50" and "10001,"; any other form, such as "1-10", is ignored, as Apollo was seen to do."""
    pairs = [(low.strip(), high.strip()) for low, comma, high in (text.partition(",") for text in texts) if comma]
    return [(int(low or 0), int(high) if high else math.inf) for low, high in pairs if f"{low}{high}".isdecimal()]


def bounds(params: Params, name: str) -> tuple[float, float] | None:
    """Reads {"min": 1, "max": 9}, whose numbers may be texts."""
    sent = params.get(name)
    if not isinstance(sent, dict):
        return None
    low, high = read.integer(sent.get("min")), read.integer(sent.get("max"))
    return -math.inf if low is None else low, math.inf if high is None else high


def _number(name: str, value: Callable[[Company], float]) -> Builder:
    def build(params: Params) -> Test | None:
        between = bounds(params, name)
        return (lambda one: between[0] <= value(one) <= between[1]) if between else None

    return build


def _keywords(name: str, *, wanted: bool) -> Builder:
    """Any of the tags is an industry or a keyword of the company."""

    def build(params: Params) -> Test | None:
        tags = {text.strip().lower() for text in _texts(params, name)}
        return (lambda one: bool(tags & {one.trade.name, *one.trade.keywords}) == wanted) if tags else None

    return build


def _tools(params: Params) -> Test | None:
    wanted = set(_texts(params, "currently_using_any_of_technology_uids"))
    return (lambda one: bool(wanted & one.technologies)) if wanted else None


def _job_titles(params: Params) -> Test | None:
    wanted = [text.lower() for text in _texts(params, "q_organization_job_titles")]
    if not wanted:
        return None
    return lambda one: any(text in posting["title"].lower() for posting in job_postings(one) for text in wanted)


def _job_places(params: Params) -> Test | None:
    wanted = {text.lower() for text in _texts(params, "organization_job_locations")}
    names = ("city", "state", "country")
    if not wanted:
        return None
    return lambda one: any(wanted & {str(job[name]).lower() for name in names} for job in job_postings(one))


def _job_dates(params: Params) -> Test | None:
    dates = date_bounds(params, "organization_job_posted_at_range")
    if dates == (None, None):
        return None
    return lambda one: any(within(posting["posted_at"], dates) for posting in job_postings(one))


def _funding_dates(params: Params) -> Test | None:
    dates = date_bounds(params, "latest_funding_date_range")
    if dates == (None, None):
        return None
    return lambda one: (at := funding_moment(one)) is not None and within(datetime.fromtimestamp(at, UTC), dates)


EMPLOYER_FILTERS: dict[str, Builder] = {
    "q_organization_job_titles": _job_titles,
    "organization_job_locations": _job_places,
    "organization_num_jobs_range": _number("organization_num_jobs_range", job_count),
    "organization_job_posted_at_range": _job_dates,
    "organization_industry_tag_ids": _tags,
    "q_organization_keyword_tags": _keywords("q_organization_keyword_tags", wanted=True),
    "q_not_organization_keyword_tags": _keywords("q_not_organization_keyword_tags", wanted=False),
    # the size of a round is not part of the made-up world: the total stands for it
    "latest_funding_amount_range": _number("latest_funding_amount_range", lambda one: one.total_funding),
    "latest_funding_date_range": _funding_dates,
}
FILTERS: dict[str, Builder] = {
    **{name: build for name, build in EMPLOYER_FILTERS.items() if name != "q_not_organization_keyword_tags"},
    "q_organization_domains_list": _domains,
    "organization_num_employees_ranges": _bands,
    "organization_locations": _place("organization_locations", wanted=True),
    "organization_not_locations": _place("organization_not_locations", wanted=False),
    "revenue_range": _number("revenue_range", lambda one: one.revenue),
    "total_funding_range": _number("total_funding_range", lambda one: one.total_funding),
    "currently_using_any_of_technology_uids": _tools,
    "q_organization_name": _name,
    "organization_ids": _ids,
}


def check(params: Params) -> None:
    """A range sent as text is refused."""
    if any(isinstance(params.get(name), str) for name in RANGES):
        raise range_as_string()


def find_companies(companies: Iterable[Company], params: Params) -> tuple[Company, ...]:
    """Every company that passes every filter that is understood."""
    tests = [test for build in FILTERS.values() if (test := build(params))]
    return tuple(one for one in companies if all(test(one) for test in tests))


def employer_test(companies: Iterable[Company], params: Params) -> frozenset[str] | None:
    """The ids of the employers people search may find people at, or None when it does not matter."""
    tests = [test for build in EMPLOYER_FILTERS.values() if (test := build(params))]
    if not tests:
        return None
    return frozenset(one.id for one in companies if all(test(one) for test in tests))
