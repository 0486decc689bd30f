"""End users who come by a connect session's link: they link one account of theirs and see nothing else."""

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError
from ...host.connect_sessions import ConnectSession, ConnectSessions
from ..link_forms import LinkForm
from ..visits import Place, Visit, Who, with_session
from .attempts import returned


def arrive(visit: Visit) -> Response:
    """The token is behind the address's #; a script sends it."""
    return visit.page("connect_start.html")


def begin(visit: Visit) -> Response:
    """An operator isn't made a guest in passing: their session would end with it. Nor does another site's page make
    somebody a guest."""
    sessions, texts = visit.hub.sessions, visit.hub.texts
    if visit.request.headers.get("origin", visit.hub.origin) != visit.hub.origin:
        return visit.told({"problem": texts("guests.refused")}, 403)
    if visit.session and visit.session.is_operator:
        return visit.told({"problem": texts("guests.operator")}, 409)
    address = visit.request.client.host if visit.request.client else ""
    sessions.tries.check(address)
    found = ConnectSessions(visit.host).open(visit.form.get("token", ""))
    if found is None:
        sessions.tries.failed(address)
        return visit.told({"problem": texts("guests.refused")}, 403)
    cookie = sessions.begin(guest=found.id)
    return with_session(visit.hub, visit.told({"to": f"{visit.hub.base}/connect"}), cookie)


def shown(visit: Visit) -> Response:
    session = _session(visit)
    if not session.is_open:
        return visit.page("connect_over.html", guest=session, back=_back(session))
    return visit.page("link.html", form=_form(visit, session))


def sent(visit: Visit) -> Response:
    session = _session(visit)
    if not session.is_open:
        return visit.to("/connect")
    form = _form(visit, session)
    try:
        attempt = form.sent()
    except ConnectorError as error:
        return visit.page("link.html", 422, form=form.refused(error))
    return visit.to(f"/link/attempts/{attempt.id}")


def _session(visit: Visit) -> ConnectSession:
    if visit.session is None or visit.session.is_operator:
        raise InputError("This page is for end users who come by a link of theirs.")
    return ConnectSessions(visit.host).get(visit.session.guest)


def _form(visit: Visit, session: ConnectSession) -> LinkForm:
    manifest = visit.host.registry.manifest(session.connector)
    kinds = tuple(kind for kind in manifest.connection_types.values() if kind.id in session.types)
    kind = next((kind for kind in kinds if kind.id == visit.query.get("type")), kinds[0])
    return LinkForm(visit, manifest, kind, kinds, session.actions, guest=session)


def _back(session: ConnectSession) -> str:
    return returned(session.return_url, session.id) if session.status == "linked" else session.return_url


PLACES = (
    Place("/connect/start", arrive, who=Who.ANYONE),
    Place("/connect/start", begin, ["POST"], Who.ANYONE),
    Place("/connect", shown, who=Who.GUEST),
    Place("/connect", sent, ["POST"], Who.GUEST),
)
