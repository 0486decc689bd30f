"""Mutated answers through everything that reads answers: bytes, headers and status."""

import base64
import math
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector import auth
from apollo_component.connector.connector import Connector
from apollo_component.connector.replies import windows_of
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Page, Reply

from .corpus import Context, Seed
from .mutator import Mutator, written
from .watching import Watched

STATUSES = (200,) * 10 + (201, 204, 206, 299, 301, 302, 304, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 423,
            425, 429, 451, 500, 502, 503, 504, 599)  # fmt: skip
TYPES = ("application/json", "text/plain", "text/html; charset=utf-8", "", "x" * 500, "text/plain\t\x85")
NUMBERS = ("", "0", "-1", "200", "1.5", "inf", "nan", "many", "9" * 400, "1e400", "\u0661\u0662", " 7 ", "0x10")
ODD_TEXT = ("req-1", "0f8e/12:a", "", "x" * 5000, "\x9b31m", "\u202eabc", "<b>&lt;", "../..")
ENCODINGS: tuple[Callable[[str], str], ...] = (
    str, str.upper, lambda key: key[:15], lambda key: key[7:], lambda key: f"Bearer {key}", lambda key: f'"{key}"',
    lambda key: f"<b>{key}</b>", lambda key: quote(key[:4]) + key[4:], lambda key: key.encode().hex(),
    lambda key: base64.b64encode(key.encode()).decode(), lambda key: base64.b64encode(b"x:" + key.encode()).decode(),
    lambda key: "".join(f"&#{ord(char)};" for char in key), lambda key: f"x{key}y", lambda key: f"{key}\x00",
)  # fmt: skip
"""Ways in which a service may repeat what it was sent."""


class Reader:
    """The readers, in the proportions they are used in; `planted` are the secrets that the answers repeat."""

    def __init__(self, declaration: Manifest, seeds: Sequence[Seed], seed: str) -> None:
        self.manifest, self.seeds = declaration, seeds
        self.mutator = Mutator(seed)
        self.random: random.Random = self.mutator.random
        self.connector = Connector(declaration, QUIRKS, environ={})
        self.planted = {name: secrets.token_urlsafe(32) for name in ("api key", "access token", "refresh token")}
        self.key = Credential("api_key", api_key=self.planted["api key"])
        self.token = Credential(
            "oauth2",
            access_token=self.planted["access token"],
            refresh_token=self.planted["refresh token"],
        )
        self.used = self.key
        self.pieces = [None, [], {}, *(orjson.loads(seed.reply.body) for seed in seeds[::9] if seed.reply.body)]
        self.triggers = [item for item in declaration.triggers.values() if item.action]
        self.delivered = [item for item in declaration.triggers if not declaration.triggers[item].action]
        self.sources = list(declaration.option_sources)

    def next(self) -> tuple[Seed, Reply]:
        """A seed and a mutated reply; one in ten repeats a secret of the credential that is used next."""
        seed = self.random.choice(self.seeds)
        self.used = self.random.choice((self.key, self.token))
        body, planted = self._body(seed)
        headers = self._headers(planted) if self.random.randrange(3) == 0 or planted else seed.reply.headers
        status = seed.reply.status if self.random.randrange(2) == 0 else self.random.choice(STATUSES)
        if planted and self.random.randrange(4):
            status = self.random.choice(STATUSES[13:])
        return seed, Reply(status, headers, body)

    def _body(self, seed: Seed) -> tuple[bytes, bool]:
        if self.random.randrange(10) == 0:
            return self._echo(), True
        if not seed.reply.body or self.random.randrange(3) == 0:
            return self.mutator.raw(seed.reply.body), False
        body = written(self.mutator.tree(orjson.loads(seed.reply.body), seed.paths, self.pieces))
        return (self.mutator.raw(body) if self.random.randrange(8) == 0 else body), False

    def _echoed(self) -> str:
        sent = [self.used.api_key] if self.used.api_key else [self.used.access_token, self.used.refresh_token]
        key = self.random.choice(sent)
        return self.random.choice(ENCODINGS)(key)

    def _echo(self) -> bytes:
        field = self.random.choice(("error", "message", "error_message", "error_description", "error_code"))
        value: Any = f"The header said {self._echoed()}, which is wrong"
        if self.random.randrange(4) == 0:
            value = self.random.choice(([value], {"message": value}, {"x": [{"y": value}]}))
        body = orjson.dumps({field: value})
        kind = self.random.randrange(8)
        return self.mutator.raw(body) if kind == 0 else body[10:-1] if kind == 1 else body

    def _headers(self, planted: bool) -> dict[str, str]:
        choose = self.random.choice
        named = {
            "content-type": choose(TYPES),
            "retry-after": choose(NUMBERS),
            "x-request-id": self._echoed() if planted and choose((True, False)) else choose(ODD_TEXT),
            "x-rate-limit-minute": choose(NUMBERS),
            "x-minute-requests-left": choose(NUMBERS),
            "x-rate-limit-24-hour": choose(NUMBERS),
        }
        return {name: value for name, value in named.items() if self.random.randrange(2)}

    def read(self, seed: Seed, reply: Reply) -> None:
        """Through the reader of the action, now and then through another one. Raises ConnectorError."""
        other = self.random.randrange(24)
        windows_of(reply, self.manifest.data["quota_headers"])
        if other < len(_OTHERS):
            _OTHERS[other](self, reply)
            return
        sound(self.connector.read(seed.action, seed.action.example, reply, self.used))

    def _token(self, reply: Reply) -> None:
        planted = tuple(self.planted.values())
        found = auth.credential_from(reply, self.token, datetime(2026, 11, 24, tzinfo=UTC), " ", planted)
        assert found.access_token
        assert found.expires_at is None or found.expires_at.year < 2040

    def _polled(self, reply: Reply) -> None:
        trigger = self.random.choice(self.triggers)
        context = Context(given=reply)
        found = self.connector.connector_poll(trigger.id, {}, self.used, None, None, context)
        assert all(isinstance(event.id, str) and isinstance(event.version, str) for event in found.events)

    def _chosen(self, reply: Reply) -> None:
        context = Context(given=reply)
        source = self.random.choice(self.sources)
        choices, _ = self.connector.connector_options(source, self.used, "", None, context)
        assert all(isinstance(choice.label, str) and isinstance(choice.value, str) for choice in choices)

    def _received(self, reply: Reply) -> None:
        events = self.connector.connector_receive(self.random.choice(self.delivered), reply.body, {})
        assert all(isinstance(event.id, str) and isinstance(event.version, str) for event in events)


_OTHERS = (Reader._token, Reader._polled, Reader._chosen, Reader._received)


def sound(page: Page) -> None:
    """What a host relies on; it must be possible to write every record down again."""
    assert isinstance(page.records, list)
    assert page.total is None or (isinstance(page.total, int) and page.total >= 0)
    assert page.spent is None or (math.isfinite(page.spent) and page.spent >= 0)
    assert page.next_cursor is None or page.next_cursor.isdigit()
    assert all(isinstance(warning, str) and warning.isprintable() for warning in page.warnings), page.warnings
    orjson.dumps(page.records)


def fuzz(reader: Reader, count: int, watched: Watched) -> None:
    """Raises BrokenError at the first input that breaks a promise."""
    for number in range(count):
        seed, reply = reader.next()
        watched.one(number, reply.body, lambda: reader.read(seed, reply))  # noqa: B023
