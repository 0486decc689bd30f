"""Long lists of runs a page at a time, and what they cost over time; each by an index, never a query for each row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .journal import cost_columns
from .runs import INTERRUPTED, LEASE, LEASED, RUNNING, Runs, told_status
from .store import Store
from .tables import COSTS, journal, leases, runs

PAGE = 50
_SHOWN = (runs.c.id, runs.c.kind, runs.c.title, runs.c.status, runs.c.workflow, runs.c.budget)
_TIMES = (runs.c.created_at, runs.c.updated_at, runs.c.ended_at)
Place = tuple[float, str]
"""Where a page begins or ends: when a run was made, and its id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list; an empty field takes all. `text` is the beginning of an id."""

    status: str = ""
    workflow: str = ""
    kind: str = ""
    text: str = ""

    def where(self, now: float) -> Iterator[sa.ColumnElement[bool]]:
        """Of rows of `LEASED`."""
        if self.status:
            yield runs.c.status == (RUNNING if self.status == INTERRUPTED else self.status)
        if self.status in (RUNNING, INTERRUPTED):
            held = sa.and_(leases.c.owner != "", leases.c.until > now)
            yield held if self.status == RUNNING else held.is_not(sa.true())
        if self.workflow:
            yield runs.c.workflow == self.workflow
        if self.kind:
            yield runs.c.kind == self.kind
        if self.text:
            yield runs.c.id >= self.text
            yield runs.c.id < self.text + "\uffff"


@dataclass(frozen=True, slots=True)
class Row:
    """One run in a list; `spent` and `reserved` are credits."""

    id: str
    kind: str
    title: str
    status: str
    workflow: str
    budget: float | None
    created_at: float
    updated_at: float
    ended_at: float | None
    spent: float
    reserved: float


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of runs, the newest first; `newer` and `older` are the places beside it, None at the ends."""

    rows: Sequence[Row]
    newer: Place | None
    older: Place | None


def page(
    known: Runs, wanted: Wanted, *, before: Place | None = None, after: Place | None = None, size: int = PAGE
) -> Listed:
    """The page that follows `before`, or the one that stands in front of `after`; else the newest."""
    key = sa.tuple_(runs.c.created_at, runs.c.id)
    now = known.leases.clock()
    query = sa.select(*_SHOWN, *_TIMES, *LEASE).select_from(LEASED).where(*wanted.where(now)).limit(size + 1)
    if after:
        query = query.where(key > _place(after)).order_by(runs.c.created_at, runs.c.id)
    else:
        query = query.where(key < _place(before)) if before else query
        query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc())
    found = known.store.rows(query)
    more, found = len(found) > size, found[:size]
    if after:
        found.reverse()
    rows = list(_told(known.store, found, now))
    return Listed(
        rows,
        newer=_at(rows[0]) if rows and (more if after else before) else None,
        older=_at(rows[-1]) if rows and (more or after) else None,
    )


def _told(store: Store, found: Sequence[Mapping[str, Any]], now: float) -> Iterator[Row]:
    """Each with its credits, and with `interrupted` for what nobody drives."""
    costs = spent_by_run(store, [row["id"] for row in found])
    for row in found:
        shown = {column.name: row[column.name] for column in (*_SHOWN, *_TIMES)}
        spent, reserved = costs.get(row["id"], (0.0, 0.0))
        yield Row(**{**shown, "status": told_status(row, now)}, spent=spent, reserved=reserved)


def spent_by_run(store: Store, ids: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Credits spent and reserved of each run that has any."""
    query = sa.select(journal.c.run, *cost_columns()).where(journal.c.run.in_(ids)).group_by(journal.c.run)
    return {row["run"]: (float(row["spent"]), float(row["reserved"])) for row in store.rows(query)} if ids else {}


def workflows(store: Store) -> dict[str, tuple[int, float]]:
    """The names of the workflows that ran, each with how many runs it has and when the newest was made."""
    columns = (runs.c.workflow, sa.func.count().label("count"), sa.func.max(runs.c.created_at).label("at"))
    query = sa.select(*columns).where(runs.c.workflow > "").group_by(runs.c.workflow)
    return {row["workflow"]: (row["count"], row["at"]) for row in store.rows(query)}


def spent_over_time(store: Store, since: float, seconds: float) -> dict[int, tuple[float, float]]:
    """Credits spent and reserved, by how many times `seconds` after `since` their requests were sent."""
    quotient = (journal.c.sent_at - since) / seconds
    # SQLite cuts off, PostgreSQL rounds, and not every SQLite has floor.
    number = sa.cast(quotient if store.is_sqlite else sa.func.floor(quotient), sa.Integer).label("number")
    columns: tuple[sa.ColumnElement[Any], ...] = (number, *cost_columns())
    query = sa.select(*columns).where(journal.c.sent_at >= since, COSTS).group_by(number)
    return {row["number"]: (float(row["spent"]), float(row["reserved"])) for row in store.rows(query)}


def spent_by(store: Store, since: float, what: str, limit: int = PAGE) -> list[dict[str, Any]]:
    """`{name, requests, spent, reserved}` since then, the dearest first; `what` is action or workflow (the title of a
    run of a single action)."""
    # As an expression, so that no database walks through the whole journal because it is in the order of its runs.
    by = journal.c.action if what == "action" else journal.c.run.concat("")
    columns = (by.label("name"), sa.func.count().label("requests"), *cost_columns())
    query: sa.Select[Any] = sa.select(*columns).where(journal.c.sent_at >= since, COSTS).group_by(by)
    if what != "action":
        each = query.subquery()
        sums = [sa.func.sum(each.c[name]).label(name) for name in ("requests", "spent", "reserved")]
        # Not a join: from the few to the many, whatever a database thinks of it.
        title = sa.select(runs.c.title).where(runs.c.id == each.c.name).scalar_subquery().label("name")
        query = sa.select(title, *sums).group_by(title)
    return store.rows(query.order_by(sa.desc("spent"), sa.desc("reserved"), sa.asc("name")).limit(limit))


def _place(place: Place) -> Any:
    return sa.tuple_(sa.literal(place[0]), sa.literal(place[1]))


def _at(row: Row) -> Place:
    return row.created_at, row.id
