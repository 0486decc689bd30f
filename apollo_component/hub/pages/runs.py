"""The runs, newest first, a page at a time."""

from urllib.parse import urlencode

from starlette.responses import Response

from ...host import run_lists
from ...host.run_lists import Listed, Place, Wanted
from ...host.runs import CANCELLED, DONE, FAILED, INTERRUPTED, QUEUED, RUNNING, WAITING
from ...host.workflow.fleet import Workers
from ..visits import Place as At
from ..visits import Visit

STATUSES = (RUNNING, QUEUED, *WAITING, INTERRUPTED, DONE, FAILED, CANCELLED)
KINDS = ("workflow", "action")
NAMES = 200
"""Workflows that can be chosen from a list; a longer one is of no help."""


def listed(visit: Visit) -> Response:
    wanted = Wanted(*(visit.query.get(name, "").strip() for name in ("status", "workflow", "kind", "id")))
    before, after = (_place(visit.query.get(name, "")) for name in ("before", "after"))
    known = visit.host.runs
    found = run_lists.page(known, wanted, before=before, after=after)
    return visit.page(
        "runs.html",
        found=found,
        wanted=wanted,
        counts=known.counts(),
        statuses=STATUSES,
        kinds=KINDS,
        names=sorted(run_lists.workflows(visit.host.store), key=str.casefold)[:NAMES],
        links=_links(visit, wanted, found),
        idle=nobody_works(visit),
    )


def nobody_works(visit: Visit) -> bool:
    """Whether nothing here or elsewhere would take up a run."""
    return not (visit.hub.worker or Workers(visit.host.store, visit.host.shared).working())


def _links(visit: Visit, wanted: Wanted, found: Listed) -> dict[str, str]:
    chosen = {"status": wanted.status, "workflow": wanted.workflow, "kind": wanted.kind, "id": wanted.text}
    kept = {name: value for name, value in chosen.items() if value}
    places = {"newer": ("after", found.newer), "older": ("before", found.older)}
    return {
        name: f"{visit.hub.base}/runs?{urlencode({**kept, key: f'{place[0]!r}_{place[1]}'})}"
        for name, (key, place) in places.items()
        if place
    }


def _place(text: str) -> Place | None:
    """What a link of this page said; anything else is the first page."""
    at, _, identity = text.partition("_")
    try:
        return (float(at), identity) if identity else None
    except ValueError:
        return None


PLACES = (At("/runs", listed),)
