"""The budget that all runs of a workflow share: credits spent or reserved in any 24 hours."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from ..contract.errors import BudgetExhaustedError, InputError, Problem
from .tables import journal, runs

PER_DAY = "budget_per_day"
"""The key of a run's stored inputs, and the field of a workflow file."""
DAY_SECONDS = 86400.0
Spent = tuple[float, float]
"""When a request was sent, and what it cost, or may cost while that is open."""


def spent_since(connection: sa.Connection, workflow: str, since: float) -> list[Spent]:
    """What the runs of a workflow have spent or reserved from then on, the oldest first."""
    mine = sa.select(runs.c.id).where(
        runs.c.workflow == workflow, sa.or_(runs.c.ended_at.is_(None), runs.c.ended_at > since)
    )
    cost = sa.func.coalesce(journal.c.spent, journal.c.worst, 0.0)
    query = sa.select(journal.c.sent_at, cost).where(journal.c.run.in_(mine), journal.c.sent_at > since, cost > 0)
    return [(at, float(credits_)) for at, credits_ in connection.execute(query.order_by(journal.c.sent_at))]


def check_day(budget: float, spent: Sequence[Spent], worst: float) -> None:
    """Raises BudgetExhaustedError with the moment at which enough has moved out of the 24 hours, and InputError when
    one request may cost more than the whole budget."""
    if worst > budget:
        raise InputError(
            f"One request may cost {worst:g} credits, and this workflow may spend {budget:g} in 24 hours.",
            [Problem("is less than one request may cost", path=PER_DAY)],
        )
    used = left = sum(cost for _, cost in spent)
    if used + worst <= budget:
        return
    resets_at = 0.0
    for at, cost in spent:
        left -= cost
        resets_at = at + DAY_SECONDS
        if left + worst <= budget:
            break
    raise BudgetExhaustedError(
        f"This workflow may spend {budget:g} credits in 24 hours: {used:g} are spent or reserved by its runs, and the "
        f"next request may cost {worst:g}.",
        hint="It goes on when enough of the 24 hours is over; nothing was sent.",
        needed=used + worst,
        resets_at=datetime.fromtimestamp(resets_at, UTC),
    )
