"""Answers the requests to one path: who asks, what was sent, the handler, and every error as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...contract.errors import ConnectorError, TransientError
from ...host.api_tokens import ApiTokens
from ...host.callbacks import read_body
from ...host.store import dumps
from ..hub import Hub
from ..tries import Tries
from ..visits import MAX_BODY, status_of, waiting
from .checking import body_value, path_values, query_values
from .endpoint import Ask, Endpoint, RefusedError


class Gate:
    """Lets those in who have a token. A wrong one costs a try; a good one is never held up by the wrong ones."""

    def __init__(self, hub: Hub) -> None:
        self.tokens = ApiTokens(hub.host.store, hub.host.clock)
        self.tries = Tries(hub.host.clock, "Too many wrong tokens came from this address.")

    def check(self, request: Request) -> None:
        """Raises RefusedError."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _unauthorized("Bearer", "A token is needed.")
        if self.tokens.check(secret.strip()):
            return
        self._count(request.client.host if request.client else "")
        raise _unauthorized('Bearer error="invalid_token"', "The token is unknown, revoked or expired.")

    def _count(self, address: str) -> None:
        try:
            self.tries.check(address)
        except TransientError as error:
            wait = waiting(error)
            raise RefusedError(429, "too_many_tries", error.message, hint=error.hint, **wait) from None
        self.tries.failed(address)


class Entry:
    """All endpoints of one path, as an ASGI application."""

    def __init__(self, hub: Hub, gate: Gate, endpoints: Sequence[Endpoint]) -> None:
        self.hub, self.gate = hub, gate
        self.endpoints: dict[str, Endpoint] = {endpoint.method: endpoint for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A fault is answered as JSON, too, and raised after that, for whoever looks after the server."""
        try:
            answer = await self._answer(Request(scope, receive))
        except Exception as fault:
            message = f"Something unexpected happened ({type(fault).__name__})."
            await told_error(RefusedError(500, "bug", message, hint="Please report it."))(scope, receive, send)
            raise
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        endpoint = self.endpoints.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            return told_error(not_allowed(self.endpoints))
        try:
            if not endpoint.is_open:
                await run_in_threadpool(self.gate.check, request)
            sent = await _sent(endpoint, request)
            return await run_in_threadpool(self._handled, endpoint, request, sent)
        except ConnectorError as error:
            return told_error(error)

    def _handled(self, endpoint: Endpoint, request: Request, sent: bytes) -> Response:
        path = path_values(endpoint, request.path_params)
        ask = Ask(self.hub, path, query_values(endpoint, request.query_params), body_value(endpoint, sent))
        value = endpoint.handler(ask)
        return Response(status_code=endpoint.status) if endpoint.answer is None else told(value, endpoint.status)


def told(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dumps(value), status, dict(headers or {}), "application/json")


def told_error(error: ConnectorError) -> Response:
    status = error.status if isinstance(error, RefusedError) else status_of(error)
    headers = error.headers if isinstance(error, RefusedError) else waiting(error)
    return told({"error": error.as_dict()}, status, headers)


def not_allowed(known: Mapping[str, Endpoint]) -> RefusedError:
    allowed = ", ".join(sorted({*known, *(["HEAD"] if "GET" in known else [])}))
    return RefusedError(405, "method_not_allowed", f"Here only {allowed} can be asked.", allow=allowed)


async def missing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers for every path that no endpoint has."""
    answer = told_error(RefusedError(404, "not_found", "There is nothing at this address.", hint="See /openapi.json."))
    await answer(scope, receive, send)


async def _sent(endpoint: Endpoint, request: Request) -> bytes:
    if endpoint.body is None:
        return b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "unsupported_media_type", "What is sent must be application/json.")
    try:
        body = await read_body(request, MAX_BODY)
    except ClientDisconnect:
        body = b""
    if body is None:
        raise RefusedError(413, "too_large", f"What was sent is larger than {MAX_BODY // 1024} KiB.")
    return body


def _unauthorized(challenge: str, message: str) -> RefusedError:
    hint = "Send it as `Authorization: Bearer TOKEN`; `tokens add` makes one."
    return RefusedError(401, "unauthorized", message, hint=hint, www_authenticate=challenge)
