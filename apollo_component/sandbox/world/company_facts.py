"""Job postings and news of companies: they follow from the company, so nothing is kept."""

from functools import lru_cache
from typing import Any

from ..clock import offset_stamp
from ..ids import object_id
from ..world.directory import Company
from ..world.names import CITIES
from ..world.people_records import DAY, EPOCH

Record = dict[str, Any]

JOBS = ("Account Executive", "Backend Engineer", "Data Analyst", "IT Support Analyst", "Product Designer")
NEWS = {
    "hires": "{name} appoints a new head of sales",
    "investment": "{name} raises fresh money",
    "contract": "{name} wins a contract in {city}",
    "launch": "{name} presents a new product",
}


def job_count(company: Company) -> int:
    """How many postings are open: none at every fourth company, many at every fiftieth."""
    return 130 if company.number % 50 == 17 else company.number % 4 * (1 + company.number % 3)


@lru_cache(maxsize=2_000)
def job_postings(company: Company) -> tuple[Record, ...]:
    """The open postings of a company, the newest first."""
    return tuple(_posting(company, number) for number in range(job_count(company)))


def _posting(company: Company, number: int) -> Record:
    city = company.city if number % 3 else CITIES[(company.number + number) % len(CITIES)]
    own, moment = object_id(company.number, "job", number), EPOCH - (number + company.number % 30) * DAY
    return {
        "id": own,
        "title": JOBS[(company.number + number) % len(JOBS)],
        "url": f"https://{company.domain}/jobs/{own}",
        "city": city.name if number % 2 else None,
        "state": city.state if number % 2 else None,
        "country": city.country,
        "last_seen_at": offset_stamp(EPOCH),
        "posted_at": offset_stamp(moment),
    }


@lru_cache(maxsize=2_000)
def news_articles(company: Company) -> tuple[Record, ...]:
    """The news about a company, the newest first."""
    return tuple(_article(company, number) for number in range(3 + company.number % 9))


def _article(company: Company, number: int) -> Record:
    category = list(NEWS)[(company.number + number) % len(NEWS)]
    title = NEWS[category].format(name=company.name, city=company.city.name)
    own = object_id(company.number, "news", number)
    return {
        "id": own,
        "url": f"https://news.example/{own}",
        "domain": "news.example",
        "title": title,
        "snippet": f"{title}, the company said.",
        "organization_ids": [company.id],
        "published_at": offset_stamp(EPOCH - (number * 40 + company.number % 40) * DAY),
        "event_categories": [category],
    }


def funding_moment(company: Company) -> float | None:
    """When the last round closed, as the wide record tells it."""
    return EPOCH - company.number * DAY if company.funding_stage else None
