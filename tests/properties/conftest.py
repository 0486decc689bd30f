"""The connector on a real wire, and a host that writes down what it is asked."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Reply, Window

from .whole import Schema, load
from .wire import Server, serving

ROOT = Path(__file__).parent.parent.parent
FACTS = json.loads((ROOT / "tests" / "facts" / "apollo.json").read_text("utf-8"))["operations"]
DEEPER = int(os.environ.get("PROPERTIES_DEPTH", "1"))
"""How many times as many examples; above 1 they are new ones every time."""
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
KEY = Credential("api_key", api_key="KEY-of-the-properties")


def examples(count: int) -> settings:
    """The same examples in every run, unless more are asked for."""
    return settings(
        max_examples=count * DEEPER,
        derandomize=DEEPER == 1,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.large_base_example],
    )


@cache
def schema_of(action: str) -> Schema:
    return load(ROOT / "schemas" / "actions" / f"{action}.schema.json")


@dataclass
class Host:
    """The contract's Context: everything is allowed and nothing is remembered but the calls."""

    calls: list[str] = field(default_factory=list)

    @property
    def deadline(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=60)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def permit(self, operation: str, quota_class: str) -> None:
        self.calls.append("permit")

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        self.calls.append("observed")

    def sending(self) -> Reply | None:
        self.calls.append("sending")
        return None

    def received(self, reply: Reply) -> None:
        self.calls.append("received")


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_file(ROOT / "connector.yaml")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture(scope="session")
def connector(manifest: Manifest, server: Server) -> Connector:
    """The real one with the real sender."""
    return Connector(manifest, QUIRKS, environ={"APOLLO_API_URL": server.url})


@pytest.fixture(scope="session")
def answering(manifest: Manifest) -> Callable[[Answer], Connector]:
    """The connector, before a service that gives this answer from now on."""
    given: list[Reply] = []
    made = Connector(manifest, QUIRKS, send=lambda *_, **__: given[-1], environ={})

    def before(answer: Answer) -> Connector:
        given[:] = [Reply(*answer)]
        return made

    return before


@pytest.fixture(scope="session")
def execute(connector: Connector) -> Callable[..., Any]:
    def done(action: str, values: dict[str, Any], host: Host) -> Any:
        return connector.connector_execute(action=action, input=values, credential=KEY, cursor=None, context=host)

    return done
