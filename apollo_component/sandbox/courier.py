"""Brings results to callbacks: a POST per result, retried when it is not answered 2xx, duplicated on demand."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

from .agenda import Agenda
from .clock import Clock, stamp
from .faults import Faults, with_wrong_types
from .settings import Settings

NAME = "webhook"  # what faults call a delivery
FAULTS = ("duplicate", "drop_before", "drop_after", "latency", "truncate", "wrong_types")
TICK = 0.02
PATIENCE = 10.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def acceptable(url: str) -> bool:
    """Whether the form of an address is right: https, or (in the sandbox) plain http to this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


@dataclass(slots=True)
class Delivery:
    """One result on its way to one address."""

    request_id: str
    url: str
    payload: dict[str, Any]
    due: float
    state: str = "waiting"
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {"request_id": self.request_id, "url": self.url, "state": self.state, "attempts": self.attempts}


@dataclass(slots=True)
class Courier:
    """All deliveries of one sandbox; runs only while there is something to wait for."""

    clock: Clock
    agenda: Agenda
    faults: Faults
    settings: Settings
    deliveries: list[Delivery] = field(default_factory=list)
    expected: int = 0  # results that are promised to an address and not ready yet
    task: "asyncio.Task[None] | None" = None

    def add(self, request_id: str, url: str, payload: dict[str, Any], moment: float) -> None:
        self.deliveries.append(Delivery(request_id, url, payload, moment))

    @property
    def waiting(self) -> list[Delivery]:
        return [one for one in self.deliveries if one.state == "waiting"]

    def wake(self) -> None:
        """Makes sure that somebody looks after what is open."""
        if (self.expected or self.waiting) and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while not self.faults.closing.is_set() and (self.expected or self.waiting):
            await asyncio.sleep(TICK)
            self.agenda.run(self.clock.now())
            await self.send_due()

    async def send_due(self) -> None:
        """Attempts every delivery that is due, all at once."""
        due = [one for one in self.waiting if one.due <= self.clock.now()]
        for one in due:
            one.state = "sending"
        try:
            await asyncio.gather(*(self._attempt(one) for one in due))
        finally:
            for one in due:  # cut short by the end of its loop: nothing was noted, so it is due again
                one.state = "waiting" if one.state == "sending" else one.state

    async def _attempt(self, one: Delivery) -> None:
        fault = self.faults.pick(NAME, exactly=True)
        kind = fault.kind if fault else ""
        body = orjson.dumps(with_wrong_types(one.payload) if kind == "wrong_types" else one.payload)
        if fault and kind == "latency":
            await self.faults.pause(fault.seconds)
        status = None if kind == "drop_before" else await post(one.url, body, half=kind == "truncate")
        if kind == "duplicate":
            status = await post(one.url, body)
        if kind == "drop_after":
            status = None  # the receiver has it, Apollo does not know
        one.attempts.append({"at": stamp(self.clock.now()), "status": status, "fault": kind or None})
        self._settle(one, status)

    def _settle(self, one: Delivery, status: int | None) -> None:
        retries, done = self.settings.webhook_retries, len(one.attempts)
        if status is not None and 200 <= status < 300:
            one.state = "delivered"
        elif done > len(retries):
            one.state = "given up"
        else:
            one.state, one.due = "waiting", self.clock.now() + retries[done - 1]


async def post(url: str, body: bytes, *, half: bool = False) -> int | None:
    """The status a receiver answers with, or None when it cannot be reached or breaks off."""
    with contextlib.suppress(OSError, ValueError, IndexError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PATIENCE):
            return await _exchange(urlsplit(url), body, half=half)
    return None


async def _exchange(parts: SplitResult, body: bytes, *, half: bool) -> int:
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {parts.netloc.rpartition('@')[2]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        writer.write(head.encode("latin-1") + (body[: len(body) // 2] if half else body))
        await writer.drain()
        if half:
            raise ConnectionResetError("broken off on purpose")
        status = int((await reader.readline()).split()[1])
        await reader.read()
        return status
    finally:
        writer.close()
