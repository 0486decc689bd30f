"""Links for end users: made, listed and revoked by operators. A link is shown once, when it is made."""

from typing import Any

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError
from ...host.connect_sessions import ConnectSession, ConnectSessions, link_to
from ..visits import Place, Visit

LASTS = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0, "month": 30 * 86400.0}


def listed(visit: Visit) -> Response:
    return _page(visit)


def made(visit: Visit) -> Response:
    """The answer holds the link and isn't stored by browsers; a reload of it doesn't show the link again."""
    form = visit.form
    try:
        session, token = ConnectSessions(visit.host).make(
            form.get("owner", "").strip(),
            form.get("connector", ""),
            types=form.getlist("types"),
            app=form.get("app", ""),
            actions=form.getlist("for"),
            return_url=form.get("return_url", "").strip(),
            seconds=LASTS.get(form.get("lasts", ""), 0.0),
        )
    except ConnectorError as error:
        problems = error.problems if isinstance(error, InputError) else []
        wrong = {problem.path: problem.text[:1].upper() + problem.text[1:] for problem in problems}
        return _page(visit, 422, wrong=wrong, error=error)
    return _page(visit, made=session, url=link_to(visit.hub.address, token))


def revoked(visit: Visit) -> Response:
    ConnectSessions(visit.host).revoke(visit.path["id"])
    return visit.to("/settings/links")


def _page(visit: Visit, status: int = 200, **more: Any) -> Response:
    manifests = list(visit.host.registry.manifests.values())
    asked = visit.form.get("connector", visit.query.get("connector", ""))
    values: dict[str, Any] = {
        "sessions": ConnectSessions(visit.host).all(),
        "kinds_of": lambda session: _titles(visit, session),
        "manifests": manifests,
        "manifest": next((one for one in manifests if one.id == asked), manifests[0] if manifests else None),
        "apps": visit.host.apps.all(),
        "names": visit.form.getlist("for") or visit.query.getlist("for"),
        "lasts": list(LASTS),
        "made": None,
        "url": "",
        "wrong": {},
        "error": None,
    }
    return visit.page("connect_links.html", status, **values | more)


def _titles(visit: Visit, session: ConnectSession) -> list[str]:
    """How an account may be linked by it, as people call it."""
    manifest = visit.host.registry.manifests.get(session.connector)
    kinds = manifest.connection_types if manifest else {}
    return [kinds[name].title if name in kinds else name for name in session.types]


PLACES = (
    Place("/settings/links", listed),
    Place("/settings/links", made, ["POST"]),
    Place("/settings/links/{id}/revoke", revoked, ["POST"]),
)
