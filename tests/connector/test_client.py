"""The one module that sends, against servers of this process."""

import contextlib
import gc
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from apollo_component.connector.client import LIMIT, send
from apollo_component.connector.messages import Request
from apollo_component.contract.errors import TransientError, UnreadableReplyError
from apollo_component.contract.models import Reply

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]
CANARY = "CANARY-s3cr3t"


class Server:
    """A web server in a thread: answers by path with a function, and keeps what arrived."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, Answer] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((self.command, self.path, headers, body))
                outer.answers.get(self.path.partition("?")[0], plain())(self, body)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def plain(status: int = 200, body: bytes = b"{}", length: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(body) if length is None else length), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = length is not None

    return answer


def reset(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """Cuts the connection hard, after the request has arrived."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def closed(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.close_connection = True


def dripping(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """A body that never ends, one byte at a time, each in good time."""
    handler.send_response(200)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    drip(handler, b" ")


def dripping_headers(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """Headers that never end, one byte at a time, each in good time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    drip(handler, b"a")


def drip(handler: BaseHTTPRequestHandler, byte: bytes) -> None:
    with contextlib.suppress(OSError):
        for _ in range(200):
            handler.wfile.write(byte)
            handler.wfile.flush()
            threading.Event().wait(0.05)
    handler.close_connection = True


def late(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    threading.Event().wait(1.5)
    handler.close_connection = True


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def server(running: Server) -> Server:
    running.seen.clear()
    running.answers.clear()
    return running


def clock() -> datetime:
    return datetime.now(UTC)


def ask(url: str, seconds: float = 5, **more: Any) -> Reply:
    values: dict[str, Any] = {"method": "GET", "query": (("q", CANARY),), "headers": {"x-api-key": CANARY}}
    request = Request(url=url, **(values | more))
    return send(request, deadline=clock() + timedelta(seconds=seconds), now=clock)


def failure(url: str, **more: Any) -> TransientError:
    with pytest.raises(TransientError) as caught:
        ask(url, **more)
    error = caught.value
    assert CANARY not in f"{error} {error!r} {error.hint} {json.dumps(error.as_dict())}"
    assert "?" not in f"{error} {error.hint}"
    return error


def test_a_json_request_arrives_as_it_was_meant(server: Server) -> None:
    """Method, query, headers and JSON body reach the server unchanged; status, headers and body come back."""
    server.answers["/a"] = plain(
        201,
        b'{"ok": 1}',
        X_Request_Id="r1",
        X_Rate_Limit_Minute="",
        Retry_After="5",
        Content_Type="application/json",
        Server_Timing="x",
    )
    query = (("name[]", "a b"), ("name[]", "ü&="), ("r[min]", "1"))
    reply = ask(server.url + "/a", method="POST", query=query, json={"x": [1, None, "ü"]}, headers={"x-api-key": "k"})
    ((method, path, headers, body),) = server.seen
    assert method == "POST"
    assert parse_qsl(path.removeprefix("/a?"), strict_parsing=True) == list(query)
    assert headers["x-api-key"] == "k"
    assert json.loads(body) == {"x": [1, None, "ü"]}
    assert (reply.status, reply.body, reply.final_url_host) == (201, b'{"ok": 1}', "127.0.0.1")
    told = dict(reply.headers)
    assert told.pop("date").endswith("GMT")
    assert told == {
        "x-request-id": "r1",
        "x-rate-limit-minute": "",
        "retry-after": "5",
        "content-type": "application/json",
    }


def test_a_form_arrives_as_a_form(server: Server) -> None:
    """A form is sent url-encoded in the body and nowhere else."""
    ask(server.url + "/a", method="POST", query=(), form={"code": "a b+c", "x": "ü"}, headers={})
    ((_, path, headers, body),) = server.seen
    assert path == "/a"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert body == b"code=a+b%2Bc&x=%C3%BC"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server: Server, status: int) -> None:
    """A redirect comes back as it is: the credential is not sent a second time, not even to the same host."""
    server.answers["/a"] = plain(status, b"", location=server.url + "/b")
    reply = ask(server.url + "/a")
    assert reply.status == status
    assert [path for _, path, _, _ in server.seen] == ["/a?q=" + CANARY]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_refusals_are_answers(server: Server, status: int) -> None:
    """Every status is an answer to read, not an error of sending."""
    server.answers["/a"] = plain(status, b'{"error": "x"}')
    assert ask(server.url + "/a").status == status


def test_compressed_answers_are_unpacked(server: Server) -> None:
    """gzip is asked for and undone."""
    server.answers["/a"] = plain(200, gzip.compress(b'{"a": 1}'), content_encoding="gzip")
    assert ask(server.url + "/a").body == b'{"a": 1}'
    assert server.seen[0][2]["accept-encoding"] == "gzip"


def test_no_cookie_goes_from_one_request_to_the_next(server: Server) -> None:
    """What a server sets for one connection's request is not sent with another's."""
    server.answers["/a"] = plain(200, set_cookie=f"session={CANARY}; Path=/")
    ask(server.url + "/a")
    ask(server.url + "/a")
    assert "cookie" not in server.seen[1][2]


def test_nobody_listening_is_known_before_work() -> None:
    """A refused connection surely did nothing, and says which host can't be reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        error = failure(f"http://127.0.0.1:{port}/a")
    assert not error.worked
    assert "127.0.0.1 can't be reached (connection refused)" in error.message


@pytest.mark.parametrize("path", ["/reset", "/closed", "/late"])
def test_a_lost_answer_may_have_worked(server: Server, path: str) -> None:
    """When the connection breaks, or time runs out, after the request left, the server may have done its work."""
    server.answers = {"/reset": reset, "/closed": closed, "/late": late}
    assert failure(server.url + path, method="POST", json={"a": CANARY}, seconds=1).worked
    assert len(server.seen) == 1


def test_half_a_body_is_unreadable(server: Server) -> None:
    """A body shorter than announced is not taken for an answer."""
    server.answers["/a"] = plain(200, b'{"a": "' + CANARY.encode(), length=1000)
    error = failure(server.url + "/a")
    assert isinstance(error, UnreadableReplyError)
    assert error.worked


def test_broken_compression_is_unreadable(server: Server) -> None:
    """A body that can't be unpacked is not taken for an answer."""
    server.answers["/a"] = plain(200, b"not gzip " + CANARY.encode(), content_encoding="gzip")
    assert isinstance(failure(server.url + "/a"), UnreadableReplyError)


def test_something_that_is_not_http_is_unreadable(server: Server) -> None:
    """An answer that isn't HTTP is not taken for one."""

    def other(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.wfile.write(f"SSH-2.0 {CANARY}\r\n\r\n".encode())
        handler.close_connection = True

    server.answers["/a"] = other
    assert isinstance(failure(server.url + "/a"), UnreadableReplyError)


def test_too_large_an_answer_is_refused(server: Server) -> None:
    """A body over the limit, unpacked, is refused and says what to do; one at the limit is read."""
    server.answers["/a"] = plain(200, gzip.compress(bytes(LIMIT + 1), 1), content_encoding="gzip")
    error = failure(server.url + "/a")
    assert isinstance(error, UnreadableReplyError)
    assert "larger than 33,554,432 bytes" in error.message
    assert "fewer" in error.hint


def test_no_time_left_means_nothing_is_sent(server: Server) -> None:
    """With the deadline over, nothing is sent and nothing can have happened."""
    for seconds in (0, -1):
        error = failure(server.url + "/a", seconds=seconds)
        assert not error.worked
        assert "time for this request is over" in error.message
    assert server.seen == []


@pytest.mark.parametrize("slow", [dripping, dripping_headers])
def test_the_deadline_ends_a_slow_answer(server: Server, slow: Answer) -> None:
    """An answer that trickles in is given up at the deadline, however regularly the bytes of its headers or body come."""
    server.answers["/a"] = slow
    begun = clock()
    assert failure(server.url + "/a", seconds=1).worked
    assert clock() - begun < timedelta(seconds=5)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "http://127.0.0.1:x/", "nonsense", "http://a\nb/"])
def test_an_address_that_cannot_be_used(url: str) -> None:
    """An address that isn't one is an error of this connector, known before work."""
    assert not failure(url).worked


def test_header_values_that_cannot_be_sent_are_an_error(server: Server) -> None:
    """A credential that can't stand in a header is an error that doesn't show it, known before work."""
    for value in (f"{CANARY}\r\nx: y", f"{CANARY}\u00e4"):
        assert not failure(server.url + "/a", headers={"x-api-key": value}).worked
    assert server.seen == []


@pytest.mark.parametrize("path", ["/a", "/reset"])
def test_what_the_library_keeps_of_a_request_holds_no_credential(server: Server, path: str) -> None:
    """After an answer, and while an error with all it refers to is kept, no header of a request can be shown."""
    server.answers["/reset"] = reset
    gc.collect()
    gc.disable()
    try:
        kept = failure(server.url + path) if path == "/reset" else ask(server.url + path)
        held = [thing for thing in gc.get_objects() if isinstance(thing, httpx.Headers)]
        assert kept
        assert [thing for thing in held if "CANARY" in f"{thing!r} {thing}"] == []
    finally:
        gc.enable()
