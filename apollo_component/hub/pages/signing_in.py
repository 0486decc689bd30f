"""Signing in by the one-time link that the Hub printed, and out."""

from starlette.responses import Response

from ..visits import Place, Visit, Who, with_session, without_session


def show(visit: Visit) -> Response:
    """The token is behind the address's #, which no server, proxy or log sees; a script sends it."""
    if visit.session and visit.session.is_operator:
        return visit.to("/")
    return visit.page("sign_in.html")


def sign_in(visit: Visit) -> Response:
    address = visit.request.client.host if visit.request.client else ""
    cookie = visit.hub.sessions.sign_in(visit.form.get("token", ""), address)
    if cookie is None:
        return visit.told({"problem": visit.hub.texts("sign_in.refused")}, 403)
    return with_session(visit.hub, visit.told({"to": f"{visit.hub.base}/"}), cookie)


def sign_out(visit: Visit) -> Response:
    if visit.session:
        visit.hub.sessions.end(visit.session)
    return without_session(visit.hub, visit.to("/sign-in"))


PLACES = (
    Place("/sign-in", show, who=Who.ANYONE),
    Place("/sign-in", sign_in, ["POST"], Who.ANYONE),
    Place("/sign-out", sign_out, ["POST"], Who.GUEST),
)
