"""The little HTTP the sandbox speaks itself: reading bodies, sending answers, losing connections."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = "application/json; charset=utf-8"


class ClientGone(ConnectionError):  # noqa: N818 - what it says
    """The client left before its request was whole; nothing of it is worked on."""


class ConnectionDropped(ConnectionError):  # noqa: N818 - what it says
    """Raised instead of an answer where there is no real connection to close."""


@dataclass(slots=True)
class Reply:
    """One answer before it is sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        named = [
            ("content-type", self.content_type),
            ("content-length", str(len(self.body))),
            *self.headers,
        ]
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]


def json_reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS))


def reply_of(status: int, body: Any, headers: dict[str, str] | None = None) -> Reply:
    """An answer of a text as plain text, of anything else as JSON."""
    more = list((headers or {}).items())
    if isinstance(body, str):
        return Reply(status, body.encode(), "text/plain; charset=utf-8", more)
    return Reply(status, orjson.dumps(body), JSON, more)


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request. Raises ClientGone when the client went away before it was there."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("the client went away in the middle of its request")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def send_reply(send: Send, reply: Reply) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.raw_headers()})
    await send({"type": "http.response.body", "body": reply.body})


async def send_half(scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
    """Sends the headers of the whole answer and half of its body, then closes the connection."""
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.raw_headers()})
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    await drop(scope, receive, flush=True)


async def drop(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Closes the connection without another word; without a real one it raises."""
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise ConnectionDropped("the sandbox dropped the connection")
    if flush:
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass  # the server must know of the loss before it is told that there is no answer


def client_is_gone(scope: Scope) -> bool:
    """Whether the client hung up while its request was worked on."""
    transport = scope.get("state", {}).get("transport")
    return transport is not None and bool(transport.is_closing())
