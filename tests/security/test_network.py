"""A hostile server, or one in the service's place: where a credential may go, and what an answer may cost."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apollo_component.connector.client import LIMIT, send
from apollo_component.connector.inflating import PIECE, inflated
from apollo_component.connector.messages import Request
from apollo_component.contract.errors import TransientError, UnreadableReplyError
from apollo_component.contract.models import Reply
from apollo_component.contract.servers import wrong
from apollo_component.host.settings import Settings

CANARY = "CANARY-credential-of-the-request"
Serve = Callable[[bytes], "Raw"]


class Raw:
    """A server that answers each connection with the same bytes, and counts them."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.seen = answer, list[bytes]()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.seen.append(connection.recv(65536))
                try:
                    connection.sendall(self.answer)
                except OSError:
                    continue


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[Raw] = []

    def start(answer: bytes) -> Raw:
        made.append(Raw(answer))
        return made[-1]

    yield start
    for server in made:
        server.socket.close()


def now() -> datetime:
    return datetime.now(UTC)


def ask(url: str, method: str = "GET") -> Reply:
    request = Request(method, url, headers={"x-api-key": CANARY, "authorization": f"Bearer {CANARY}"})
    return send(request, deadline=now() + timedelta(seconds=20), now=now)


def head(body: bytes, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *lines, "", ""]).encode() + body


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_takes_the_credential_nowhere(serve: Serve, status: int, method: str) -> None:
    """Neither to another port, nor to another scheme, host or user on the way: the second server sees no request."""
    thief = serve(head(b"{}"))
    port = thief.url.rpartition(":")[2]
    for target in (thief.url, f"//127.0.0.1:{port}/", f"http://user@127.0.0.1:{port}/", f"http://localhost:{port}/"):
        answer = f"HTTP/1.1 {status} Go\r\ncontent-length: 0\r\nlocation: {target}\r\n\r\n".encode()
        reply = ask(serve(answer).url, method)
        assert reply.status == status
    assert thief.seen == []


def test_the_next_address_in_a_header_is_not_followed(serve: Serve) -> None:
    """Refresh and Link headers lead nowhere either."""
    thief = serve(head(b"{}"))
    assert ask(serve(head(b"{}", refresh=f"0; url={thief.url}", link=f"<{thief.url}>; rel=next")).url).status == 200
    assert thief.seen == []


def test_a_compressed_bomb_is_refused_early(serve: Serve) -> None:
    """A quarter of a megabyte that would become 256 MB ends at the limit of an answer."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    assert len(bomb) < 300_000
    server = serve(head(bomb, content_encoding="gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableReplyError, match="larger than"):
            ask(server.url)
        assert tracemalloc.get_traced_memory()[1] < LIMIT + 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_bomb_is_unpacked_piece_by_piece() -> None:
    """No single piece is larger than said, however much hides in a few bytes."""
    bomb = gzip.compress(bytes(50_000_000))
    sizes = [len(part) for part in inflated([bomb], "gzip")]
    assert max(sizes) <= PIECE
    assert sum(sizes) == 50_000_000


@pytest.mark.parametrize("name", ["gzip, gzip", "br", "zstd", "deflate", "gzip;q=1", "identity, gzip", "x"])
def test_no_other_compression_is_understood(serve: Serve, name: str) -> None:
    """Only gzip is asked for; a chain of encodings would multiply what each of them allows."""
    body = gzip.compress(gzip.compress(b"{}"))
    with pytest.raises(UnreadableReplyError, match="not asked for"):
        ask(serve(head(body, content_encoding=name)).url)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"x", gzip.compress(b"{}") * 2, b"\x1f\x8b\x08", b"{}"],
    ids=["cut off", "more", "twice", "only a beginning", "plain"],
)
def test_compressed_data_must_be_whole(serve: Serve, body: bytes) -> None:
    """What is broken, cut off or followed by more is no answer."""
    with pytest.raises(UnreadableReplyError):
        ask(serve(head(body, content_encoding="gzip")).url)


def test_an_empty_body_may_say_it_is_compressed(serve: Serve) -> None:
    """Proxies leave the header where there is nothing to unpack."""
    assert ask(serve(head(b"", content_encoding="gzip")).url).body == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"x-filler: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-filler: a\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFFFFF\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n\tb\x00c\r\n\r\n",
    ],
    ids=["long header", "many headers", "two lengths", "endless chunk", "control character"],
)
def test_headers_have_an_end(serve: Serve, answer: bytes) -> None:
    """Endless, doubled and broken headers are an error of the answer, soon."""
    began = time.monotonic()
    with pytest.raises((UnreadableReplyError, TransientError)):
        ask(serve(answer).url)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.test", "http://127.1.evil.test", "http://evil.test#@127.0.0.1", "http://2130706433",
        "http://0x7f.1", "http://0.0.0.0", "http://[::]", "http://169.254.169.254", "http://[fd00::1]",
        "http://127.0.0.1@evil.test", "https://evil.test\\@api.test", "https://a.test\r\nx: y", "https://a.test/\x00",
        "https://a.test/?x", "javascript:alert(1)", "file:///etc/passwd", "//a.test", "https:a.test", "http://localhost.",
        "http://LOCALHOST.evil.test", "https://[::1",
    ],
)  # fmt: skip
def test_a_base_address_is_https_or_this_machine(url: str) -> None:
    """Plain http goes to loopback only, however the address is written; nothing hides another host in it."""
    assert wrong(url)


@pytest.mark.parametrize(
    "url", ["http://evil.test", "https://u:p@evil.test", "https://a.test/?x", "https://a.test\\@b"]
)
def test_the_address_for_deliveries_is_the_operators(url: str) -> None:
    """It comes from the environment alone, and an unsafe one ends the start."""
    from apollo_component.contract.errors import InputError

    with pytest.raises(InputError, match="WORKFLOW_HOST_PUBLIC_URL"):
        Settings.from_environment({"WORKFLOW_HOST_PUBLIC_URL": url, "WORKFLOW_HOST_HOME": "/tmp/x"})
