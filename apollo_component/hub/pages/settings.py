"""The settings' index, with what there is to know of this Hub."""

from starlette.responses import Response

from ... import __version__
from ...host.workflow.fleet import Workers
from ..visits import Place, Visit

DATABASES = {True: "SQLite", False: "PostgreSQL"}


def shown(visit: Visit) -> Response:
    host = visit.host
    facts = {
        "version": __version__,
        "database": DATABASES[host.store.is_sqlite],
        "address": visit.hub.address,
        "public": host.settings.public_url or visit.hub.texts("settings.not_set"),
        "workers": visit.hub.texts("settings.alive", count=_alive(visit)),
    }
    return visit.page("settings.html", facts=facts)


def _alive(visit: Visit) -> int:
    return len(Workers(visit.host.store, visit.host.shared).working())


PLACES = (Place("/settings", shown),)
