"""A sandbox with the default world, and the connector as a host has it: through the registry, over the network."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.cli.consent import decide
from apollo_component.contract.actions import Action
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Page, Reply, Window
from apollo_component.host.registry import Registry

STATE = "state-of-this-test"


def declared_operations() -> dict[str, Action]:
    """The actions that are one operation of the service each: not the composed ones, nor the raw one."""
    actions = plugin.manifest.actions
    return {name: action for name, action in actions.items() if action.compose is None and not action.raw}


@dataclass
class Context:
    """The least a host can be: it lets everything leave and keeps the latest answer."""

    reply: Reply | None = None
    deadline: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=1))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def permit(self, operation: str, quota_class: str) -> None: ...

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None: ...

    def sending(self) -> Reply | None:
        return None

    def received(self, reply: Reply) -> None:
        self.reply = reply


@pytest.fixture(scope="module")
def context() -> Context:
    return Context()


class World:
    """The default world of a sandbox process, and accounts linked to it."""

    def __init__(self, facts: dict[str, Any], registry: Registry, control: httpx.Client) -> None:
        self.facts, self.registry, self.control = facts, registry, control

    def reset(self) -> None:
        self.control.post("/reset").raise_for_status()

    def sent(self) -> list[dict[str, Any]]:
        """The requests that came in since the account was linked."""
        found: list[dict[str, Any]] = self.control.get("/requests").raise_for_status().json()
        return found

    def ask(self, path: str) -> Any:
        return self.control.get(path).raise_for_status().json()

    def link(self, kind: str, key: str = "master") -> Credential:
        """A credential of a connection type that may do everything it can allow; what linking sent is forgotten."""
        made = self._by_key(key) if kind == "api_key" else self._by_consent(kind)
        self.control.delete("/requests").raise_for_status()
        return made

    def _by_key(self, key: str) -> Credential:
        request = AuthorizeRequest("api_key", {"api_key": self.facts["keys"][key]})
        made: Credential = self.registry.call("apollo", "connector_authorize", request=request)
        return made

    def _by_consent(self, kind: str) -> Credential:
        given = self.facts["oauth"]
        redirect = given["redirect_uris"][0]
        app = OAuthApp(given["client_id"], given["client_secret"], (redirect,))
        request = AuthorizeRequest(kind, {}, app, redirect, STATE)
        leads = self.registry.call("apollo", "connector_authorize", request=request)
        query = dict(parse_qsl(urlsplit(decide(leads.url, "allow")).query))
        callback = Callback(query, STATE, redirect, app, connection_type=kind)
        made: Credential = self.registry.call("apollo", "connector_exchange", callback=callback)
        return made

    def execute(self, action: Action, credential: Credential, **values: Any) -> Page:
        """One request of an action with its own example, or with other values."""
        given = values or dict(action.example)
        arguments = {"action": action.id, "input": given, "credential": credential, "cursor": None}
        page: Page = self.registry.call("apollo", "connector_execute", **arguments, context=Context())
        return page


@pytest.fixture(scope="module")
def default_world() -> Iterator[World]:
    """One process for a module; the addresses are in the environment only as long."""
    command = [sys.executable, "-W", "ignore", "-m", "apollo_component.sandbox", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout, pytest.MonkeyPatch.context() as patch:
        facts = json.loads(process.stdout.readline())
        patch.setenv("APOLLO_API_URL", facts["api_url"])
        patch.setenv("APOLLO_OAUTH_URL", facts["oauth_url"])
        with httpx.Client(base_url=facts["control_url"], timeout=10) as control:
            yield World(facts, Registry({"apollo": plugin}), control)
        process.terminate()
        process.wait(10)


@pytest.fixture
def world(default_world: World) -> World:
    """The default world as it is at the start."""
    default_world.reset()
    return default_world


@pytest.fixture(scope="session")
def declared() -> Callable[[str], dict[str, Any]]:
    """What Apollo's documentation says of an operation."""
    operations = json.loads((Path(__file__).parents[1] / "facts" / "apollo.json").read_bytes())["operations"]
    return lambda name: operations[name]
