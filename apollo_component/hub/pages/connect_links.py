"""Links for end users: made, listed and revoked by operators. A link is shown once, when it is made."""

from typing import Any

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError, Problem
from ...host.connect_sessions import ConnectSession, ConnectSessions, link_to
from ...host.needs import asked_of
from ...host.workflow.catalogue import runnable, using
from ..guides import titles
from ..visits import Place, Visit

LASTS = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0, "month": 30 * 86400.0}


def listed(visit: Visit) -> Response:
    return _page(visit)


def made(visit: Visit) -> Response:
    """The answer holds the link and isn't stored by browsers; a reload of it doesn't show the link again."""
    form = visit.form
    try:
        asked = _asked(visit, form.get("connector", ""), form.get("workflow", ""))
        session, token = ConnectSessions(visit.host).make(
            form.get("owner", "").strip(),
            form.get("connector", ""),
            types=form.getlist("types"),
            app=form.get("app", ""),
            actions=list(dict.fromkeys([*form.getlist("for"), *asked])),
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


def _asked(visit: Visit, connector: str, workflow: str) -> tuple[str, ...]:
    """What a workflow asks now: the link isn't changed with it. Raises InputError and NotFoundError."""
    if not workflow:
        return ()
    try:
        found = runnable(visit.host, visit.hub.workflows, workflow)
        return asked_of(connector, found, visit.host.registry.manifests)
    except InputError:
        problem = Problem(f"“{workflow}” can't be used; its page says what to mend.", path="workflow")
        raise InputError("No link was made.", [problem]) from None


def _page(visit: Visit, status: int = 200, **more: Any) -> Response:
    manifests = list(visit.host.registry.manifests.values())
    asked = visit.form.get("connector", visit.query.get("connector", ""))
    manifest = next((one for one in manifests if one.id == asked), manifests[0] if manifests else None)
    names = visit.form.getlist("for") or visit.query.getlist("for")
    values: dict[str, Any] = {
        "sessions": ConnectSessions(visit.host).all(),
        "kinds_of": lambda session: _titles(visit, session),
        "manifests": manifests,
        "manifest": manifest,
        "workflows": using(visit.host, visit.hub.workflows, manifest.id) if manifest else [],
        "workflow": visit.form.get("workflow", visit.query.get("workflow", "")),
        "apps": visit.host.apps.all(),
        "names": titles(manifest, names),
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
