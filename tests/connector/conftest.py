"""A service that answers from a script, a host that writes down what it is told, and the connector between them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.connector.messages import Request
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Reply, Window

ROOT = Path(__file__).parent.parent.parent
APOLLO = load_file(ROOT / "connector.yaml")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """Bytes as they are, everything else as JSON; `content_type="text/plain"` names a header."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "text/html" if raw.startswith(b"<") else "application/json"}
    return Reply(status, named | {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def least_answer(action: str) -> Any:
    """The smallest answer that an action can read: an empty list, or a record without anything but an id."""
    declared = APOLLO.actions.get(action)
    if declared is None or "." in (declared.reply.records, declared.reply.value):
        return [] if declared and declared.reply.records == "." and not declared.reply.optional else {}
    return {declared.reply.records: []} if declared.reply.records else {declared.reply.value: {"id": "1" * 24}}


class Service:
    """Stands for the network: answers by the end of the path, and keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Reply | Exception] = {}
        self.events: list[str] = []

    def __call__(self, request: Request, *, deadline: datetime, now: Callable[[], datetime]) -> Reply:
        self.requests.append(request)
        self.events.append("send")
        assert deadline > now()
        found = next((answer for path, answer in self.answers.items() if request.url.endswith(path)), None)
        if isinstance(found, Exception):
            raise found
        return found or a_reply(200, least_answer(request.operation))

    @property
    def paths(self) -> list[str]:
        return [request.url.partition("/api/v1")[2] for request in self.requests]


class Host:
    """The contract's Context, written down event by event."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.deadline = NOW + timedelta(seconds=60)
        self.recorded: Reply | None = None
        self.refusal: Exception | None = None
        self.seen: list[tuple[str, tuple[Window, ...], float | None]] = []
        self.kept: list[Reply] = []

    def now(self) -> datetime:
        return NOW

    def permit(self, operation: str, quota_class: str) -> None:
        self.events.append("permit")
        if self.refusal:
            raise self.refusal

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        self.events.append("observed")
        self.seen.append((operation, windows, retry_after))

    def sending(self) -> Reply | None:
        self.events.append("sending")
        return self.recorded

    def received(self, reply: Reply) -> None:
        self.events.append("received")
        self.kept.append(reply)


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_file(ROOT / "connector.yaml")


@pytest.fixture(scope="session")
def reply() -> Callable[..., Reply]:
    return a_reply


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def host(service: Service) -> Host:
    return Host(service.events)


@pytest.fixture
def make(manifest: Manifest, service: Service) -> Callable[..., Connector]:
    def build(declaration: Manifest = manifest, environ: Mapping[str, str] | None = None) -> Connector:
        return Connector(declaration, QUIRKS, send=service, environ=environ or {}, now=lambda: NOW)

    return build


@pytest.fixture
def connector(make: Callable[..., Connector]) -> Connector:
    return make()


@pytest.fixture(scope="session")
def key() -> Credential:
    return Credential("api_key", api_key="KEY-canary")


@pytest.fixture(scope="session")
def token() -> Credential:
    return Credential("oauth2", access_token="TOKEN-canary", refresh_token="REFRESH-canary")
