"""Answers that are odd on purpose, for callers that must notice what is missing; everything withheld is logged.

With a seed in the setting `strange`, each answer of a search or a bulk operation draws its oddities, `strange_share`
of the time each and only those in `strange_kinds`, when it names any:

- `reordered`: the entries of a bulk answer come in another order;
- `dropped`: entries of a bulk answer are left out after their work was done. Skipped contacts of an enrolment are
  named in `skipped_contact_ids` half of the time, misses of a match are counted in `missing_records` half of the time;
- `clamped`: a page holds fewer rows than asked for, and pages are counted in that size. A query is clamped alike on
  all of its pages;
- `total`: `total_entries` is too high, too low or 0, and `total_pages` follows it;
- `repeated`: page n brings the rows of page n - 1, half of the time under its own number.

The same seed and the same requests give the same oddities: a request that is repeated draws anew, and how requests of
different contents are mixed doesn't matter. That Apollo reorders, drops and repeats is reported by users; a clamp and
a wrong total are made up.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import orjson

from . import params as read
from .credit_ledger import Ledger
from .operation import Answer, Call, Listing

Record = dict[str, Any]

KINDS = ("reordered", "dropped", "clamped", "total", "repeated")
DROP_SHARE = 0.3  # of the entries, at least one
TOLD_SHARE = 0.5
# made up: of the documented reasons, those a healthy contact may be skipped for
REASONS = ("contacts_in_pending_state", "contacts_without_ownership_permission", "contacts_with_job_change")


@dataclass(frozen=True, slots=True)
class Bulk:
    """Where a bulk operation takes what it is asked for, and where it answers it."""

    asked: tuple[str, ...]
    rows: tuple[str, ...]


BULK = {
    "people_bulk_match": Bulk(("details",), ("matches",)),
    "organizations_bulk_enrich": Bulk(("details", "domains"), ("organizations",)),
    "contacts_bulk_create": Bulk(("contacts",), ("created_contacts", "existing_contacts")),
    "accounts_bulk_create": Bulk(("accounts",), ("created_accounts", "existing_accounts")),
    "tasks_bulk_create": Bulk(("tasks_attributes", "contact_ids"), ("tasks",)),
    "contacts_update_stages": Bulk(("contact_ids",), ("contacts",)),
    "emailer_messages_get_content": Bulk(("ids",), ("emailer_messages",)),
    "emailer_campaigns_add_contact_ids": Bulk(("contact_ids", "label_names"), ("contacts",)),
}
PAGES: dict[str, tuple[str, ...]] = {
    "people_api_search": ("people",),
    "mixed_companies_search": ("accounts", "organizations"),
    "organizations_job_postings": ("organization_job_postings",),
    "news_articles_search": ("news_articles",),
    "contacts_search": ("contacts",),
    "accounts_search": ("accounts",),
    "opportunities_search": ("opportunities",),
    "emailer_campaigns_search": ("emailer_campaigns",),
    "emailer_messages_search": ("emailer_messages",),
    "tasks_search": ("tasks",),
    "phone_calls_search": ("phone_calls",),
    "users_search": ("users",),
    "conversations_search": ("conversations",),
}


@dataclass(slots=True)
class Oddities:
    """What was withheld so far, oldest first, and how often each request came."""

    log: list[Record] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


def answered(call: Call, number: int) -> Answer | Listing:
    """The answer of an operation, odd or not; `number` is that of the recorded request."""
    if call.state.settings.strange:
        if call.operation.id in BULK:
            return _bulk(call, number)
        if call.operation.id in PAGES:
            return _page(call, number)
    return call.operation.handler(call)


def _key(call: Call, params: Mapping[str, Any]) -> str:
    sent = orjson.dumps([params, dict(call.path)], option=orjson.OPT_SORT_KEYS).decode()
    return f"{call.state.settings.strange}/{call.operation.id}/{sent}"


def _drawn(call: Call, rng: Random, *kinds: str) -> set[str]:
    settings = call.state.settings
    hit = {kind for kind in kinds if rng.random() < settings.strange_share}
    return hit & set(settings.strange_kinds or KINDS)


def _request_rng(call: Call) -> Random:
    key, seen = _key(call, call.params), call.state.oddities.seen
    seen[key] += 1
    return Random(f"{key}/{seen[key]}")


def _note(call: Call, number: int, kinds: set[str], facts: Record) -> None:
    if kinds:
        named = {"number": number, "request_id": call.request_id, "operation": call.operation.id}
        call.state.oddities.log.append(named | {"kinds": sorted(kinds)} | facts)


def _plain(answer: Answer | Listing) -> Record:
    """A copy that can be changed without touching the world."""
    copy: Record = orjson.loads(orjson.dumps(answer))
    return copy


# Bulk answers


def _bulk(call: Call, number: int) -> Answer:
    bulk, rng = BULK[call.operation.id], _request_rng(call)
    answer = _plain(call.operation.handler(call))
    kinds = _drawn(call, rng, "reordered", "dropped")
    whole = [(key, row) for key in bulk.rows for row in answer.get(key, ())]
    withheld = _drop(whole, rng) if "dropped" in kinds else {}
    _tell(answer, withheld, rng)
    for key in bulk.rows if kinds else ():
        answer[key] = [row for place, (name, row) in enumerate(whole) if name == key and place not in withheld]
    ordered = _given(bulk, answer)
    for key in bulk.rows if "reordered" in kinds else ():
        rng.shuffle(answer[key])
    given = _given(bulk, answer)
    kinds -= {name for name, idle in (("dropped", not withheld), ("reordered", given == ordered)) if idle}
    asked: list[Any] = next((call.params[name] for name in bulk.asked if call.params.get(name)), [])
    _note(call, number, kinds, {"asked": asked, "withheld": list(withheld.values()), "given": given})
    return answer


def _given(bulk: Bulk, answer: Record) -> list[str | None]:
    return [_id(row) for key in bulk.rows for row in answer.get(key, ())]


def _id(row: Any) -> str | None:
    return row.get("id") if isinstance(row, dict) else None


def _drop(whole: list[tuple[str, Any]], rng: Random) -> dict[int, Record]:
    """Some of the entries, at least one, by their place in the whole answer."""
    places = [place for place in range(len(whole)) if rng.random() < DROP_SHARE]
    chosen = places or ([rng.randrange(len(whole))] if whole else [])
    return {place: {"place": place, "id": _id(whole[place][1]), "reason": None} for place in chosen}


def _tell(answer: Record, withheld: dict[int, Record], rng: Random) -> None:
    """Names some of what is withheld where the contract has a place for it; most operations have none."""
    for one in withheld.values():
        told = rng.random() < TOLD_SHARE
        if told and "skipped_contact_ids" in answer:
            one["reason"] = answer["skipped_contact_ids"][one["id"]] = rng.choice(REASONS)
        elif told and one["id"] and "missing_records" in answer:
            answer["missing_records"] += 1
            one["reason"] = "missing_records"


# Pages


def _page(call: Call, number: int) -> Answer:
    """One page; the true one is worked out beside it, without its costs."""
    quiet = replace(call, state=replace(call.state, ledger=Ledger(call.state.clock)))
    true = _plain(call.operation.handler(quiet))
    page, size = read.integer(call.params.get("page"), 1) or 1, _size(call, true)
    rng, given_size = _request_rng(call), _clamped(call, size)
    kinds = _drawn(call, rng, "total", *(["repeated"] if page > 1 else []))
    changed = dict(call.params)
    if given_size != size:
        kinds.add("clamped")
        name = "num_fetch_result" if call.params.get("num_fetch_result") else "per_page"
        changed[name] = _like(call.params.get(name), given_size)
    if "repeated" in kinds:
        changed["page"] = _like(call.params.get("page"), page - 1)
    answer = _plain(call.operation.handler(replace(call, params=changed)))
    if "repeated" in kinds and "pagination" in answer and rng.random() < TOLD_SHARE:
        answer["pagination"]["page"] = true["pagination"]["page"]
    if "total" in kinds and not _move_total(answer, rng):
        kinds.remove("total")
    facts = {
        "page": page,
        "per_page": size,
        "per_page_given": given_size,
        "total_true": _total(true),
        "total_told": _total(answer),
        "rows_true": _ids(call, true),
        "rows_given": _ids(call, answer),
    }
    _note(call, number, kinds, facts)
    return answer


def _clamped(call: Call, size: int) -> int:
    """How many rows a page of this query holds, the same on all of its pages."""
    query = {name: value for name, value in call.params.items() if name != "page"}
    rng = Random(_key(call, query))
    if size < 2 or not _drawn(call, rng, "clamped"):  # there is nothing less than a row
        return size
    return rng.randint(max(1, size // 4), size - 1)


def _size(call: Call, answer: Record) -> int:
    """How many rows a page was to hold."""
    sent = read.integer(call.params.get("num_fetch_result")) or read.integer(call.params.get("per_page"))
    told = read.integer(answer.get("pagination", {}).get("per_page"))
    return told or min(sent or len(_ids(call, answer)), 100)


def _like(sent: Any, value: int) -> int | str:
    """A number in the type in which it was sent: users/search gives it back so."""
    return str(value) if isinstance(sent, str) else value


def _total(answer: Record) -> int | None:
    found: int | None = answer.get("pagination", answer).get("total_entries")
    return found


def _move_total(answer: Record, rng: Random) -> bool:
    """Tells another total, and the number of pages that follows from it; whether it could."""
    total, numbers = _total(answer), answer.get("pagination", answer)
    if total is None:
        return False
    by = rng.randint(1, max(1, total // 3))
    told = rng.choice([0, total - by, total + by] if total else [by])
    numbers["total_entries"] = told
    if size := read.integer(numbers.get("per_page")):
        numbers["total_pages"] = -(-told // size)
    if "pipeline_total" in answer:
        answer["pipeline_total"] = told
    return True


def _ids(call: Call, answer: Record) -> list[str]:
    return [row["id"] for key in PAGES[call.operation.id] for row in answer.get(key, ())]
