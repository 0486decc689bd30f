"""The route that results are delivered to: `POST /callbacks/{token}`, whoever sends, as long as the token is right.

A delivery is stored and nothing more; whoever waits for it finds it there. Neither a token nor a body is ever logged.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ..contract.errors import ConnectorError, NotFoundError, StoreError, TransientError
from .deliveries import PATH, Expected
from .events import LogEvent
from .logs import log
from .ports import ADDRESS, opened

if TYPE_CHECKING:
    from .host import Host

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a delivery; more is refused unread."""
BODY_SECONDS = 30.0
"""Within which a delivery must have come in whole."""
CONNECTIONS = 64
"""At a time; more are told to come again later."""
START_SECONDS = 10.0


def application(host: "Host", body_seconds: float = BODY_SECONDS) -> Starlette:
    """The route as an application, for a server of its own or inside another."""

    async def receive(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            if await run_in_threadpool(host.deliveries.find, token) is None:
                return Response(status_code=404)
            async with asyncio.timeout(body_seconds):
                body = await read_body(request, MAX_BODY)
            if body is None:
                return Response(status_code=413)
            return Response(status_code=await run_in_threadpool(received, host, token, body))
        except TimeoutError:
            return Response(status_code=408, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        except (StoreError, TransientError):
            return Response(status_code=503)

    return Starlette(routes=[Route(f"{PATH}{{token}}", receive, methods=["POST"])])


def received(host: "Host", token: str, body: bytes) -> int:
    """Store a delivery; the status to answer. A repeated one changes nothing; one about other records is noted.

    Raises StoreError or TransientError when the database can't take it: it must come again.
    """
    expected = host.deliveries.find(token)
    if expected is None:
        return 404
    status = _kept(host, expected, body)
    place = {"run": expected.key.run, "step": expected.key.step, "item": expected.key.item}
    log(LogEvent.CALLBACK_RECEIVED, **place, connection=expected.connection, status=status)
    return status


def _kept(host: "Host", expected: Expected, body: bytes) -> int:
    try:
        connector = host.connections.get(expected.connection).connector
        ids = host.deliveries.ids(expected, connector, body)
    except (StoreError, TransientError):
        raise
    except NotFoundError:
        return 404
    except ConnectorError:
        return 400
    if expected.body is not None:
        return 200
    if host.deliveries.matches(expected, ids):
        host.deliveries.keep(expected, body)
    else:
        host.deliveries.ignore(expected)
    return 200


async def read_body(request: Request, most: int) -> bytes | None:
    """What was sent; None when it is longer than `most` bytes, and then the rest is left unread."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def serve(host: "Host", port: int) -> Iterator[str]:
    """Serve the route on loopback from a thread of its own while the context lasts; the address it listens on.

    Port 0 takes a free one. Raises InputError when the port can't be had.
    """
    server = _server(host, port)
    with opened(port) as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="callbacks", daemon=True)
        thread.start()
        try:
            yield f"http://{ADDRESS}:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


def _server(host: "Host", port: int) -> uvicorn.Server:
    limits = {"limit_concurrency": CONNECTIONS, "timeout_keep_alive": 5, "h11_max_incomplete_event_size": 16384}
    quiet = {"access_log": False, "log_config": None, "log_level": "critical", "lifespan": "off"}
    options: dict[str, Any] = {"http": "h11", "server_header": False, **limits, **quiet}
    config = uvicorn.Config(application(host), host=ADDRESS, port=port, **options)
    return uvicorn.Server(config)
