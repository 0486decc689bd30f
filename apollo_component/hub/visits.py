"""One request to a page: who comes, what was sent, and what can be answered. Handlers are plain functions of it.

`Place` declares a page: its path, who may come, and the handler. Everything else that must hold for every page is
here and nowhere else: the session, the CSRF token, the size of what is sent, and errors that become pages.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import ImmutableMultiDict, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..contract.errors import ConnectorError, InputError, Problem
from ..host.callbacks import read_body
from ..host.host import Host
from .hub import Hub
from .rendering import rendered
from .sessions import Session

MAX_BODY = 1024 * 1024
"""Bytes of a form or of JSON; more is refused unread."""
MAX_FIELDS = 2000
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
Form = ImmutableMultiDict[str, str]

STATUS = {2: 422, 3: 409, 4: 403, 5: 429, 6: 503, 7: 409}
"""What is answered for an error of the contract, by its exit code."""
NAMED_STATUS = {"not_found": 404, "rejected": 422, "store": 503, "manifest": 500, "cancelled": 409}
"""The same by its code, where the exit code says too little."""


class Who(StrEnum):
    """Who may come to a place."""

    ANYONE = "anyone"
    GUEST = "guest"
    """An end user with a connect session; operators too."""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Visit:
    hub: Hub
    request: Request
    session: Session | None
    form: Form = field(default_factory=lambda: ImmutableMultiDict(()), repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> Host:
        return self.hub.host

    @property
    def path(self) -> Mapping[str, Any]:
        """The parameters of the path."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def wants_json(self) -> bool:
        return "application/json" in self.request.headers.get("accept", "")

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page from `templates/`; the layout finds hub, session and the path of this visit there too."""
        return HTMLResponse(rendered(template, {"visit": self, "hub": self.hub, **values}), status)

    def told(self, value: Any, status: int = 200) -> Response:
        return JSONResponse(value, status)

    def to(self, path: str) -> Response:
        """Go to another of the Hub's pages, with GET."""
        return RedirectResponse(f"{self.hub.base}{path}", 303)

    def problem(self, error: ConnectorError) -> Response:
        """The whole answer is an error."""
        status, headers = status_of(error), waiting(error)
        if self.wants_json:
            return JSONResponse({"error": error.as_dict()}, status, headers)
        answer = self.page("problem.html", status, error=error)
        answer.headers.update(headers)
        return answer


def status_of(error: ConnectorError) -> int:
    return NAMED_STATUS.get(error.code) or STATUS.get(error.exit_code, 500)


def waiting(error: ConnectorError) -> dict[str, str]:
    """The header that says when to come again, where that is known."""
    return {"retry-after": str(int(wait) + 1)} if (wait := getattr(error, "retry_after", None)) else {}


Handler = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True)
class Place:
    """A page or an action of one. Whatever isn't GET needs the session's CSRF token."""

    path: str
    handler: Handler
    methods: Sequence[str] = ("GET",)
    who: Who = Who.OPERATOR

    def route(self, hub: Hub) -> Route:
        return Route(self.path, _endpoint(hub, self), methods=list(self.methods))


def cookie_name(hub: Hub) -> str:
    """With the port, since browsers give cookies of one port to all; with a prefix that ties it to https there."""
    port = urlsplit(hub.address).port or ""
    return f"__Secure-hub{port}" if hub.is_secure else f"hub{port}"


def with_session(hub: Hub, answer: Response, cookie: str) -> Response:
    options: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": hub.is_secure, "path": hub.base or "/"}
    answer.set_cookie(cookie_name(hub), cookie, **options)
    return answer


def without_session(hub: Hub, answer: Response) -> Response:
    answer.delete_cookie(cookie_name(hub), path=hub.base or "/", httponly=True, samesite="lax", secure=hub.is_secure)
    return answer


def _endpoint(hub: Hub, place: Place) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        session = hub.sessions.of(request.cookies.get(cookie_name(hub), ""))
        visit = Visit(hub, request, session)
        if refusal := _refused(visit, place):
            return refusal
        if request.method not in ("GET", "HEAD"):
            body = await read_body(request, MAX_BODY)
            if body is None:
                return visit.problem(_TOO_LARGE)
            visit = Visit(hub, request, session, _form(request, body), body)
            if place.who is not Who.ANYONE and not _is_meant(visit):
                return visit.problem(_NOT_MEANT)
        return await run_in_threadpool(_handled, visit, place.handler)

    return endpoint


_TOO_LARGE = InputError(
    "What was sent is too large.", [Problem(f"must be at most {MAX_BODY // 1024} KiB", path="body")]
)
_NOT_MEANT = InputError(
    "This page was out of date, so nothing was done.", hint="Load it again and repeat what you did."
)


def _refused(visit: Visit, place: Place) -> Response | None:
    session = visit.session
    if place.who is Who.ANYONE or (session and (session.is_operator or place.who is Who.GUEST)):
        return None
    if visit.wants_json:
        return JSONResponse({"error": {"code": "sign_in", "message": visit.hub.texts("sign_in.needed")}}, 401)
    if visit.request.method == "GET" and session is None:
        return visit.to("/sign-in")
    return visit.page("sign_in.html", 401)


def _handled(visit: Visit, handler: Handler) -> Response:
    try:
        return handler(visit)
    except ConnectorError as error:
        return visit.problem(error)


def _is_meant(visit: Visit) -> bool:
    """Whether the request comes from a page of this session, and not from another site's."""
    if visit.request.headers.get("origin", visit.hub.origin) != visit.hub.origin or visit.session is None:
        return False
    given = visit.request.headers.get(CSRF_HEADER) or visit.form.get(CSRF_FIELD, "")
    return secrets.compare_digest(given.encode(), visit.session.csrf.encode())


def _form(request: Request, body: bytes) -> Form:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ImmutableMultiDict(())
    try:
        return ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return ImmutableMultiDict(())
