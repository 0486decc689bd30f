"""Keeps enabled workflows going on this machine: looks at their triggers and schedules, and drives their runs."""

import asyncio
import functools
from collections.abc import Callable

from ...contract.errors import ConnectorError
from ..host import Host
from ..keeping import KEEP_SECONDS, keep
from ..leases import Lease
from ..runs import ENDED, QUEUED, RUNNING, Run
from .driver import Driver, released
from .engine import LEASE_SECONDS, driven, launched
from .file import Workflow, parse_workflow
from .subscriptions import Subscription, Subscriptions
from .sweeps import Sweeps

TICK_SECONDS = 0.2
DRAIN_SECONDS = 30.0
"""How long runs may go on after the worker was told to stop; the rest is taken up by the next worker."""
TIDY_SECONDS = 3600.0
"""How often data that is no longer kept is deleted."""
LOOK_AHEAD = 50
"""How many unfinished runs are looked at in one round."""


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
        self.looking: dict[str, asyncio.Task[None]] = {}
        self.driving: dict[str, asyncio.Task[None]] = {}
        self.stop = asyncio.Event()
        self.tidied = self.kept = 0.0
        self.parse = functools.lru_cache(maxsize=200)(self._parse)

    async def serve(self, *, once: bool = False) -> None:
        """Work until told to stop; with `once`, until everything that is due now is done."""
        stopped = asyncio.create_task(self.stop.wait())
        with launched(self.host) as queue:
            looked: set[str] = set()
            while not self.stop.is_set():
                await self._tidy()
                self._keep()
                await self._look(looked if once else None)
                busy = await self._drive(queue)
                if once and not (self.looking or self.driving or busy):
                    break
                # Until the next round, or at once when a task ended.
                waiting = {*self.looking.values(), *self.driving.values(), stopped}
                await asyncio.wait(waiting, timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            await self._drain()
        stopped.cancel()

    async def _tidy(self) -> None:
        """Runs that triggers start come without a person who would delete old data."""
        if self.host.clock() - self.tidied >= TIDY_SECONDS:
            self.tidied = self.host.clock()
            await asyncio.to_thread(self.host.runs.tidy)

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
        if swept and swept.began:
            self.progress(f"{item.name}: ready, {swept.events} records were there before, {swept.queued} runs queued")
        elif swept and swept.queued:
            self.progress(f"{item.name}: {swept.queued} run{'s'[: swept.queued != 1]} queued")

    async def _drive(self, queue: str) -> bool:
        """Begin or take up as many runs as there is room for; whether any began."""
        room = self.concurrency - len(self.driving)
        if room <= 0:
            return True
        began = 0
        for run in await asyncio.to_thread(self.host.runs.started_by_subscriptions, LOOK_AHEAD + self.concurrency):
            if began >= room:
                break
            if run.id not in self.driving and await asyncio.to_thread(self._ready, run):
                self.driving[run.id] = task = asyncio.create_task(self._run(queue, run))
                task.add_done_callback(functools.partial(self._gone, self.driving, run.id))
                began += 1
        return began > 0

    def _ready(self, run: Run) -> bool:
        """Whether there is something to do: it is new, its process is no more, or what it waits for is there."""
        if run.status == QUEUED:
            return True
        if self.host.leases.held(f"run:{run.id}"):
            return False
        try:
            return run.status == RUNNING or released(self.host, run, run.status, run.detail)
        except (ConnectorError, KeyError):
            return False

    async def _run(self, queue: str, run: Run) -> None:
        lease = await asyncio.to_thread(self._claimed, run)
        if lease is None:
            return
        try:
            workflow = await asyncio.to_thread(self.parse, run.text)
            await driven(self.host, queue, Driver(self.host, workflow, run.id, lease, wait=False, progress=_silent))
            await asyncio.to_thread(self._tell, run.id)
        except ConnectorError as error:
            self.progress(f"{run.title}: {run.id}: {error.message}")

    def _claimed(self, run: Run) -> Lease | None:
        """The right to drive a run, None when another has it, or the run ended since it was looked at."""
        lease = self.host.leases.acquire(f"run:{run.id}", LEASE_SECONDS)
        if lease is None:
            return None
        now = self.host.runs.get(run.id)
        if now.status in ENDED:
            self.host.leases.release(lease)
            return None
        self.host.runs.update(run.id, RUNNING, now.detail)
        return lease

    def _tell(self, identity: str) -> None:
        run = self.host.runs.get(identity)
        said = str(run.detail.get("error", {}).get("message", ""))
        self.progress(f"{run.title}: {identity} {run.status.replace('_', ' ')}" + (f": {said}" if said else ""))

    async def _drain(self) -> None:
        """Let what is under way end for a while; then give the rest back, so that another worker can take it up."""
        tasks = {*self.looking.values(), *self.driving.values()}
        if tasks:
            await asyncio.wait(tasks, timeout=self.drain_seconds)
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
