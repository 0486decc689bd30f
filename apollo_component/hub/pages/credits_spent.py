"""Credits over time: what was spent and reserved by the hour or by the day, and on what."""

from datetime import UTC, datetime

from starlette.responses import Response

from ...host import run_lists
from ..plots import plotted
from ..visits import Place, Visit

SPANS = {"days": (86400.0, 30, "%d %b"), "hours": (3600.0, 48, "%a %H:00")}
"""Seconds of a bar, how many there are, and how each is named."""


def spent(visit: Visit) -> Response:
    name = visit.query.get("by", "days")
    name = name if name in SPANS else "days"
    seconds, count, form = SPANS[name]
    first = (visit.host.clock() // seconds - count + 1) * seconds
    labels = [datetime.fromtimestamp(first + number * seconds, UTC).strftime(form) for number in range(count)]
    values = run_lists.spent_over_time(visit.host.store, first, seconds)
    totals = [sum(pair[part] for pair in values.values()) for part in (0, 1)]
    return visit.page(
        "credits_spent.html",
        by=name,
        spans=SPANS,
        plot=plotted(labels, values),
        spent=totals[0],
        reserved=totals[1],
        workflows=run_lists.spent_by(visit.host.store, first, "workflow"),
        actions=run_lists.spent_by(visit.host.store, first, "action"),
    )


PLACES = (Place("/credits", spent),)
