"""Runs trials on threads, so that a page can be left and come back to. All that is shown comes from the store."""

import threading
from collections import OrderedDict

from ..contract.errors import TransientError
from ..contract.models import Page
from ..host.host import Host
from ..host.running import STEP, Begun, Chosen, Tally, begin, ended
from ..host.runs import RUNNING

AT_ONCE = 8
REMEMBERED = 1000


class Trials:
    """`AT_ONCE` runs at a time at most. A form that is sent twice runs once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._runs: OrderedDict[str, str] = OrderedDict()

    def start(self, host: Host, chosen: Chosen, once: str) -> str:
        """The run's id; `once` names the form that asked for it. Raises TransientError when too many run."""
        with self._lock:
            if once and once in self._runs:
                return self._runs[once]
            if not self._free.acquire(blocking=False):
                raise TransientError("Too many trials run at once.", hint="Wait for one to end.", worked=False)
            try:
                begun = begin(host, chosen)
                note_late(begun)
            except BaseException:
                self._free.release()
                raise
            self._remember(once, begun.run.id)
        threading.Thread(target=self._drive, args=(begun,), name=f"trial {begun.run.id}", daemon=True).start()
        return begun.run.id

    def _remember(self, once: str, run: str) -> None:
        self._runs[once or run] = run
        while len(self._runs) > REMEMBERED:
            self._runs.popitem(last=False)

    def _drive(self, begun: Begun) -> None:
        try:
            drive(begun)
        finally:
            self._free.release()


def note_late(begun: Begun) -> None:
    """That more comes after the answer is told while it is waited for."""
    plan = begun.chosen.plan
    if plan.action.wait and plan.action.wait.expected(plan.values):
        begun.host.runs.update(begun.run.id, RUNNING, {"late": plan.action.wait.timeout})


def drive(begun: Begun) -> Tally:
    """Run it; what arrives is kept with the run."""
    kept = 0

    def take(page: Page) -> None:
        nonlocal kept
        found = list(page.records) if begun.chosen.plan.streams else [page.value]
        begun.host.runs.save_records(begun.run.id, STEP, kept, found, begun.lease)
        kept += len(found)

    return begun.drive(take, ended)
