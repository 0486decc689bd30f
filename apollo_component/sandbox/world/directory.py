"""Apollo's database of people and companies: made once from the seed, then only read."""

import hashlib
from functools import cached_property
from random import Random
from typing import NamedTuple, TypeVar

from ..ids import object_id
from ..world import names
from ..world.names import City, Role, Trade

T = TypeVar("T")

PEOPLE_PER_COMPANY = 7
MIN_COMPANIES = 300
NAME_STEP = 907  # coprime with the number of two-word names, so that neighbours look unrelated
GENERATIONS = ("", " Group", " Partners", " Holdings", " Europe", " Collective", " International", " Studio")


class Company(NamedTuple):
    """One made-up company."""

    number: int
    id: str
    name: str
    domain: str
    trade: Trade
    headcount: int
    revenue: int
    founded: int
    city: City
    technologies: frozenset[str]
    funding_stage: str | None
    total_funding: int
    linkedin_url: str


class Person(NamedTuple):
    """One made-up person; `email` is None when Apollo has none."""

    number: int
    id: str
    first: str
    last: str
    role: Role
    city: City
    company: Company
    email: str | None
    email_status: str
    direct_phone: bool

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def linkedin_url(self) -> str:
        return f"http://www.linkedin.com/in/sandbox-{self.first}-{self.last}-{self.number:x}".lower()


class Directory:
    """All people and companies with the look-ups that enrichment needs, each built when first used."""

    def __init__(self, seed: int, people: int) -> None:
        rng = Random(seed)
        count = max(MIN_COMPANIES, people // PEOPLE_PER_COMPANY)
        staff = -(-people // count)
        self.companies = tuple(_company(seed, number, staff, rng) for number in range(count))
        self.by_email: dict[str, Person] = {}
        self.people = tuple(self._person(seed, number, rng) for number in range(people))

    def _person(self, seed: int, number: int, rng: Random) -> Person:
        company = self.companies[number % len(self.companies)]
        first = _pick(names.FIRST_NAMES, rng)
        last = _pick(names.LAST_NAMES, rng)
        slot = min(number // len(self.companies), len(names.ROLES) - 1)
        status = _email_status(rng.random())
        email = None if status == "unavailable" else self._free_address(first, last, company.domain)
        person = Person(
            number,
            object_id(seed, "person", number),
            first,
            last,
            _pick(names.ROLES[slot], rng),
            company.city if rng.random() < 0.75 else _pick(names.CITIES, rng),
            company,
            email,
            status,
            rng.random() < 0.4,
        )
        if email:
            self.by_email[email] = person
        return person

    def _free_address(self, first: str, last: str, domain: str) -> str:
        local = f"{first}.{last}".lower()
        email, number = f"{local}@{domain}", 2
        while email in self.by_email:
            email, number = f"{local}{number}@{domain}", number + 1
        return email

    @cached_property
    def by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def by_hashed_email(self) -> dict[str, Person]:
        """People by the MD5 and the SHA-256 hex digest of their address."""
        found: dict[str, Person] = {}
        for email, person in self.by_email.items():
            raw = email.encode()
            found[hashlib.md5(raw, usedforsecurity=False).hexdigest()] = person
            found[hashlib.sha256(raw).hexdigest()] = person
        return found

    @cached_property
    def by_linkedin(self) -> dict[str, Person]:
        return {profile(person.linkedin_url): person for person in self.people}

    @cached_property
    def by_name(self) -> dict[str, list[Person]]:
        found: dict[str, list[Person]] = {}
        for person in self.people:
            found.setdefault(person.name.lower(), []).append(person)
        return found

    @cached_property
    def company_by_id(self) -> dict[str, Company]:
        return {company.id: company for company in self.companies}

    @cached_property
    def company_by_domain(self) -> dict[str, Company]:
        return {company.domain: company for company in self.companies}

    @cached_property
    def company_by_name(self) -> dict[str, Company]:
        return {company.name.lower(): company for company in self.companies}

    @cached_property
    def company_by_linkedin(self) -> dict[str, Company]:
        return {profile(company.linkedin_url): company for company in self.companies}


def profile(url: str) -> str:
    """The part of a LinkedIn address that names the profile, however the address is written."""
    path = url.lower().split("linkedin.com/", 1)[-1]
    return path.split("?", 1)[0].strip("/")


def hostname(address: str) -> str:
    """The bare domain of a domain or website address."""
    host = address.strip().lower().split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0]
    return host.removeprefix("www.")


def _pick(values: tuple[T, ...], rng: Random) -> T:
    return values[int(rng.random() * len(values))]


def _email_status(chance: float) -> str:
    if chance < 0.85:
        return "verified"
    if chance < 0.90:
        return "unverified"
    return "likely to engage" if chance < 0.93 else "unavailable"


def _company_name(seed: int, number: int) -> str:
    pairs = len(names.COMPANY_FIRST) * len(names.COMPANY_SECOND)
    first, second = divmod((number * NAME_STEP + seed) % pairs, len(names.COMPANY_SECOND))
    generation = number // pairs
    suffix = GENERATIONS[generation] if generation < len(GENERATIONS) else f" {generation}"
    return f"{names.COMPANY_FIRST[first]} {names.COMPANY_SECOND[second]}{suffix}"


def _company(seed: int, number: int, staff: int, rng: Random) -> Company:
    name = _company_name(seed, number)
    slug = name.lower().replace(" ", "")
    headcount = max(names.HEADCOUNTS[(number + seed) % len(names.HEADCOUNTS)], staff)
    stage = _pick(names.FUNDING_STAGES, rng)
    used = rng.sample([uid for uid, _, _ in names.TECHNOLOGIES], 2 + int(rng.random() * 4))
    return Company(
        number,
        object_id(seed, "organization", number),
        name,
        f"{slug}.example",
        _pick(names.TRADES, rng),
        headcount,
        headcount * (60_000 + int(rng.random() * 140) * 1_000),
        1975 + int(rng.random() * 49),
        _pick(names.CITIES, rng),
        frozenset(used),
        stage,
        headcount * 25_000 if stage else 0,
        f"http://www.linkedin.com/company/sandbox-{slug}",
    )
