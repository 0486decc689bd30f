"""The loopback address that an authorization comes back to: one request is wanted, then it closes."""

import hmac
import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from ..contract.errors import InputError, Problem, ReauthorizationError

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui;margin:15vh auto;max-width:34rem;padding:0 1rem}}</style>
<h1>{title}</h1><p>{text}</p></html>"""


class Listener:
    """Serves exactly the redirect address. The answer's query never reaches a log."""

    def __init__(self, redirect_uri: str, state: str = "") -> None:
        """With `state`, what carries another one isn't taken: any page in the browser can come to this address."""
        parts = urlsplit(redirect_uri)
        self._state = state
        self.path = parts.path or "/"
        self._query: dict[str, str] | None = None
        self.netloc = parts.netloc.lower().removesuffix(":80")
        self._taking = threading.Lock()
        self._arrived = threading.Event()
        try:
            self._server = ThreadingHTTPServer((parts.hostname or "127.0.0.1", parts.port or 80), self._handler())
        except OSError:
            problem = Problem(f"port {parts.port} is in use or not allowed", path="redirect_uri")
            raise InputError(
                "The address to come back to can't be opened.", [problem], hint="Close what uses it."
            ) from None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> dict[str, str]:
        """The query that came back. Raises ReauthorizationError when nobody came in time."""
        if not self._arrived.wait(seconds) or self._query is None:
            raise ReauthorizationError(
                "Nobody came back from the service in time; nothing was linked.", hint="Start again."
            )
        return self._query

    def _take(self, query: dict[str, str]) -> bool:
        """Keep an answer, the first one only; a visit without any is none."""
        with self._taking:
            if not query or self._query is not None or not self._mine(query):
                return False
            self._query = query
        return True

    def _mine(self, query: dict[str, str]) -> bool:
        """A refusal may come without a state."""
        told = query.get("state", "" if "code" in query else self._state)
        return not self._state or hmac.compare_digest(told.encode(), self._state.encode())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True)[:20])
                if self._led_here() or parts.path != listener.path or not listener._take(query):
                    self._answer(404, "Nothing here", "This address takes one answer and has nothing else to show.")
                    return
                denied = "code" not in query
                title = "Access was not given" if denied else "Answer received"
                text = "Go back to where you started; it tells what happened. You can close this window."
                try:
                    self._answer(200, title, text)
                finally:
                    listener._arrived.set()

            def _led_here(self) -> bool:
                """Whether another name than the redirect's leads here: a page elsewhere that had it rebound."""
                return self.headers.get("Host", "").lower().removesuffix(":80") != listener.netloc

            def _answer(self, status: int, title: str, text: str) -> None:
                body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
                self.send_response(status)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        return Handler


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
