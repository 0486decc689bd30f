"""What the runs against a sandbox with odd answers ask for, and what its world says should come of it."""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from apollo_component.sandbox.world import World
from apollo_component.sandbox.world import company_facts as facts
from apollo_component.sandbox.world.directory import Company, Person

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One bulk action with its items, which its input has under `name`.

    `means` is what each item stands for (a person's id, a new contact's email): records and the sandbox's own are
    put back to the items by it. `known` are the meanings that a faultless answer brings, asked for once the run is
    over, and `low` those that it brings with less confidence than was wanted.
    """

    values: Record
    name: str
    means: Sequence[str | None]
    meaning: Callable[[Mapping[str, Any]], str]
    known: Callable[[], set[str]]
    own: Callable[[str], Mapping[str, Any]]
    """The sandbox's record of that id."""
    low: frozenset[str] = frozenset()
    in_place: bool = False
    once: bool = False
    """Whether the sandbox gives what is asked for twice in one request once."""
    size: int = 10**6
    """How many items one request takes."""

    @property
    def items(self) -> list[Any]:
        found: list[Any] = self.values[self.name]
        return found

    def chunks(self) -> Iterator[range]:
        """The numbers of the items of each request."""
        count = len(self.items)
        return (range(start, min(start + self.size, count)) for start in range(0, count, self.size))


def some_id(rng: Random) -> str:
    """An id that nothing has."""
    return "".join(rng.choices("0123456789abcdef", k=24))


def word(rng: Random) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=10))


def _mixed(rng: Random, known: Sequence[str], least: int, most: int) -> list[str]:
    """Ids of the world with unknown ones between them."""
    ids = rng.sample(known, min(rng.randint(least, most), len(known)))
    ids += [some_id(rng) for _ in range(rng.randint(0, 5))]
    rng.shuffle(ids)
    return ids


# Looked up


def _person(rng: Random, person: Person) -> Record:
    ways: list[Record] = [
        {"id": person.id},
        {"linkedin_url": person.linkedin_url},
        {"name": person.name, "domain": person.company.domain},
        {"first_name": person.first, "last_name": person.last, "organization_name": person.company.name},
    ]
    if person.email:
        ways.append({"email": rng.choice((str.upper, str.lower))(person.email)})
    return rng.choice(ways)


def _nobody(rng: Random) -> Record:
    ways: list[Record] = [{"id": some_id(rng)}, {"email": f"{word(rng)}@nowhere.example"}]
    return rng.choice([*ways, {"name": f"{word(rng)} {word(rng)}", "domain": "nowhere.example"}])


def people(world: World, rng: Random) -> Order:
    """People by every key, with strangers, and some who are asked for twice. No two of them have one name."""
    different = list({one.name: one for one in rng.sample(world.directory.people, 60)}.values())
    chosen = [(_person(rng, one), one) for one in different[: rng.randint(1, 32)]]
    pairs: list[tuple[Record, str | None]] = [(details, one.id) for details, one in chosen]
    pairs += [(_nobody(rng), None) for _ in range(rng.randint(0, 4))]
    pairs += rng.sample(pairs, min(len(pairs), rng.choice((0, 0, 2))))
    rng.shuffle(pairs)
    values: Record = {"details": [details for details, _ in pairs]}
    low: frozenset[str] = frozenset()
    if rng.random() < 0.3:
        values["minimum_confidence"] = "medium"
        low = frozenset(own for details, own in pairs if own and "organization_name" in details)
    known = {own for _, own in pairs if own}
    return Order(
        values,
        "details",
        [own for _, own in pairs],
        _id,
        lambda: known,
        lambda own: {"id": own},
        low=low,
        in_place=True,
        size=10,
    )


def _company(rng: Random, company: Company) -> Record:
    ways: list[Record] = [{"domain": company.domain}, {"website": f"https://www.{company.domain}/"}]
    return rng.choice([*ways, {"linkedin_url": company.linkedin_url}, {"name": company.name}])


def companies(world: World, rng: Random) -> Order:
    """Companies by domain or by every key, with strangers, and one that is asked for twice."""
    chosen = rng.sample(world.directory.companies, rng.randint(1, 27))
    strange = [f"{word(rng)}.example" for _ in range(rng.randint(0, 4))]
    pairs: list[tuple[Any, str | None]]
    if rng.random() < 0.5:
        name = "domains"
        pairs = [(one.domain, one.id) for one in chosen] + [(domain, None) for domain in strange]
    else:
        name = "details"
        pairs = [(_company(rng, one), one.id) for one in chosen] + [({"domain": domain}, None) for domain in strange]
    pairs += rng.sample(pairs, rng.choice((0, 0, 1)))
    rng.shuffle(pairs)
    known = {one.id for one in chosen}
    return Order(
        {name: [item for item, _ in pairs]},
        name,
        [own for _, own in pairs],
        _id,
        lambda: known,
        lambda own: {"id": own},
        in_place=True,
        once=True,
        size=10,
    )


def _id(record: Mapping[str, Any]) -> str:
    return str(record["id"])


def contents(world: World, rng: Random) -> Order:
    """Mails that were sent, and drafts and strangers, which have no text to give."""
    ids = _mixed(rng, list(world.messages), 1, 35)
    sent = {own for own in ids if own in world.messages and world.messages[own]["status"] == "completed"}
    return Order({"ids": ids}, "ids", ids, _id, lambda: sent, lambda own: {"id": own}, size=10)


# Written


def new_contacts(world: World, rng: Random) -> Order:
    """Contacts by email, profile or name alone; with run_dedupe some are there already."""
    dedupe, items, means = rng.random() < 0.5, list[Record](), list[str | None]()
    for _ in range(rng.choice((rng.randint(1, 30), rng.randint(90, 230)))):
        first, last = word(rng).title(), word(rng).title()
        way = rng.choice(("email",) if dedupe else ("email", "linkedin_url", "name"))
        keys = {"email": f"{first}.{last}@new.example", "linkedin_url": f"http://www.linkedin.com/in/{first}-{last}"}
        item = {"first_name": first, "last_name": last} | ({way: keys[way]} if way in keys else {})
        items.append(item)
        means.append(f"{first} {last}")
    if dedupe:
        emails = {one["email"]: one["name"] for one in world.contacts.records.values() if one["email"]}
        named = {name: email for email, name in emails.items()}
        there = rng.sample(list(named.items()), rng.randint(0, 20))
        items += [{"first_name": name.split()[0], "email": email} for name, email in there]
        means += [name for name, _ in there]
    both = list(zip(items, means, strict=True))
    rng.shuffle(both)
    known = {own for own in means if own}
    values: Record = {"contacts": [item for item, _ in both], "run_dedupe": dedupe}
    own = world.contacts.records
    return Order(values, "contacts", [name for _, name in both], _name, lambda: known, own.__getitem__, size=100)


def new_accounts(world: World, rng: Random) -> Order:
    """Accounts by domain or by name alone; with run_dedupe some are there already."""
    dedupe, items, means = rng.random() < 0.5, list[Record](), list[str | None]()
    for _ in range(rng.choice((rng.randint(1, 30), rng.randint(90, 180)))):
        name = word(rng).title()
        items.append({"name": name} | ({"domain": f"{name.lower()}.example"} if rng.random() < 0.7 else {}))
        means.append(name)
    if dedupe:
        there = rng.sample([one for one in world.accounts.values() if one["domain"]], rng.randint(0, 15))
        items += [{"name": one["name"], "domain": one["domain"]} for one in there]
        means += [str(one["name"]) for one in there]
    both = list(zip(items, means, strict=True))
    rng.shuffle(both)
    known = {own for own in means if own}
    values: Record = {"accounts": [item for item, _ in both], "run_dedupe": dedupe}
    own = world.accounts
    return Order(values, "accounts", [name for _, name in both], _name, lambda: known, own.__getitem__, size=100)


def _name(record: Mapping[str, Any]) -> str:
    return str(record["name"])


def new_tasks(world: World, rng: Random) -> Order:
    """A task for each of some contacts."""
    ids = _mixed(rng, list(world.contacts.records), 1, 60)
    known = set(ids) & set(world.contacts.records)
    values = {"user_id": world.acting_admin["id"], "contact_ids": ids, "type": "call", "status": "scheduled"}
    values["due_at"] = "2026-12-15T10:00:00Z"

    def contact(record: Mapping[str, Any]) -> str:
        return str(record["contact_id"])

    return Order(values, "contact_ids", ids, contact, lambda: known, world.tasks.__getitem__)


def stages(world: World, rng: Random) -> Order:
    """A stage for some contacts."""
    ids = _mixed(rng, list(world.contacts.records), 1, 150)
    known = set(ids) & set(world.contacts.records)
    values = {"contact_ids": ids, "contact_stage_id": rng.choice(world.contact_stages)["id"]}
    return Order(values, "contact_ids", ids, _id, lambda: known, lambda own: {"id": own})


ALLOWED = ("sequence_unverified_email", "sequence_job_change", "sequence_active_in_other_campaigns",
           "sequence_finished_in_other_campaigns", "sequence_same_company_in_same_campaign", "sequence_no_email")  # fmt: skip


def enrolments(world: World, rng: Random) -> Order:
    """Contacts for a sequence; some may not be enrolled, for reasons that the run allows or doesn't."""
    ids, sequence = _mixed(rng, list(world.contacts.records), 1, 60), rng.choice(list(world.sequences))
    before = set(world.enrolled[sequence])
    box = next(one for one in world.mailboxes if one["active"])
    values = {"sequence_id": sequence, "contact_ids": ids, "send_email_from_email_account_id": box["id"]}
    values |= dict.fromkeys((name for name in ALLOWED if rng.random() < 0.5), True)
    return Order(
        values,
        "contact_ids",
        ids,
        _id,
        lambda: (set(world.enrolled[sequence]) - before) & set(ids),
        lambda own: {"id": own},
    )


BULK: dict[str, Callable[[World, Random], Order]] = {
    "people_bulk_match": people,
    "organizations_bulk_enrich": companies,
    "contacts_bulk_create": new_contacts,
    "accounts_bulk_create": new_accounts,
    "tasks_bulk_create": new_tasks,
    "contacts_update_stages": stages,
    "emailer_messages_get_content": contents,
    "emailer_campaigns_add_contact_ids": enrolments,
}


# Lists


@dataclass(frozen=True, slots=True)
class Listing:
    """How a search takes its pages, and some questions to ask of it."""

    rows: tuple[str, ...]
    most: int = 100
    least: int = 2
    """Smallest page that is asked for, so that long lists don't take hundreds."""
    size: str = "per_page"
    questions: Callable[[World, Random], Record] = field(default=lambda _world, _rng: {})


def _seniority(_world: World, rng: Random) -> Record:
    return {"person_seniorities": rng.sample(["founder", "c_suite", "vp", "director", "manager"], 2)}


def _staff(_world: World, rng: Random) -> Record:
    return {"organization_num_employees_ranges": [rng.choice(["1,50", "51,200", "201,10000"])]}


def _postings(world: World, rng: Random) -> Record:
    many = [one.id for one in world.directory.companies[:60] if len(facts.job_postings(one)) > 2]
    return {"organization_id": rng.choice(many)}


def _news(world: World, rng: Random) -> Record:
    return {"organization_ids": [one.id for one in rng.sample(world.directory.companies, 8)]}


def _noted(world: World, rng: Random) -> Record:
    notes = rng.sample(list(world.notes.values()), 30)
    return {"contact_ids": [note["contact_id"] for note in notes if note["contact_id"]]}


LISTS: dict[str, Listing] = {
    "people_api_search": Listing(("people",), least=30, questions=_seniority),
    "mixed_companies_search": Listing(("accounts", "organizations"), questions=_staff),
    "organizations_job_postings": Listing(("organization_job_postings",), questions=_postings),
    "news_articles_search": Listing(("news_articles",), 25, questions=_news),
    "contacts_search": Listing(("contacts",), least=40),
    "accounts_search": Listing(("accounts",), least=20),
    "opportunities_search": Listing(("opportunities",)),
    "emailer_campaigns_search": Listing(("emailer_campaigns",)),
    "emailer_messages_search": Listing(("emailer_messages",)),
    "tasks_search": Listing(("tasks",), least=20),
    "phone_calls_search": Listing(("phone_calls",)),
    "users_search": Listing(("users",)),
    "conversations_search": Listing(("conversations",), 25, size="num_fetch_result"),
    "notes_list": Listing(("notes",), size="limit", questions=_noted),
}


def question(name: str, world: World, rng: Random) -> Record:
    """The input of a search, with a size of the page that cuts what matches into several."""
    listing = LISTS[name]
    size = rng.choice((listing.most, rng.randint(listing.least, min(60, listing.most))))
    return listing.questions(world, rng) | {listing.size: size}
