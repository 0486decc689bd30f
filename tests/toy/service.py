"""Tidepool: a made-up harbour service on this computer, with keys, an authorize page and rotating tokens."""

import html
import http.client
import json
import secrets
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

REDIRECT = "http://127.0.0.1:8799/back"
BERTHS = [{"code": f"{'ABC'[n % 3]}-{n + 1}", "free": n % 2 == 0} for n in range(90)]
TOKEN_SECONDS = 3600


class Tidepool:
    """The service and what it knows. Use as a context manager; `url` is where it listens."""

    def __init__(self) -> None:
        self.key = "tide_key_" + secrets.token_urlsafe(24)
        self.client_id = "tide-app"
        self.client_secret = "tide_secret_" + secrets.token_urlsafe(24)
        self.redirect = REDIRECT
        self.codes: dict[str, list[str]] = {}
        self.access: dict[str, list[str]] = {}
        self.refresh: dict[str, tuple[str, list[str]]] = {}
        self.notes: list[dict] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.token_answers: Counter[str] = Counter()
        self.dropped_answers = 0
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *problem) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        return {"TIDEPOOL_API_URL": f"{self.url}/v2", "TIDEPOOL_LOGIN_URL": self.url}

    def paths(self, start: str = "/v2") -> list[str]:
        return [path for _, path, _ in self.requests if path.startswith(start)]

    def expire(self) -> None:
        """No access token is good any more; the refresh tokens are."""
        self.access.clear()

    # what the handler asks

    def caller(self, headers) -> list[str] | None:
        """The scopes of whoever asks, None for nobody."""
        if headers.get("X-Tide-Key") == self.key:
            return ["*"]
        kind, _, token = (headers.get("Authorization") or "").partition(" ")
        return self.access.get(token) if kind == "Tide" else None

    def pair(self, scopes: list[str]) -> dict:
        access, refresh = "ta_" + secrets.token_urlsafe(24), "tr_" + secrets.token_urlsafe(24)
        self.access[access], self.refresh[refresh] = scopes, (access, scopes)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": TOKEN_SECONDS,
            "scope": ",".join(scopes),
        }

    def token(self, form: dict[str, str]) -> tuple[int, dict]:
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client"}
        grant = form.get("grant_type", "")
        if grant == "authorization_code" and form.get("redirect_uri") == self.redirect:
            scopes = self.codes.pop(form.get("code", ""), None)
        elif grant == "refresh_token":
            old, scopes = self.refresh.pop(form.get("refresh_token", ""), ("", None))
            self.access.pop(old, None)
        else:
            scopes = None
        self.token_answers[f"{grant} {'refused' if scopes is None else 'ok'}"] += 1
        return (400, {"error": "invalid_grant"}) if scopes is None else (200, self.pair(scopes))


def _handler(pool: Tidepool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self):
            self._work("GET")

        def do_POST(self):
            self._work("POST")

        def _work(self, method):
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            with pool.lock:
                pool.requests.append((method, self.path, dict(self.headers)))
                if parts.path == "/authorize":
                    return self._authorize(method, query, dict(parse_qsl(body)))
                if parts.path == "/token":
                    return self._json(*pool.token(dict(parse_qsl(body))))
                return self._api(method, unquote(parts.path), query, body)

        def _authorize(self, method, query, form):
            """A page with the request in hidden fields; posting it sends the person back."""
            if method == "GET":
                good = query.get("client_id") == pool.client_id and query.get("redirect_uri") == pool.redirect
                fields = "".join(f'<input name="{k}" value="{html.escape(v)}">' for k, v in query.items())
                page = f'<form method="post">{fields}<button name="decision">' if good else "Who are you?"
                return self._send(200 if good else 400, page.encode(), "text/html")
            if form["decision"] == "allow":
                code = secrets.token_urlsafe(24)
                pool.codes[code] = ["me", *form.get("scope", "").split(",")] if form.get("scope") else ["me"]
                answer = {"code": code, "state": form.get("state", "")}
            else:
                answer = {"error": "access_denied", "error_description": "Not on my pier.", "state": form["state"]}
            return self._send(303, b"", "text/html", Location=f"{form['redirect_uri']}?{urlencode(answer)}")

        def _api(self, method, path, query, body):
            scopes = pool.caller(self.headers)
            if scopes is None:
                kind = "stale_token" if "Authorization" in self.headers else "bad_key"
                return self._json(401, {"error": kind, "message": "Nobody I know."})
            if path == "/v2/me":
                sailor = {"id": 7, "harbour": "h-1", "name": "Ada Seaworthy"}
                return self._json(200, {"aboard": True, "sailor": sailor})
            if path == "/v2/berths":
                return self._berths(scopes, query)
            return self._notes(method, path, scopes, body)

        def _berths(self, scopes, query):
            if not {"*", "berths:read"} & set(scopes):
                return self._json(403, {"error": "no_scope", "message": "You may not see the quay."})
            found = [berth for berth in BERTHS if berth["free"] or query.get("free") != "true"]
            page, size = int(query.get("p", 0)), int(query.get("size", 20))
            return self._json(200, {"quay": {"berths": found[page * size :][:size], "count": len(found)}})

        def _notes(self, method, path, scopes, body):
            berth = path.removeprefix("/v2/berths/").removesuffix("/notes")
            needed = "berths:read" if method == "GET" else "notes:write"
            if not {"*", needed} & set(scopes):
                return self._json(403, {"error": "no_scope", "message": "You may not leave notes."})
            if method == "GET":
                return self._json(200, {"notes": [note for note in pool.notes if note["berth"] == berth]})
            made = datetime.fromtimestamp(time.time(), UTC).isoformat()
            note = {"number": len(pool.notes) + 1, "berth": berth, "made": made, **json.loads(body)}
            pool.notes.append(note)
            if pool.dropped_answers:
                pool.dropped_answers -= 1
                self.close_connection = True
                return None
            return self._json(200, {"note": note})

        def _json(self, status, answer):
            left = {"x-tide-limit": "1000", "x-tide-left": str(1000 - len(pool.requests))}
            return self._send(status, json.dumps(answer).encode(), "application/json", **left)

        def _send(self, status, body, kind, **headers):
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):  # noqa: A002
            pass

    return Handler


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "input":
            self.fields[found["name"]] = found["value"]


def decide(url: str, decision: str) -> dict[str, str]:
    """Open an authorize page, press a button, and give the query the person is sent back with."""
    parts = urlsplit(url)
    page = _asked(parts.netloc, "GET", f"{parts.path}?{parts.query}")[1].decode()
    form = _Form()
    form.feed(page)
    location, _ = _asked(parts.netloc, "POST", parts.path, urlencode(form.fields | {"decision": decision}))
    return dict(parse_qsl(urlsplit(location).query))


def _asked(host: str, method: str, path: str, body: str | None = None) -> tuple[str, bytes]:
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        reply = connection.getresponse()
        return reply.headers.get("Location", ""), reply.read()
    finally:
        connection.close()
