"""What is mutated: the sandbox's answer to every action's example, refusals in every dialect, and the two kinds of
file with pieces of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.client import send
from apollo_component.connector.connector import Connector
from apollo_component.contract.actions import Action
from apollo_component.contract.errors import ConnectorError
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Reply, Window

from .mutator import Path as Way
from .mutator import paths_of

ROOT = Path(__file__).parent.parent.parent
RECORDS = 2
"""Of a list in an answer that are kept: the others are like them, and small inputs are quick."""


@dataclass(frozen=True)
class Seed:
    """A reply to an action with its example; `paths` are the places in its body."""

    action: Action
    reply: Reply
    paths: tuple[Way, ...] = field(repr=False)


@dataclass
class Context:
    """The least a host can be; the latest reply is kept, or one is given instead of sending."""

    reply: Reply | None = None
    given: Reply | None = None
    deadline: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=1))

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def permit(self, operation: str, quota_class: str) -> None: ...

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None: ...

    def sending(self) -> Reply | None:
        return self.given

    def received(self, reply: Reply) -> None:
        self.reply = reply


def manifest() -> Manifest:
    return load_file(ROOT / "connector.yaml")


@contextmanager
def sandbox(*more: str) -> Iterator[dict[str, Any]]:
    """A fresh one in a process of its own; what it announces."""
    command = [sys.executable, "-W", "ignore", "-m", "apollo_component.sandbox", "--json", "--people", "300", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    with process.stdout:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(10)


def answered(declaration: Manifest) -> list[Seed]:
    """Every action that is one operation, with its example, against a fresh sandbox."""
    with sandbox() as facts:
        urls = {"APOLLO_API_URL": facts["api_url"], "APOLLO_OAUTH_URL": facts["oauth_url"]}
        connector = Connector(declaration, QUIRKS, send=send, environ=urls)
        key = Credential("api_key", api_key=facts["keys"]["master"])
        return [
            seed(action, context.reply)
            for action in declaration.actions.values()
            if action.compose is None and not action.raw
            for context in [_asked(connector, action, key)]
            if context.reply
        ]


def _asked(connector: Connector, action: Action, key: Credential) -> Context:
    context = Context()
    try:
        connector.connector_execute(action.id, dict(action.example), key, None, context)
    except ConnectorError:
        assert context.reply, f"{action.id} wasn't sent"  # a refusal is a reply, too
    return context


def seed(action: Action, reply: Reply) -> Seed:
    """A reply as something to begin with, its lists cut short."""
    value = _short(orjson.loads(reply.body)) if reply.body else None
    body = b"" if value is None else orjson.dumps(value)
    return Seed(action, Reply(reply.status, reply.headers, body), tuple(paths_of(value)))


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    return [_short(inner) for inner in value[:RECORDS]] if isinstance(value, list) else value


def refused(declaration: Manifest) -> list[Seed]:
    """Refusals in each form that the service uses, and in the words of every row of the error table."""
    actions = [action for action in declaration.actions.values() if action.compose is None and not action.raw]
    rows = declaration.data["errors"]
    bodies = [
        {
            "error": row.get("error_code", "Something the service said"),
            "error_code": row.get("error_code"),
            "message": row.get("match", "said"),
            "error_details": {"code": row.get("code"), "message": "x"},
            "retry_after_seconds": 5,
        }
        for row in rows
    ]
    return [
        seed(actions[number % len(actions)], Reply(row.get("status", 422), {}, orjson.dumps(body)))
        for number, (row, body) in enumerate(zip(rows, bodies, strict=True))
    ]


def files() -> tuple[bytes, list[bytes]]:
    """The manifest, and workflow files."""
    flows = [file.read_bytes() for file in sorted((ROOT / "examples").glob("*.yaml"))]
    return (ROOT / "connector.yaml").read_bytes(), [*flows, FULL]


FULL = b"""name: Everything at once
description: Uses every word of the format.
inputs:
  size: {description: How many, default: 5}
connections:
  a: {connector: apollo, use: work}
  b: {connector: apollo}
schedule: {cron: "0 7 * * 1-5", timezone: Europe/Berlin}
budget: 60
budget_per_day: 100.5
steps:
  - id: people
    action: people_api_search
    connection: a
    with: {per_page: 3, person_titles: [CEO, {$from: inputs.size}]}
    all: true
    limit: 10
    split_by: [person_titles]
  - id: enrich
    action: people_bulk_match
    connection: a
    when: "length(steps.people.records) > `0`"
    with: {details: {$from: "steps.people.records[].{id: id}"}, reveal_phone_number: true}
    max_credits_per_record: 9
    on_unknown: stop
    wait: false
  - id: contacts
    action: contacts_create
    connection: b
    for_each: steps.enrich.records[?email]
    concurrency: 3
    on_error: collect
    with: {first_name: {$from: item.first_name}, email: {$from: item.email}, run_dedupe: true}
"""
