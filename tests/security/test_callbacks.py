"""The two addresses of ours that others can send to: deliveries, and the way back of an authorization."""

import asyncio
import http.client
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest

from apollo_component.contract.errors import ReauthorizationError
from apollo_component.host import callbacks
from apollo_component.host.deliveries import TOKEN_BYTES, hashed
from apollo_component.host.listener import Listener
from tests.conftest import free_port

TOKEN = "the-right-token"


class Deliveries:
    """Knows one token; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, token: str) -> object | None:
        self.asked.append(token)
        return SimpleNamespace(body=b"", connection="x") if token == TOKEN else None


@pytest.fixture
def host() -> SimpleNamespace:
    return SimpleNamespace(
        deliveries=Deliveries(), connections=SimpleNamespace(get=lambda _: SimpleNamespace(connector="x"))
    )


def deliver(app, path: str, content, **headers: str) -> httpx.Response:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://local") as client:
            return await client.post(path, content=content, headers=headers)

    return asyncio.run(go())


def test_a_body_that_trickles_in_has_an_end(host) -> None:
    """Whoever sends a byte now and then is cut off, and nothing is kept."""

    async def trickle():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.02)

    reply = deliver(callbacks.application(host, body_seconds=0.1), f"/callbacks/{TOKEN}", trickle())
    assert reply.status_code == 408
    assert reply.headers["connection"] == "close"


def test_a_body_without_a_token_is_not_read(host) -> None:
    """A stranger can't make this process hold megabytes: the token is looked at first."""
    read: list[bytes] = []

    async def body():
        for _ in range(64):
            read.append(b"x" * 1_000_000)
            yield read[-1]

    async def go() -> int:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/callbacks/wrong",
            "headers": [],
            "query_string": b"",
            "raw_path": b"",
        }
        pieces, sent = body(), []

        async def receive():
            return {"type": "http.request", "body": await anext(pieces), "more_body": True}

        async def send(message) -> None:
            sent.append(message)

        await callbacks.application(host)(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(go()) == 404
    assert read == []


@pytest.mark.parametrize("name", ["evil.test", "127.0.0.1:1", "localhost", "metadata.internal", "[::1]"])
def test_a_rebound_name_learns_nothing(host, name: str) -> None:
    """Under whatever name a page in a browser reaches the server: without the token the answer is empty and the same,
    and nothing allows the page to read it."""
    reply = deliver(callbacks.application(host), "/callbacks/guess", b"{}", host=name, origin="http://evil.test")
    assert (reply.status_code, reply.content) == (404, b"")
    assert not [header for header in reply.headers if header.startswith("access-control")]


def test_a_token_can_not_be_guessed() -> None:
    """256 bits, kept as a hash only: at a million guesses a second it takes longer than the universe has lasted."""
    assert TOKEN_BYTES * 8 >= 256
    assert len(hashed("x")) == 64


@pytest.mark.real
def test_too_many_at_once_are_told_to_come_again(host) -> None:
    """Connections that say nothing can't use this process up: past a number of them the answer is 503."""
    with callbacks.serve(host, 0) as address:
        parts = urlsplit(address)
        idle = [
            http.client.HTTPConnection(parts.hostname, parts.port, timeout=5) for _ in range(callbacks.CONNECTIONS + 5)
        ]
        for connection in idle:
            connection.connect()
        until = time.monotonic() + 30
        status = 0
        while status != 503 and time.monotonic() < until:
            status = httpx.post(f"{address}/callbacks/x", content=b"").status_code
        assert status == 503
        for connection in idle:
            connection.close()
        while status != 404 and time.monotonic() < until + 30:
            status = httpx.post(f"{address}/callbacks/x", content=b"").status_code
        assert status == 404


@pytest.mark.real
def test_a_long_head_is_refused(host) -> None:
    """Neither an address nor headers without end are read."""
    with callbacks.serve(host, 0) as address:
        parts = urlsplit(address)
        for path, headers in ((f"/callbacks/{'x' * 400_000}", {}), ("/callbacks/x", {"x-filler": "y" * 400_000})):
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
            try:
                connection.request("POST", path, b"", headers)
                assert connection.getresponse().status in (400, 404, 431)
            except (ConnectionError, http.client.BadStatusLine):
                pass  # closed while it was still being sent
            finally:
                connection.close()
        assert max(map(len, host.deliveries.asked), default=0) < 100_000


@pytest.fixture
def listener():
    with Listener(f"http://127.0.0.1:{free_port()}/callback", "state-of-this-attempt") as made:
        yield made


def visit(listener: Listener, query: str, host: str = "") -> int:
    address, port = listener._server.server_address[:2]
    connection = http.client.HTTPConnection(address, port, timeout=5)
    connection.request("GET", f"/callback?{query}", headers={"Host": host or f"{address}:{port}"})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.real
@pytest.mark.parametrize("query", ["code=a", "code=a&state=x", "code=a&state=", "state=x", "error=denied&state=x"])
def test_an_answer_to_another_attempt_is_not_taken(listener, query: str) -> None:
    """A page that comes to the address with a code of its own, with a fixed or without a state, ends nothing: the
    attempt goes on and takes its own answer."""
    assert visit(listener, query) == 404
    assert visit(listener, "code=mine&state=state-of-this-attempt") == 200
    assert listener.wait(1)["code"] == "mine"


@pytest.mark.real
@pytest.mark.parametrize("name", ["evil.test", "evil.test:80", "localhost", "127.0.0.1", "127.0.0.1:1"])
def test_a_rebound_name_brings_no_answer(listener, name: str) -> None:
    """A name that somebody made lead to this machine is not the redirect's."""
    assert visit(listener, "code=a&state=state-of-this-attempt", name) == 404
    with pytest.raises(ReauthorizationError):
        listener.wait(0.05)


@pytest.mark.real
def test_a_refusal_needs_no_state(listener) -> None:
    """Services are known to leave it out when access is denied."""
    before = threading.active_count()
    assert visit(listener, "status_code=403&error_message=no") == 200
    assert threading.active_count() <= before + 1
