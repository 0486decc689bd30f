"""A web server that keeps what arrives, and what a Rails-like service makes of it. Shares no code with the connector."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class Arrived:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Server:
    def __init__(self) -> None:
        self.seen: list[Arrived] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append(Arrived(self.command, self.path, headers, body))
                self.wfile.write(ANSWER)

            do_GET = do_POST = do_PATCH = do_PUT = answer

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/api"

    def taken(self) -> Arrived:
        """The one request that came."""
        [found] = self.seen
        self.seen.clear()
        return found


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()


def understood(arrived: Arrived, template: str) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """What stands in the path, in the query and in the body."""
    parts = urlsplit(arrived.target)
    names = re.findall(r"{(\w+)}", template)
    pattern = re.sub(r"\\{\w+\\}", "([^/]+)", re.escape("/api" + template))
    found = re.fullmatch(pattern, parts.path)
    assert found, (parts.path, template)
    in_path = dict(zip(names, map(unquote, found.groups()), strict=True))
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict") if parts.query else []
    body = json.loads(arrived.body) if arrived.body else {}
    assert isinstance(body, dict)
    return in_path, nested(pairs), body


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Query pairs by Rails' rules: `a[]=` adds to a list, `a[k]=` sets a field of an object."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        first, rest = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name).groups()  # type: ignore[union-attr]
        way = [first, *re.findall(r"\[([^\[\]]*)\]", rest)]
        here: Any = found
        for part, after in pairwise(way):
            assert part != "", "a list of objects can't be told apart in a query"
            here = here.setdefault(part, [] if after == "" else {})
        if way[-1] == "":
            here.append(value)
        else:
            assert way[-1] not in here, "a field stands twice"
            here[way[-1]] = value
    return found


def as_text(value: Any) -> Any:
    """The same with every scalar as the text that a query holds: digits, never an exponent."""
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def same(one: Any, other: Any) -> bool:
    """Equal in type too: `1`, `1.0` and `true` are three values."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
