"""One process of the storm: 125 runs on threads of their own, and a winner that dies or stops where it is told to."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from apollo_component.apollo.plugin import plugin
from apollo_component.connector import client
from apollo_component.contract.errors import ConnectorError
from apollo_component.host.calls import Call, Caller
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.registry import Registry
from apollo_component.host.runs import AUTHORIZATION
from apollo_component.host.settings import Settings
from apollo_component.host.workflow.driver import waiting_state

BEFORE, WORKED, SAVED = "before_sending", "after_work", "after_save"
ACTION = "users_api_profile"
MOST = 1000
"""Runs of one process at most; each has a thread, made when it is first needed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process shall do: runs of these numbers. The first that reaches `point` gets `number`; `flag` is how it is
    known as the first."""

    home: Path
    url: str
    connection: str
    numbers: tuple[int, ...]
    lease: float
    point: str = ""
    number: int = 0
    flag: Path = Path()


current: Order
"""Of this process, at the moment."""


class Gate:
    """In place of quotas, which aren't what is tried here: so many requests of a process at a time as they allow."""

    def __init__(self) -> None:
        self._gate = threading.Semaphore(8)

    def permit(self, *_asked: Any) -> str:
        self._gate.acquire()
        return "held"

    def observed(self, *_told: Any) -> None:
        self._gate.release()


class Runs:
    """The host of one database, and the runs on it, each on a thread of its own."""

    def __init__(self, order: Order, registry: Registry) -> None:
        self._threads = ThreadPoolExecutor(MOST)
        self.host = Host.open(Settings(order.home, order.url), registry)
        host = self.host
        self.caller = Caller(registry, host.connections, host.refresher, Gate(), host.journal)  # type: ignore[arg-type]
        host.store.write = _one_at_a_time(host.store.write)  # type: ignore[method-assign]
        plugin._send = _deadly(client.send, BEFORE, WORKED, _is_token_request)
        save = host.connections.replace_credential
        host.connections.replace_credential = _deadly(save, "", SAVED, lambda *_: True)  # type: ignore[method-assign]

    def all(self, order: Order) -> dict[int, str]:
        """How each of them ended."""
        assert len(order.numbers) <= MOST, "a run without a thread would hold all others up"
        self.host.refresher.lease_seconds = order.lease
        gate = threading.Barrier(len(order.numbers))
        ended = self._threads.map(lambda number: self._one(gate, number), order.numbers)
        return dict(zip(order.numbers, ended, strict=True))

    def _one(self, gate: threading.Barrier, number: int) -> str:
        action = self.host.registry.manifest("apollo").actions[ACTION]
        gate.wait()
        try:
            self.caller.page(Call(Key("storm", "run", str(number)), current.connection, action, {}))
        except ConnectorError as error:
            return "waiting" if waiting_state(error) == AUTHORIZATION else f"failed: {error.code}: {error.message}"
        except Exception as error:
            return f"unclassified: {error!r}"
        return "ok"


def _deadly(function: Callable[..., Any], before: str, after: str, chosen: Callable[..., bool]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        here = chosen(*arguments)
        if here and before and current.point == before:
            _strike()
        result = function(*arguments, **options)
        if here and current.point == after:
            _strike()
        return result

    return wrapped


writing = threading.RLock()
"""Held by whoever writes in this process."""


def _one_at_a_time(write: Callable[..., Any]) -> Callable[..., Any]:
    @contextlib.contextmanager
    def written(*arguments: Any, **options: Any) -> Iterator[Any]:
        with writing, write(*arguments, **options) as connection:
            yield connection

    return written


def _strike() -> None:
    """Once in a storm, by the first process that comes here, and not while its heartbeat writes: SQLite has no remedy
    against a process that stands still with the file locked. The signal is for this thread: one for the process is taken
    by any, and on a busy machine that may be long after this one let go of the writes."""
    try:
        os.close(os.open(current.flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    with writing:
        signal.pthread_kill(threading.get_ident(), current.number)


def _is_token_request(request: Any, *_rest: Any) -> bool:
    return bool(request.form and "refresh_token" in request.form)


def work(pipe: Pipe, registry: Registry) -> None:
    """Answer orders until there is none."""
    global current  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1)
    client.shared_client.cache_clear()  # its sockets are the parent's
    opened: dict[str, Runs] = {}
    while (order := pipe.recv()) is not None:
        current = order
        if order.url not in opened:
            opened[order.url] = Runs(order, registry)
        pipe.send(opened[order.url].all(order))
