"""The way to the service and back: the page of an attempt, its status for scripts, and where answers arrive."""

from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response

from ...contract.errors import InputError
from ...host.attempt_rows import Attempt
from ...host.attempts import Attempts
from ...host.connect_sessions import ConnectSessions
from ..guides import titles
from ..hub import CALLBACK
from ..visits import Place, Visit, Who

LONGEST_ANSWER = 20
"""Fields of an answer that are looked at."""


def shown(visit: Visit) -> Response:
    """Whatever has become of it; to come back to it or to load it again sends nothing."""
    attempt = _attempts(visit).get(visit.path["id"], _browser(visit))
    return visit.page("attempt.html", attempt=attempt, **_about(visit, attempt))


def told(visit: Visit) -> Response:
    return visit.told(_attempts(visit).get(visit.path["id"], _browser(visit)).as_dict())


def go(visit: Visit) -> Response:
    """To the service, with a state of its own each time."""
    return RedirectResponse(_attempts(visit).go(visit.path["id"], _browser(visit)), 303)


def cancelled(visit: Visit) -> Response:
    attempt = _attempts(visit).cancel(visit.path["id"], _browser(visit))
    return visit.told(attempt.as_dict()) if visit.wants_json else visit.to(f"/link/attempts/{attempt.id}")


def came_back(visit: Visit) -> Response:
    """Redirects at once, so that the code leaves the address."""
    if visit.session is None:
        return visit.problem(_ELSEWHERE)
    query = dict(list(visit.query.items())[:LONGEST_ANSWER])
    attempt = _attempts(visit).came_back(query, _browser(visit))
    return visit.to(f"/link/attempts/{attempt.id}")


_ELSEWHERE = InputError(
    "This answer arrived in a browser that began nothing, so nothing was linked.",
    hint="Go back to the browser where you began, and start again there.",
)


def _attempts(visit: Visit) -> Attempts:
    return Attempts(visit.host)


def _browser(visit: Visit) -> str:
    return visit.session.id if visit.session else ""


def _about(visit: Visit, attempt: Attempt) -> dict[str, Any]:
    """What the page shows beside the attempt. `connection` is None when it was removed again."""
    wanted = attempt.wanted
    manifest = visit.host.registry.manifests.get(wanted.connector)
    linked = attempt.connection if attempt.status == "linked" else None
    return {
        "connection": visit.host.connections.find(linked) if linked else None,
        "title": manifest.title if manifest else wanted.connector,
        "kind": manifest.connection_types[wanted.type] if manifest else None,
        "titles": titles(manifest, [check["name"] for check in attempt.result.get("checks", [])]),
        "start": _start(attempt),
        "back": _back(visit, attempt),
    }


def _start(attempt: Attempt) -> str:
    """Where to start over."""
    wanted = attempt.wanted
    if wanted.session:
        return f"/connect?{urlencode({'type': wanted.type})}"
    chosen = [("connector", wanted.connector), ("type", wanted.type), *(("for", name) for name in wanted.actions)]
    again = [("connection", wanted.connection)] if wanted.connection else [("name", wanted.name)]
    return f"/link?{urlencode(again + chosen)}"


def _back(visit: Visit, attempt: Attempt) -> str:
    """Where a host application wants its end user back, told what became of it."""
    if not attempt.wanted.session or attempt.status != "linked":
        return ""
    return returned(ConnectSessions(visit.host).get(attempt.wanted.session).return_url, attempt.wanted.session)


def returned(url: str, session: str) -> str:
    """A return address with the connect session that was linked; its own query stays."""
    if not url:
        return ""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({"session": session, "status": "linked"})) if part)
    return urlunsplit(parts._replace(query=query))


PLACES = (
    Place("/link/attempts/{id}", shown, who=Who.GUEST),
    Place("/attempts/{id}", told, who=Who.GUEST),
    Place("/attempts/{id}/go", go, who=Who.GUEST),
    Place("/attempts/{id}/cancel", cancelled, ["POST"], Who.GUEST),
    Place(CALLBACK, came_back, who=Who.ANYONE),
)
