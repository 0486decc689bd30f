"""The records of a run's step, a page at a time."""

import json
from typing import Any

import sqlalchemy as sa

from .runs import Runs
from .tables import records


def page(known: Runs, run: str, step: str, limit: int, after: int = -1) -> list[tuple[int, Any]]:
    """At most `limit` records after the place `after`, each with its place. Raises NotFoundError for the run."""
    known.get(run)
    mine = (records.c.run == run, records.c.step == step, records.c.seq > after)
    query = sa.select(records.c.seq, records.c.json).where(*mine).order_by(records.c.seq).limit(limit)
    return [(row["seq"], json.loads(row["json"])) for row in known.store.rows(query)]
