"""A worker beside something else in one process: on a thread of its own, begun when there is something to do."""

import asyncio
import threading
from collections.abc import Callable

import sqlalchemy as sa

from ...contract.errors import ConnectorError
from ..host import Host
from ..runs import QUEUED, RUNNING, WAITING
from ..tables import runs, subscriptions

LOOK_SECONDS = 2.0
"""How often it is looked whether there is something to do, until there is."""
DRAIN_SECONDS = 10.0
"""How long runs may go on when the process is to end; what is left goes on with the next worker."""


class WorkerBeside:
    """`start`, `nudge` and `stop` may be called from any thread; `progress` is called on the worker's.

    The engine of durable runs is launched with the first thing to do: a process without workflows never needs it.
    """

    def __init__(
        self, host: Host, progress: Callable[[str], None] = lambda _text: None, *, drain_seconds: float = DRAIN_SECONDS
    ) -> None:
        self.host, self.progress, self.drain_seconds = host, progress, drain_seconds
        self._wake, self._over = threading.Event(), threading.Event()
        self._tell: Callable[[str], None] = lambda _what: None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> "WorkerBeside":
        self._thread.start()
        return self

    def nudge(self) -> None:
        """There is something new to do."""
        self._wake.set()
        self._tell("nudged")

    def stop(self) -> None:
        """Ask it to end: what is under way may end for a while; asked once more, it ends at once."""
        self._over.set()
        self._wake.set()
        self._tell("told")

    def join(self, timeout: float | None = None) -> bool:
        """Whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                if self._has_work():
                    asyncio.run(self._work())
            except ConnectorError as error:
                self.progress(f"{error.message} {error.hint}".rstrip())
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _has_work(self) -> bool:
        """Runs that any worker may take, or workflows that may start some."""
        unfinished = (runs.c.unattended, runs.c.status.in_((QUEUED, RUNNING, *WAITING)))
        queries = (
            sa.select(runs.c.id).where(*unfinished).limit(1),
            sa.select(subscriptions.c.id).where(subscriptions.c.enabled).limit(1),
        )
        return any(self.host.store.row(query) for query in queries)

    async def _work(self) -> None:
        from .worker import Worker

        worker = Worker(self.host, progress=self.progress, drain_seconds=self.drain_seconds)
        loop = asyncio.get_running_loop()
        self._tell = lambda what: _called(loop, getattr(worker, what))
        if self._over.is_set():
            return
        try:
            await worker.serve()
        finally:
            self._tell = lambda _what: None


def _called(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # it has ended meanwhile
        return
