"""Answers `/api/v1` and the older `/v1`: route, fault, credential, quota, parameters, operation, in that order."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from . import errors, strange
from . import http as wire
from . import params as read
from .auth import basic_client, caller_of, check_access
from .faults import PROXY_PAGE, Fault, with_wrong_types
from .http import Receive, Reply, Scope, Send, reply_of
from .operation import Answer, Call, Caller, Listing, Operation
from .recorder import Recorded, credential_name, token_body
from .refusals import REFUSALS
from .routes import TOKEN_PATHS, Routes, current, refused_route

if TYPE_CHECKING:
    from .state import State

TOKEN = "oauth_token"
FORM = "application/x-www-form-urlencoded"
NOBODY = Caller("", "", "")


@dataclass(slots=True)
class Inbound:
    """One request, with the operation it means."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    operation: Operation | None
    path_params: dict[str, str]
    added: list[tuple[str, str]] = field(default_factory=list)
    number: int = 0  # of the recorded request

    @property
    def content_type(self) -> str:
        return self.headers.get(b"content-type", b"").decode("latin-1")

    @property
    def is_token(self) -> bool:
        return (self.method, self.path) in TOKEN_PATHS

    @property
    def name(self) -> str | None:
        return TOKEN if self.is_token else self.operation.id if self.operation else None


async def serve(state: "State", routes: Routes, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one request, with the fault that strikes it, and records it."""
    inbound = _inbound(routes, scope, await wire.read_body(receive))
    recorded = _record(state, inbound, scope)
    inbound.number = recorded.number
    fault = state.faults.pick(inbound.name or inbound.path, auth=recorded.auth)
    await state.faults.pause(state.settings.latency_ms / 1000)
    if fault is None:
        reply = work(state, inbound)
        state.courier.wake()
        return await _finish(scope, send, reply, recorded)
    recorded.fault = fault.kind
    return await _serve_faulty(state, fault, inbound, recorded, (scope, receive, send))


async def _serve_faulty(
    state: "State", fault: Fault, inbound: Inbound, recorded: Recorded, asgi: tuple[Scope, Receive, Send]
) -> None:
    scope, receive, send = asgi
    name = inbound.name or inbound.path
    if fault.kind == "drop_before":
        return await wire.drop(scope, receive)
    await state.faults.pause(fault.seconds if fault.kind == "latency" else 0)
    if fault.kind == "hold_before":
        await state.faults.hold(name, fault.kind)
    reply = _instead(fault, state.settings.dialect) or work(state, inbound)
    state.courier.wake()
    recorded.status = reply.status
    if fault.kind == "hold_after":
        await state.faults.hold(name, fault.kind)
    if fault.kind == "drop_after":
        return await wire.drop(scope, receive)
    if fault.kind == "truncate":
        return await wire.send_half(scope, receive, send, reply)
    if fault.kind == "wrong_types" and reply.content_type == wire.JSON:
        reply.body = orjson.dumps(with_wrong_types(orjson.loads(reply.body)))
    return await _finish(scope, send, reply, recorded)


def _instead(fault: Fault, dialect: str) -> Reply | None:
    """The answer a fault gives in place of any work."""
    if fault.kind == "refusal":
        refusal = REFUSALS[fault.name]
        return reply_of(refusal.status, errors.in_dialect(refusal.body, dialect))
    if fault.kind == "html":
        return Reply(200, PROXY_PAGE.encode(), "text/html; charset=utf-8")
    if fault.kind == "status":
        body = fault.body if fault.body is not None else {"error": "Service Unavailable"}
        return reply_of(fault.status, body, fault.headers)
    return None


async def _finish(scope: Scope, send: Send, reply: Reply, recorded: Recorded) -> None:
    recorded.status = reply.status
    gone = wire.client_is_gone(scope)
    await wire.send_reply(send, reply)
    recorded.answered = not gone


def _inbound(routes: Routes, scope: Scope, body: bytes) -> Inbound:
    path = current(scope["path"])
    operation, path_params = routes.find(scope["method"], path) or (None, {})
    query = scope["query_string"].decode("latin-1")
    headers = dict(scope["headers"])
    return Inbound(scope["method"], path, query, headers, body, operation, path_params)


def _record(state: "State", inbound: Inbound, scope: Scope) -> Recorded:
    secretive = token_body(inbound.body, inbound.content_type) if inbound.is_token else None
    return state.recorder.add(
        at=state.clock.now(),
        method=inbound.method,
        path=scope["path"],
        query=inbound.query,
        headers=scope["headers"],
        body=inbound.body.decode("utf-8", "replace") if secretive is None else secretive,
        auth=credential_name(inbound.headers, state.keys.names),
        operation=inbound.name,
    )


def work(state: "State", inbound: Inbound) -> Reply:
    """The whole answer to one request, without waiting for anything."""
    started = time.perf_counter()
    state.answers += 1
    state.agenda.run(state.clock.now())
    request_id = f"{state.options.seed:08x}-{state.answers:012x}"
    try:
        status = inbound.operation.status if inbound.operation else 200
        reply = Reply(status, orjson.dumps(_answer(state, inbound, request_id)))
    except errors.Refusal as refusal:
        reply = reply_of(refusal.status, refusal.body, refusal.headers)
    reply.headers += [
        *inbound.added,
        ("x-request-id", request_id),
        ("x-http-request-id", request_id),
        ("x-runtime", f"{time.perf_counter() - started:.6f}"),
    ]
    return reply


def _answer(state: "State", inbound: Inbound, request_id: str) -> Answer | Listing:
    """Checks the caller, counts the request and lets the operation answer."""
    if inbound.is_token:
        return _token(state, inbound)
    params = read.merge(inbound.query, inbound.body, inbound.content_type)
    caller = _caller(state, inbound, params)
    operation = inbound.operation
    if operation is None:
        token = caller.scopes is not None
        raise refused_route(inbound.method, inbound.path, with_token=token) or errors.not_found()
    if not operation.public:
        check_access(caller, operation, state.settings.dialect)
    if caller is not NOBODY:
        plan = "free" if caller.free else state.settings.plan
        inbound.added = state.quotas.spend(caller.team, plan, operation)
    base = f"http://{inbound.headers.get(b'host', b'127.0.0.1').decode('latin-1')}"
    call = Call(state, operation, caller, params, inbound.path_params, request_id, base)
    return strange.answered(call, inbound.number)


def _caller(state: "State", inbound: Inbound, params: dict[str, Any]) -> Caller:
    """The caller; nobody is one, too, where no credential is needed or no operation is there."""
    try:
        if "api_key" in params:
            raise errors.key_in_wrong_place()
        return caller_of(inbound.headers, state.keys, state.tokens, state.world.team_id, state.settings.dialect)
    except errors.Refusal:
        unknown = inbound.operation is None and not refused_route(inbound.method, inbound.path, with_token=False)
        # unverified: an unknown route is told before the credential is looked at
        if unknown or (inbound.operation is not None and inbound.operation.public):
            return NOBODY
        raise


def _token(state: "State", inbound: Inbound) -> dict[str, Any]:
    """One token request, as a form or (third-party clients do so) as JSON.

    The client's credentials may come in the body (documented) or as Basic, which then leads (both unverified).
    """
    inbound.added = [("cache-control", "no-store")]
    params = read.parse_body(inbound.body, inbound.content_type or FORM)
    sent = {name: value for name, value in params.items() if isinstance(value, str)}
    return state.tokens.exchange(sent | basic_client(inbound.headers))
