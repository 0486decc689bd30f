"""A sandbox in this process, and one in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.state import Options


class Client:
    """Calls an application in this process, one request at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.keys = sandbox.state.keys.secrets
        self.ids = self.control("GET", "/state")

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.sandbox)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, **more)

        return asyncio.run(go())

    def api(self, method: str, path: str, body: Any = None, *, key: str = "master", **more: Any) -> httpx.Response:
        headers = {"x-api-key": self.keys[key]} | more.pop("headers", {})
        return self.send(method, f"/api/v1{path}", json=body, headers=headers, **more)

    def post(self, path: str, **body: Any) -> Any:
        """The JSON of a POST that must succeed."""
        reply = self.api("POST", path, body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.send(method, f"/_sandbox{path}", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        reply = self.api("GET", path, params=params or None)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def refusal(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and JSON of a request that must be refused."""
        reply = self.api(method, path, body, **more)
        assert reply.status_code >= 400, reply.text
        return reply.status_code, reply.json()

    def wait(self, seconds: float) -> None:
        self.control("POST", "/clock", {"advance": seconds})

    def people(self, **filters: Any) -> list[dict[str, Any]]:
        return self.post("/mixed_people/api_search", per_page=100, **filters)["people"]

    def contact(self, **fields: Any) -> dict[str, Any]:
        return self.post("/contacts", **fields)["contact"]


@pytest.fixture
def client() -> Client:
    return Client(Sandbox(Options()))


@pytest.fixture(scope="session")
def shared() -> Client:
    """One sandbox for all tests that change nothing in it; its limits are off."""
    made = Client(Sandbox(Options()))
    classes = ("default", "search", "enrichment", "enrichment_bulk", "sync_report", "conversations_export")
    made.control("POST", "/quotas", dict.fromkeys(classes, [None] * 3))
    return made


@pytest.fixture
def sandbox(client: Client) -> Sandbox:
    return client.sandbox


class Process:
    """A sandbox started by its command."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "apollo_component.sandbox", "--json", *arguments]
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout
        self.facts = json.loads(self.popen.stdout.readline())
        self.http = httpx.Client(timeout=10)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return self.http.request(method, self.facts["control_url"] + path, json=body).json()

    def api(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"x-api-key": self.facts["keys"]["master"]}
        return self.http.request(method, self.facts["api_url"] + path, json=body, headers=headers)

    def stop(self) -> int:
        self.http.close()
        self.popen.terminate()
        code = self.popen.wait(5)
        assert self.popen.stdout
        self.popen.stdout.close()
        return code


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    started = Process("--redirect-uri", "http://127.0.0.1:9/other")
    yield started
    started.stop()


@pytest.fixture
def start() -> Iterator[Any]:
    """Starts further processes and ends those a test leaves."""
    running: list[Process] = []

    def go(*arguments: str) -> Process:
        running.append(Process(*arguments))
        return running[-1]

    yield go
    for one in running:
        one.stop()
