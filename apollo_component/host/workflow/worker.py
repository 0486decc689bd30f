"""Keeps enabled workflows going: looks at their triggers and schedules, and drives their runs. Any number of workers,
on any number of machines, share the work of one database."""

import asyncio
import functools
import random
from collections.abc import Callable
from typing import Any

from ...contract.errors import ConnectorError
from ..attempts import Attempts
from ..events import LogEvent
from ..host import Host
from ..keeping import KEEP_SECONDS, keep
from ..leases import Lease
from ..logs import log
from ..runs import TIDY_SECONDS, Run
from ..store import PASSING
from .backlog import Backlog
from .driver import Driver
from .engine import driven, launched
from .file import Workflow, parse_workflow
from .subscriptions import Subscription, Subscriptions
from .sweeps import Sweeps

TICK_SECONDS = 0.2
IDLE_SECONDS = 2.0
"""How long a worker with nothing to do rests at most before it looks again."""
AWAY_SECONDS = 15.0
"""The longest pause between two tries while the database is away or full."""
POLL_SECONDS = 0.5
"""How often the engine's queue is looked at, through which a run is continued."""
DRAIN_SECONDS = 30.0
"""How long runs may go on after the worker was told to stop; the rest is taken up by the next worker."""


class Worker:
    """`concurrency` runs at a time. `progress` gets sentences for the person."""

    def __init__(
        self,
        host: Host,
        *,
        concurrency: int = 4,
        progress: Callable[[str], None] = lambda _text: None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self.host, self.concurrency, self.progress = host, concurrency, progress
        self.drain_seconds = drain_seconds
        self.subscriptions = Subscriptions(host.store, host.clock)
        self.sweeps = Sweeps(host, self.subscriptions)
        self.backlog = Backlog(host)
        self.looking: dict[str, asyncio.Task[None]] = {}
        self.driving: dict[str, asyncio.Task[None]] = {}
        self.stop, self.hurry, self.news = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.tidied = self.kept = 0.0
        self.parse = functools.lru_cache(maxsize=200)(self._parse)

    def told(self) -> None:
        """Somebody wants the worker to stop: it drains; told once more, it ends at once."""
        (self.hurry if self.stop.is_set() else self.stop).set()

    def nudged(self) -> None:
        """There is something new to do: look now. To be called in the worker's own loop, as `told`."""
        self.backlog.stale()
        self.news.set()

    async def serve(self, *, once: bool = False) -> None:
        """Work until told to stop; with `once`, until everything that is due now is done. Raises what is passing
        (a database that is away or full) only at the start or with `once`: later a worker waits until it is over."""
        stopped = asyncio.create_task(self.stop.wait())
        with launched(self.host, self.concurrency, POLL_SECONDS) as queue:
            log(LogEvent.WORKER_BEGAN)
            looked: set[str] = set()
            pause = TICK_SECONDS
            while not self.stop.is_set():
                try:
                    busy = await self._round(queue, looked if once else None)
                except PASSING as error:
                    if once:
                        raise
                    pause = await self._without(error, pause)
                    continue
                if once and not (self.looking or self.driving or busy):
                    break
                pause = TICK_SECONDS if busy or once else min(pause * 1.5, IDLE_SECONDS)
                if await self._rested(stopped, pause):
                    pause = TICK_SECONDS
            await self._drain()
            log(LogEvent.WORKER_ENDED)
        stopped.cancel()

    async def _rested(self, stopped: asyncio.Task[Any], pause: float) -> bool:
        """Rest until the next round; whether something happened before."""
        news = asyncio.create_task(self.news.wait())
        waiting = {*self.looking.values(), *self.driving.values(), stopped, news}
        rest = pause * random.uniform(0.8, 1.2)
        done, _ = await asyncio.wait(waiting, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        self.news.clear()
        return bool(done)

    async def _round(self, queue: str, looked: set[str] | None) -> bool:
        """Look and drive; whether there was something to begin."""
        await self._tidy()
        self._keep()
        await self._look(looked)
        return await self._drive(queue)

    async def _without(self, error: ConnectorError, pause: float) -> float:
        """Rest while the database is in trouble; the next pause."""
        self.progress(f"{error.message} The worker goes on when that is over.")
        try:
            await asyncio.wait_for(self.stop.wait(), pause * random.uniform(0.8, 1.2))
        except TimeoutError:
            return min(max(pause, 0.5) * 2, AWAY_SECONDS)
        return pause

    async def _tidy(self) -> None:
        """What people who come would delete on the way, where nobody comes: old data and typed apps."""
        if self.host.clock() - self.tidied >= TIDY_SECONDS:
            await asyncio.to_thread(self.host.runs.tidy)
            await asyncio.to_thread(Attempts(self.host).tidy)
            self.tidied = self.host.clock()

    def _keep(self) -> None:
        """Connections whose tokens are due are refreshed although no run uses them."""
        if "connections" not in self.looking and self.host.clock() - self.kept >= KEEP_SECONDS:
            self.kept = self.host.clock()
            self.looking["connections"] = task = asyncio.create_task(self._refresh())
            task.add_done_callback(functools.partial(self._gone, self.looking, "connections"))

    async def _refresh(self) -> None:
        for one in await asyncio.to_thread(keep, self.host):
            if one.refreshed or one.error:
                self.progress(f"{one.connection.name}: {one.text}")

    async def _look(self, looked: set[str] | None) -> None:
        """Sweep what is due, each in a thread; `looked` keeps what needs no second look."""
        for item in await asyncio.to_thread(self.subscriptions.due):
            if item.id not in self.looking and (looked is None or item.id not in looked):
                self.looking[item.id] = task = asyncio.create_task(self._sweep(item))
                task.add_done_callback(functools.partial(self._gone, self.looking, item.id))
                if looked is not None:
                    looked.add(item.id)

    async def _sweep(self, item: Subscription) -> None:
        try:
            swept = await asyncio.to_thread(lambda: self.sweeps.look(item, self.parse(item.text)))
        except ConnectorError as error:
            self.progress(f"{item.name}: {error.message} {error.hint}".rstrip())
            return
        if swept and swept.started:
            self.backlog.stale()
        if swept and swept.began:
            before = swept.known + swept.undated
            self.progress(f"{item.name}: ready, {before} records were there before, {swept.started} runs queued")
        elif swept and swept.started:
            self.progress(f"{item.name}: {swept.started} run{'s'[: swept.started != 1]} queued")

    async def _drive(self, queue: str) -> bool:
        """Begin or take up as many runs as there is room for; whether any began, or there is no room."""
        room = self.concurrency - len(self.driving)
        if room <= 0:
            return True
        taken = await asyncio.to_thread(self.backlog.taken, room, frozenset(self.driving))
        for run, lease in taken:
            self.driving[run.id] = task = asyncio.create_task(self._run(queue, run, lease))
            task.add_done_callback(functools.partial(self._gone, self.driving, run.id))
        return bool(taken)

    async def _run(self, queue: str, run: Run, lease: Lease) -> None:
        try:
            await driven(self.host, queue, await asyncio.to_thread(self._driver, run, lease))
            await asyncio.to_thread(self._tell, run.id)
        except ConnectorError as error:
            self.progress(f"{run.title}: {run.id}: {error.message}")

    def _driver(self, run: Run, lease: Lease) -> Driver:
        """Raises any ConnectorError, with the lease given back."""
        try:
            return Driver(self.host, self.parse(run.text), run.id, lease, wait=False, progress=_silent)
        except ConnectorError:
            self.host.leases.release(lease)
            raise

    def _tell(self, identity: str) -> None:
        run = self.host.runs.get(identity)
        said = str(run.detail.get("error", {}).get("message", ""))
        self.progress(f"{run.title}: {identity} {run.status.replace('_', ' ')}" + (f": {said}" if said else ""))

    async def _drain(self) -> None:
        """Let what is under way end for a while; then give the rest back, so that another worker can take it up."""
        tasks = {*self.looking.values(), *self.driving.values()}
        if tasks:
            self.progress(f"Stopping: {len(tasks)} under way may end for {self.drain_seconds:g} s.")
            hurry = asyncio.create_task(self.hurry.wait())
            either: set[asyncio.Future[Any]] = {hurry, asyncio.gather(*tasks, return_exceptions=True)}
            await asyncio.wait(either, timeout=self.drain_seconds, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _gone(self, tasks: dict[str, asyncio.Task[None]], identity: str, task: asyncio.Task[None]) -> None:
        tasks.pop(identity, None)
        if not task.cancelled() and (error := task.exception()):
            self.progress(f"{identity}: an unexpected {type(error).__name__}")

    def _parse(self, text: str) -> Workflow:
        return parse_workflow(text, self.host.registry.manifests)


def _silent(_text: str) -> None:
    """A worker tells how runs end, not each of their steps."""
