"""A Hub over a host of its own and the shared sandbox, reached in this process, with somebody signed in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from apollo_component.host import linking
from apollo_component.host.connections import Connection
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.hub.app import application
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

ADDRESS = "http://127.0.0.1:8765"


@dataclass
class Page:
    """What was answered, for tests: `text` as people read it."""

    answer: httpx.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def html(self) -> str:
        return self.answer.text

    @property
    def text(self) -> str:
        return " ".join(
            unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style).*?</\1>", "", self.html))).split()
        )

    def json(self) -> Any:
        return self.answer.json()


class Browser:
    """A client with a cookie jar that sends the session's CSRF token as the pages' forms do."""

    def __init__(self, hub: Hub, address: str = ADDRESS) -> None:
        self.hub = hub
        self.client = TestClient(application(hub), base_url=address, follow_redirects=False)

    def signed_in(self) -> "Browser":
        tokens: list[str] = []
        self.hub.sessions.announce = tokens.append
        self.hub.sessions.offer()
        assert self.post("/sign-in", {"token": tokens[0]}).status == 200
        return self

    @property
    def csrf(self) -> str:
        found = re.search(r'<meta name="csrf" content="([^"]+)">', self.client.get("/nowhere").text)
        return found[1] if found else ""

    def get(self, path: str, **options: Any) -> Page:
        return Page(self.client.get(path, **options))

    def post(self, path: str, form: Mapping[str, Any] | None = None, **options: Any) -> Page:
        return Page(self.client.post(path, data={"csrf": self.csrf, **(form or {})}, **options))

    def send(self, path: str, value: Any, method: str = "POST") -> Page:
        headers = {"x-csrf-token": self.csrf, "accept": "application/json"}
        return Page(self.client.request(method, path, json=value, headers=headers))


@pytest.fixture
def host(tmp_path: Path, service, registered, monkeypatch, database_at) -> Iterator[Host]:
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    host = Host.open(Settings(home, database_at(home)), Registry.installed())
    yield host
    host.close()


@pytest.fixture
def hub(host: Host) -> Hub:
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS)


@pytest.fixture
def anyone(hub: Hub) -> Browser:
    """A browser that isn't signed in."""
    return Browser(hub)


@pytest.fixture
def browser(hub: Hub) -> Browser:
    """A browser of an operator."""
    return Browser(hub).signed_in()


@pytest.fixture
def linked(host: Host, service) -> Connection:
    """An account linked by the sandbox's master key."""
    return linking.link_key(host, "apollo", "Main", "api_key", {"api_key": service.keys["master"]})[0]
