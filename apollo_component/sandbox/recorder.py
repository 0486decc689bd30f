"""Raw requests as they came in, with credentials taken out before anything is kept."""

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

KEPT = 200_000
SECRET_HEADERS = {b"x-api-key", b"authorization"}
KEY_IN_QUERY = re.compile(r"((?:^|&)api_key=)[^&]*")
KEY_IN_BODY = re.compile(r'("api_key"\s*:\s*)"[^"]*"')


@dataclass(slots=True)
class Recorded:
    """One request; `status` and `answered` are filled in as it goes."""

    number: int
    at: float
    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    body: str
    auth: str
    operation: str | None = None
    status: int | None = None
    answered: bool = False
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in self.headers
            if name not in SECRET_HEADERS
        }
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": KEY_IN_QUERY.sub(r"\1removed", self.query),
            "headers": headers,
            "auth": self.auth,
            "body": KEY_IN_BODY.sub(r'\1"removed"', self.body),
            "operation": self.operation,
            "status": self.status,
            "answered": self.answered,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Recorder:
    """The latest requests, oldest first."""

    requests: deque[Recorded] = field(default_factory=lambda: deque(maxlen=KEPT))
    seen: int = 0

    def add(self, **facts: Any) -> Recorded:
        self.seen += 1
        recorded = Recorded(number=self.seen, **facts)
        self.requests.append(recorded)
        return recorded


def token_body(body: bytes, content_type: str) -> str:
    """What may be kept of a token request: the grant type alone."""
    if content_type.startswith("application/json"):
        try:
            sent = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ""
        grant = sent.get("grant_type") if isinstance(sent, dict) else None
    else:
        grant = parse_qs(body.decode("latin-1")).get("grant_type", [None])[0]
    return f"grant_type={grant}" if grant else ""


def credential_name(headers: dict[bytes, bytes], key_names: dict[str, str]) -> str:
    """The credential without its secret: a key's name, or the start of a token's hash."""
    key = headers.get(b"x-api-key")
    if key is not None:
        return f"key:{key_names.get(key.decode('latin-1'), 'unknown')}"
    bearer = headers.get(b"authorization")
    if bearer is None:
        return "none"
    return token_name(bearer.decode("latin-1").partition(" ")[2])


def token_name(token: str) -> str:
    """How records and the ledger name a token."""
    return f"token:{hashlib.sha256(token.encode()).hexdigest()[:12]}"
