"""What was sent and what came of it: one row per attempt, committed before the request leaves and before its
answer is used. The same rows are the credit ledger: what is open counts with its worst cost."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..contract.errors import BudgetExhaustedError, ConnectorError, InputError, NotFoundError, Problem, TransientError
from ..contract.models import Effect, Reply
from .clocks import Clock, shared_clock
from .daily import DAY_SECONDS, PER_DAY, check_day, spent_since
from .leases import Lease, is_held, owned, owns
from .store import Store, dumps
from .tables import journal, runs

SENDING = "sending"
RECEIVED = "received"
WITHOUT_EFFECT = "without_effect"
IN_DOUBT = "in_doubt"
FOUND = "found"
DONE_TOLD = "done_told"
"""A person looked, and says that it took effect; the row's answer is the record that the person gave, if any."""
NOT_DONE_TOLD = "not_done_told"
WITHOUT = (WITHOUT_EFFECT, NOT_DONE_TOLD)
OPEN = (SENDING, IN_DOUBT)
FREE = {"spent": 0, "paid_twice": 0}
"""What a request costs that had no effect."""
_SETTLED = (RECEIVED, FOUND, DONE_TOLD)
_TOLD = tuple(column for column in journal.c if column.name not in ("body", "headers_json"))
_LISTED = (*OPEN, FOUND, DONE_TOLD, NOT_DONE_TOLD)


@dataclass(frozen=True, slots=True)
class Key:
    """One request of a run: `item` is its place in the step, such as a chunk's or an item's number."""

    run: str
    step: str
    item: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest attempt of a key that had an effect or may have had one."""

    attempt: int
    state: str
    sent_at: float
    reply: Reply | None


class OwnershipLostError(TransientError):
    """Another process has taken the run over; this one must not send anything any more."""

    code = "ownership_lost"


class RunCancelledError(ConnectorError):
    """A person cancelled the run; it sends nothing more."""

    code = "cancelled"


class Journal:
    """`shared` is the clock of leases, if that is another than `clock`."""

    def __init__(self, store: Store, clock: Clock = time.time, shared: Clock | None = None) -> None:
        self.store, self.clock = store, clock
        self.shared = shared or shared_clock(store, clock)

    def last(self, key: Key) -> Entry | None:
        """What stands in the way of sending: refusals before any work say nothing and are passed over."""
        told = (*_of(key), journal.c.state.not_in(WITHOUT))
        query = sa.select(journal).where(*told).order_by(journal.c.attempt.desc()).limit(1)
        row = self.store.row(query)
        return None if row is None else Entry(row["attempt"], row["state"], row["sent_at"], _reply(row))

    def of_run(self, run: str, ending: str) -> Key | None:
        """The first request of a run whose item ends like this, refusals before any work passed over."""
        mine = (journal.c.run == run, journal.c.item.endswith(ending, autoescape=True))
        columns = sa.select(journal.c.step, journal.c.item).where(*mine, journal.c.state.not_in(WITHOUT))
        row = self.store.row(columns.order_by(journal.c.sent_at).limit(1))
        return None if row is None else Key(run, row["step"], row["item"])

    def open(
        self,
        key: Key,
        action: str,
        effect: Effect,
        worst: float | None,
        lease: Lease | None,
        *,
        repeat_paid: float = 0,
        estimated: bool = False,
    ) -> int:
        """Commit that a request is about to leave; its attempt number.

        Raises OwnershipLostError when the run has another owner, RunCancelledError when it was cancelled and
        BudgetExhaustedError when its budget doesn't cover the worst cost. `repeat_paid` is what may be paid a second
        time by this attempt. With `estimated` the worst cost is only what a person stated: once a budget is exceeded,
        not even what was stated to be free is sent.
        """
        with self.store.write(f"run:{key.run}") as connection:
            check_owner(connection, lease)
            _check_cancelled(connection, key.run)
            self._check_budget(connection, key.run, worst, estimated=estimated)
            last = connection.execute(sa.select(sa.func.max(journal.c.attempt)).where(*_of(key))).scalar() or 0
            connection.execute(
                sa.insert(journal).values(
                    run=key.run,
                    step=key.step,
                    item=key.item,
                    attempt=last + 1,
                    action=action,
                    effect=str(effect),
                    state=SENDING,
                    owner_version=lease.version if lease else 0,
                    worst=worst,
                    paid_twice=repeat_paid,
                    sent_at=self.clock(),
                )
            )
        return last + 1

    def check_owner(self, lease: Lease | None) -> None:
        """For requests that have no row. Raises OwnershipLostError when the run has another owner."""
        if lease and self.store.row(owned(lease)) is None:
            raise _ownership_lost()

    def check_run(self, run: str, lease: Lease | None) -> None:
        """For a run that only waits. Raises OwnershipLostError, or RunCancelledError when it was cancelled."""
        with self.store.read() as connection:
            check_owner(connection, lease)
            _check_cancelled(connection, run)

    def doubt(self, key: Key, attempt: int, lease: Lease | None) -> bool:
        """Declare that an attempt's answer is lost; False when a stalled owner has recorded it just now.

        Raises OwnershipLostError when the run has another owner, whose attempts these are.
        """
        where = (*_of(key), journal.c.attempt == attempt, journal.c.state.in_((*OPEN, FOUND)))
        with self.store.write(f"run:{key.run}") as connection:
            check_owner(connection, lease)
            return bool(connection.execute(sa.update(journal).where(*where).values(state=IN_DOUBT)).rowcount)

    def received(self, key: Key, attempt: int, reply: Reply) -> None:
        """Commit the answer before anything else happens. What can't have had an effect is noted as such.

        Raises OwnershipLostError when the attempt is no longer this process's: it was taken for lost meanwhile and
        the new owner goes on without its answer.
        """
        state = state_after(reply.status)
        values: dict[str, Any] = {"state": state, "received_at": self.clock(), "status_code": reply.status}
        if state == RECEIVED:
            values |= {"body": reply.body, "headers_json": dumps(dict(reply.headers))}
        if state == WITHOUT_EFFECT:
            values |= FREE
        mine = (*_of(key), journal.c.attempt == attempt, journal.c.state == SENDING)
        with self.store.write(f"run:{key.run}") as connection:
            if not connection.execute(sa.update(journal).where(*mine).values(**values)).rowcount:
                raise _ownership_lost()

    def settle(self, key: Key, attempt: int, spent: float | None) -> None:
        """What the request cost, told once; None leaves the worst cost reserved (part of it is decided later)."""
        if spent is not None:
            mine = (*_of(key), journal.c.attempt == attempt, journal.c.spent.is_(None))
            with self.store.write(f"run:{key.run}") as connection:
                connection.execute(sa.update(journal).where(*mine).values(spent=spent))

    def mark(self, key: Key, attempt: int, state: str, note: str = "", **values: Any) -> None:
        self._update(key, attempt, {"state": state, "note": note, **values})

    def tell(self, key: Key, *, done: bool, record: Any = None) -> int:
        """What a person who looked says of a request whose answer was lost; how many attempts that settles.

        When it is done, the newest attempt stands for it, with `record` (JSON) as what it gave, and its worst cost
        counts as spent; the request isn't sent again. When it isn't, none had an effect, and it may be sent anew.
        Raises NotFoundError when nothing of the request is in doubt, InputError while it may be under way.
        """
        with self.store.write(f"run:{key.run}") as connection:
            mine = sa.select(journal).where(*_of(key), journal.c.state.in_(OPEN)).order_by(journal.c.attempt.desc())
            attempts = connection.execute(mine).mappings().all()
            if not attempts:
                raise NotFoundError(
                    "No request of that step and item is in doubt.", hint=f"`runs show {key.run}` lists those that are."
                )
            if any(row["state"] == SENDING for row in attempts) and is_held(
                connection, f"run:{key.run}", self.shared()
            ):
                raise InputError("The run is under way, and so may be this request.", hint="Wait for it, or stop it.")
            told = attempts[:1] if done else attempts
            for row in told:
                values = _done(dict(row), record) if done else {"state": NOT_DONE_TOLD, **FREE}
                here = journal.c.attempt == row["attempt"]
                connection.execute(sa.update(journal).where(*_of(key), here).values(note="", **values))
        return len(told)

    def budget(self, run: str) -> float | None:
        """What a run may spend, None when nothing bounds it."""
        row = self.store.row(sa.select(runs.c.budget).where(runs.c.id == run))
        return None if row is None else row["budget"]

    def spent(self, run: str) -> dict[str, float]:
        """Credits of a run: `spent` as told, `reserved` for what is open or in doubt, `paid_twice` at most."""
        with self.store.read() as connection:
            return _sums(connection, run)

    def by_step(self, run: str) -> dict[str, dict[str, float]]:
        """Credits of each step that was journaled: `{spent, reserved}`."""
        columns = (journal.c.step, *cost_columns())
        with self.store.read() as connection:
            rows = connection.execute(sa.select(*columns).where(journal.c.run == run).group_by(journal.c.step)).all()
        return {step: {"spent": float(spent), "reserved": float(reserved)} for step, spent, reserved in rows}

    def doubtful(self, run: str) -> list[dict[str, Any]]:
        """Every request whose answer was lost, and what became of it; `open` ones a person can settle."""
        query = sa.select(*_TOLD).where(journal.c.run == run).order_by(journal.c.sent_at, journal.c.attempt)
        rows = self.store.rows(query)
        latest = {(row["step"], row["item"]): row for row in rows}
        return [
            {
                "step": row["step"],
                "item": row["item"],
                "attempt": row["attempt"],
                "action": row["action"],
                "effect": row["effect"],
                "worst_credits": row["worst"],
                "outcome": _outcome(row, latest[row["step"], row["item"]]),
                "open": row["state"] in OPEN and latest[row["step"], row["item"]]["state"] not in _SETTLED,
            }
            for row in rows
            if row["state"] in _LISTED
        ]

    def _check_budget(self, connection: sa.Connection, run: str, worst: float | None, *, estimated: bool) -> None:
        """The run's own budget, then that of all runs of its workflow in 24 hours."""
        query = sa.select(runs.c.budget, runs.c.workflow, runs.c.inputs_json).where(runs.c.id == run)
        row = connection.execute(query).first()
        if row is None or (worst == 0 and not estimated):
            return
        daily = json.loads(row.inputs_json).get(PER_DAY) if row.workflow else None
        if daily is not None:
            self.store.also(connection, f"budget:{row.workflow}")
        if worst is None and (row.budget is not None or daily is not None):
            raise InputError(
                "Nothing limits what this request may cost, so no budget can cover it; nothing was sent.",
                [Problem("is required with a budget", path="max_credits_per_record")],
            )
        if row.budget is not None:
            _check_run(row.budget, _sums(connection, run), worst or 0)
        if daily is not None:
            check_day(daily, spent_since(connection, row.workflow, self.clock() - DAY_SECONDS), worst or 0)

    def _update(self, key: Key, attempt: int, values: Mapping[str, Any]) -> None:
        with self.store.write(f"run:{key.run}") as connection:
            connection.execute(sa.update(journal).where(*_of(key), journal.c.attempt == attempt).values(**values))


def _check_run(budget: float, sums: Mapping[str, float], worst: float) -> None:
    used = sums["spent"] + sums["reserved"]
    if used + worst > budget:
        raise BudgetExhaustedError(
            f"The budget of {budget:g} credits doesn't cover the next request: "
            f"{used:g} are spent or reserved and it may cost {worst:g}.",
            hint="Raise the budget to go on; this request was not sent.",
            needed=used + worst,
        )


def check_owner(connection: sa.Connection, lease: Lease | None) -> None:
    """Inside a transaction. Raises OwnershipLostError when the lease has another owner."""
    if lease and not owns(connection, lease):
        raise _ownership_lost()


def _ownership_lost() -> OwnershipLostError:
    return OwnershipLostError(
        "Another process has taken this run over; nothing more is sent.", hint="Follow it with `runs show`."
    )


def _check_cancelled(connection: sa.Connection, run: str) -> None:
    if connection.execute(sa.select(runs.c.status).where(runs.c.id == run)).scalar() == "cancelled":
        raise RunCancelledError("The run was cancelled; nothing more was sent.")


def state_after(status: int) -> str:
    """2xx is recorded and never repeated. 4xx and 503 are refusals before any work; other 5xx are unknown."""
    if status < 300:
        return RECEIVED
    return WITHOUT_EFFECT if status < 500 or status == 503 else IN_DOUBT


def _done(row: Mapping[str, Any], record: Any) -> dict[str, Any]:
    """An answer that a person stands for."""
    body = None if record is None else dumps(record).encode()
    return {"state": DONE_TOLD, "spent": row["worst"] or 0, "status_code": 200, "headers_json": "{}", "body": body}


def cost_columns() -> tuple[sa.ColumnElement[float], sa.ColumnElement[float]]:
    """Credits of a group of rows: `spent` as told, `reserved` for what is open or in doubt."""
    open_ = sa.case((journal.c.spent.is_(None), journal.c.worst))
    spent, reserved = (sa.func.coalesce(sa.func.sum(each), 0.0) for each in (journal.c.spent, open_))
    return spent.label("spent"), reserved.label("reserved")


def _sums(connection: sa.Connection, run: str) -> dict[str, float]:
    twice = sa.func.coalesce(sa.func.sum(journal.c.paid_twice), 0.0)
    query = sa.select(*cost_columns(), twice).where(journal.c.run == run)
    spent, reserved, twice_paid = connection.execute(query).one()
    return {"spent": float(spent), "reserved": float(reserved), "paid_twice": float(twice_paid)}


_OUTCOMES = {
    FOUND: "had taken effect: found again by its natural key",
    DONE_TOLD: "had taken effect: a person looked",
    NOT_DONE_TOLD: "had not taken effect: a person looked",
}


def _outcome(row: Mapping[str, Any], latest: Mapping[str, Any]) -> str:
    if row["state"] in _OUTCOMES:
        return _OUTCOMES[row["state"]]
    if row is not latest and latest["state"] in _SETTLED:
        return "repeated, possibly paid twice" if row["worst"] else "repeated, harmless by its effect"
    return row["note"] or "outcome unknown"


def _of(key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    return journal.c.run == key.run, journal.c.step == key.step, journal.c.item == key.item


def _reply(row: Mapping[str, Any]) -> Reply | None:
    if row["state"] not in (RECEIVED, DONE_TOLD) or row["body"] is None:
        return None
    return Reply(row["status_code"], json.loads(row["headers_json"] or "{}"), row["body"])
