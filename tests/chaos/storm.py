"""The refresh storm: 1,000 runs in 8 processes find one token of one use expired, and its winner may die or stop.

    python -m tests.chaos.storm --repetitions 100 --minutes 8 --keep figures.jsonl

Every repetition is checked against what is promised, and the figures of each kind are printed. With --keep they are
added to a file, and what is there already isn't done again.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import httpx

from apollo_component.contract.models import OAuthApp
from apollo_component.host import linking
from apollo_component.host.connections import Connection
from apollo_component.host.host import Host
from apollo_component.host.refreshing import LEASE_SECONDS
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from tests.chaos.storm_child import BEFORE, SAVED, WORKED, Order, work
from tests.postgres import Postgres, started

PROCESSES, RUNS = 8, 125
STOPPED_SECONDS = 5.0
"""The lease where an owner is stopped: short, so that it is past it soon, and long enough for a busy machine."""
PATIENCE = 300.0
"""How long a storm may last: the harness's own patience, since a busy machine is no broken promise."""
KILL, STOP = int(signal.SIGKILL), int(signal.SIGSTOP)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to the winner, and what is promised: so many token requests, and whether the pair is lost."""

    title: str
    most: int
    point: str = ""
    number: int = 0
    slow: float = 0
    family: bool = False
    lost: bool = False


TROUBLES = (
    Trouble("healthy", 1),
    Trouble("slow token call", 1, slow=0.5),
    Trouble("killed before sending", 1, BEFORE, KILL),
    Trouble("killed after the work", 2, WORKED, KILL, lost=True),
    Trouble("killed after the save", 1, SAVED, KILL),
    Trouble("stopped after the work", 2, WORKED, STOP),
    Trouble("stopped before sending", 2, BEFORE, STOP),
    Trouble("killed after the work, reuse revokes", 2, WORKED, KILL, family=True, lost=True),
    Trouble("stopped after the work, reuse revokes", 2, WORKED, STOP, family=True, lost=True),
    Trouble("stopped before sending, reuse revokes", 2, BEFORE, STOP, family=True, lost=True),
)
FOUND = ("expiry", "401")
KINDS = ("sqlite", "postgres")


@dataclass(frozen=True, slots=True)
class Figures:
    """One repetition. `ok` to `unclassified` count how the runs ended at first; of those that waited, `went_on` were
    run again after the connection was authorized again, or after the stopped winner brought the pair."""

    database: str
    found: str
    trouble: str
    requests: int
    ok: int
    waiting: int
    failed: int
    unclassified: int
    went_on: int
    seconds: float


class Sandbox:
    """The service in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "apollo_component.sandbox", "--json", "--people", "50"]
        self._popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._popen.stdout
        self.facts = json.loads(self._popen.stdout.readline())
        self._http = httpx.Client(timeout=10)
        classes = ("default", "search", "enrichment", "enrichment_bulk")
        self.tell("/quotas", **dict.fromkeys(classes, [None] * 3))
        os.environ |= {"APOLLO_API_URL": self.facts["api_url"], "APOLLO_OAUTH_URL": self.facts["oauth_url"]}

    @property
    def app(self) -> OAuthApp:
        told = self.facts["oauth"]
        return OAuthApp(told["client_id"], told["client_secret"], tuple(told["redirect_uris"]))

    def tell(self, path: str, **order: Any) -> Any:
        return self._http.post(self.facts["control_url"] + path, json=order).raise_for_status().json()

    def forget(self) -> None:
        for path in ("/requests", "/faults"):
            self._http.delete(self.facts["control_url"] + path).raise_for_status()

    def refreshes(self) -> int:
        """How many refresh requests it has answered, well or not."""
        told = self._http.get(self.facts["control_url"] + "/oauth").raise_for_status().json()
        return sum(told["requests"].get("refresh_token", {}).values())

    def consent(self, url: str) -> dict[str, str]:
        """What comes back when a person allows it."""
        asked = dict(httpx.QueryParams(url.partition("?")[2]))
        reply = self._http.post(self.facts["oauth_url"] + "/oauth/consent", data={**asked, "decision": "allow"})
        return dict(httpx.QueryParams(reply.headers["location"].partition("?")[2]))

    def stop(self) -> None:
        self._http.close()
        self._popen.terminate()
        self._popen.communicate(timeout=10)


@dataclass(slots=True)
class Child:
    pid: int
    pipe: Any
    order: Order | None = None


class Processes:
    """Eight of them, forked from this one, which has everything loaded and no threads and no database open."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        gc.freeze()  # what is loaded stays, so no child searches it for garbage
        self._children = [self._forked() for _ in range(PROCESSES)]
        self.stopped: list[Child] = []

    def _forked(self) -> Child:
        ours, theirs = Pipe()
        if pid := os.fork():
            theirs.close()
            return Child(pid, ours)
        try:
            work(theirs, self._registry)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def storm(self, orders: list[Order]) -> list[dict[int, str]]:
        """How the runs of each process ended. Those of a process that died are taken up by a new one; a stopped one
        goes on when all others have ended."""
        ended: list[dict[int, str]] = [{} for _ in orders]
        busy, until = [place for place, order in enumerate(orders) if order.numbers], time.monotonic() + PATIENCE
        for place in busy:
            child = self._children[place]
            child.order = orders[place]
            child.pipe.send(child.order)
        while busy:
            if time.monotonic() > until:
                raise AssertionError(self._told_endless(busy))
            wait([self._children[place].pipe for place in busy], timeout=0.02)
            for place in list(busy):
                child = self._children[place]
                if child.pipe.poll():
                    with contextlib.suppress(EOFError, ConnectionResetError):
                        ended[place] = child.pipe.recv()
                        busy.remove(place)
                        continue
                self._mend(place)
            if self.stopped and len(busy) == len(self.stopped):
                for child in self.stopped:
                    os.kill(child.pid, signal.SIGCONT)
                self.stopped = []
        return ended

    def _told_endless(self, busy: list[int]) -> str:
        """Those that haven't ended tell where each of their threads is, on standard error."""
        for place in busy:
            os.kill(self._children[place].pid, signal.SIGUSR1)
        time.sleep(1)
        stopped = [child.pid for child in self.stopped]
        return f"a storm has no end: {[self._children[place].pid for place in busy]} are busy, {stopped} are stopped"

    def _mend(self, place: int) -> None:
        child = self._children[place]
        pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
        if pid and os.WIFSTOPPED(status):
            self.stopped.append(child)
        elif pid:
            assert os.WIFSIGNALED(status), f"a process ended with {status}"
            child.pipe.close()
            self._children[place] = successor = self._forked()
            successor.order = child.order
            successor.pipe.send(child.order)

    def stop(self) -> None:
        for child in self._children:
            with contextlib.suppress(OSError):
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)


class Storms:
    """A sandbox, two databases with a linked connection each, and the processes."""

    def __init__(self, folder: Path, runs: int = RUNS, kinds: tuple[str, ...] = KINDS) -> None:
        self.folder, self.runs = folder, runs
        self.sandbox, self.registry = Sandbox(), Registry.installed()
        self.postgres: Postgres | None = started() if "postgres" in kinds else None
        self.urls = {"sqlite": f"sqlite:///{folder / 'host.db'}"}
        if self.postgres:
            self.urls["postgres"] = self.postgres.database()
        self.linked = {kind: self._link(kind) for kind in kinds}
        self.processes = Processes(self.registry)
        self.numbers = itertools.count()

    @contextlib.contextmanager
    def host(self, kind: str) -> Iterator[Host]:
        """Never open while a process is forked."""
        host = Host.open(Settings(self.folder, self.urls[kind]), self.registry)
        try:
            yield host
        finally:
            host.close()

    def _link(self, kind: str) -> str:
        with self.host(kind) as host:
            attempt = linking.begin(host, "apollo", "storm", "oauth2", self.sandbox.app)
            return linking.finish(host, attempt, self.sandbox.consent(attempt.url))[0].id

    def _authorize(self, kind: str, found: str = "") -> Connection:
        """Link again; with `found`, a token that has expired: by its date, or only at the service."""
        with self.host(kind) as host:
            attempt = linking.begin(host, "apollo", "storm", "oauth2", self.sandbox.app)
            connection, _ = linking.finish(host, attempt, self.sandbox.consent(attempt.url))
            if not found:
                return connection
            _, credential = host.connections.current(connection.id)
            self.sandbox.tell("/tokens/expire", access_token=credential.access_token)
            if found == "expiry":
                past = datetime.now(UTC) - timedelta(seconds=10)
                expired = replace(credential, issued_at=past - timedelta(days=30), expires_at=past)
                assert host.connections.replace_credential(connection, expired, "aged", "")
            return host.connections.get(connection.id)

    def repetition(self, kind: str, found: str, trouble: Trouble, goes_on: bool) -> Figures:
        """One storm, checked. Raises AssertionError when a promise isn't kept, with a note of where."""
        try:
            return self._repetition(kind, found, trouble, goes_on)
        except AssertionError as error:
            error.add_note(f"{kind}, found by {found}, {trouble.title}, load {os.getloadavg()[0]:.0f}")
            raise

    def _repetition(self, kind: str, found: str, trouble: Trouble, goes_on: bool) -> Figures:
        begun = time.monotonic()
        self.sandbox.forget()
        self.sandbox.tell("/settings", revoke_family=trouble.family)
        before = self._authorize(kind, found)
        if trouble.slow:
            self.sandbox.tell("/faults", operation="oauth_token", kind="latency", seconds=trouble.slow)
        flag = self.folder / f"struck.{next(self.numbers)}"
        lease = STOPPED_SECONDS if trouble.number == STOP else LEASE_SECONDS
        numbers = tuple(range(self.runs))
        order = Order(self.folder, self.urls[kind], before.id, numbers, lease, trouble.point, trouble.number, flag)
        sent = self.sandbox.refreshes()
        told = self.processes.storm([order] * PROCESSES)
        sent = self.sandbox.refreshes() - sent
        ended = Counter(how for of_one in told for how in of_one.values())
        assert flag.exists() == bool(trouble.point), "nobody died"
        self._check(kind, trouble, before, ended, sent)
        went_on = self._go_on(kind, trouble, order, told) if goes_on else 0
        counts = {word: sum(n for told, n in ended.items() if told.startswith(word)) for word in ("failed", "uncl")}
        return Figures(
            kind, found, trouble.title, sent, ended["ok"], ended["waiting"], counts["failed"], counts["uncl"], went_on,
            round(time.monotonic() - begun, 2),
        )  # fmt: skip

    def _check(self, kind: str, trouble: Trouble, before: Connection, ended: Counter[str], sent: int) -> None:
        assert set(ended) <= {"ok", "waiting"}, ended
        assert sum(ended.values()) == PROCESSES * self.runs, ended
        assert 1 <= sent <= trouble.most, f"{sent} token requests"
        with self.host(kind) as host:
            after = host.connections.get(before.id)
        if not trouble.lost:
            assert (after.status, after.version) == ("active", before.version + 1), after
            assert trouble.number == STOP or ended["waiting"] == 0, ended
        else:
            assert after.status == "needs_reauthorization", after
            assert "lost" in after.reason, after.reason
            assert trouble.number == STOP or ended["ok"] == 0, ended

    def _go_on(self, kind: str, trouble: Trouble, order: Order, told: list[dict[int, str]]) -> int:
        """The runs that waited go on when the connection is good again; how many did."""
        if trouble.lost:
            self._authorize(kind)
        waiting = [tuple(number for number, how in of_one.items() if how == "waiting") for of_one in told]
        ended = self.processes.storm([replace(order, numbers=numbers, point="") for numbers in waiting])
        assert all(how == "ok" for of_one in ended for how in of_one.values()), ended
        assert [tuple(of_one) for of_one in ended] == waiting, "a run that waited didn't go on"
        return sum(map(len, ended))

    def stop(self) -> None:
        self.processes.stop()
        self.sandbox.stop()
        if self.postgres:
            self.postgres.stop()
            shutil.rmtree(self.postgres.data.parent, ignore_errors=True)


def told(figures: list[Figures]) -> Iterator[str]:
    """A line for each kind of storm."""
    groups: dict[tuple[str, str, str], list[Figures]] = {}
    for one in figures:
        groups.setdefault((one.database, one.found, one.trouble), []).append(one)
    for (database, found, trouble), group in groups.items():
        counts = {name: sum(getattr(one, name) for one in group) for name in ("ok", "waiting", "went_on")}
        bad = {name: sum(getattr(one, name) for one in group) for name in ("failed", "unclassified")}
        requests = sorted(one.requests for one in group)
        seconds = sum(one.seconds for one in group) / len(group)
        yield (
            f"{database:8} {found:6} {trouble:37} {len(group):3} times, token requests {requests[0]}-{requests[-1]}, "
            + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in (counts | bad).items())
            + f", {seconds:.1f} s each"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--repetitions", type=int, default=int(os.environ.get("STORM_REPETITIONS", "100")))
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each of the {PROCESSES} processes")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no repetition after this")
    parser.add_argument("--keep", type=Path, help="a file with the figures of earlier times, and of this")
    parser.add_argument("--only", default="", help="storms whose title holds this")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its end"))
    kept = chosen.keep.read_text().splitlines() if chosen.keep and chosen.keep.exists() else []
    figures = [Figures(**json.loads(line)) for line in kept]
    until, memory = time.monotonic() + chosen.minutes * 60, Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="storm-") as folder:
        storms = Storms(Path(folder), chosen.runs)
        try:
            for one in _wanted(figures, chosen.repetitions, chosen.only):
                if time.monotonic() > until:
                    break
                done = storms.repetition(*one)
                figures.append(done)
                if chosen.keep:
                    with chosen.keep.open("a") as output:
                        output.write(json.dumps(asdict(done)) + "\n")
        finally:
            storms.stop()
    print("\n".join(told(figures)))
    return 0


def _wanted(figures: list[Figures], times: int, only: str) -> Iterator[tuple[str, str, Trouble, bool]]:
    """Round after round, so that all kinds have been tried equally often whenever it ends. In every tenth round the
    runs that waited go on."""
    done = Counter((one.database, one.found, one.trouble) for one in figures)
    for number in range(times):
        for trouble, kind, found in itertools.product(TROUBLES, KINDS, FOUND):
            if done[kind, found, trouble.title] <= number and only in f"{kind} {found} {trouble.title}":
                yield kind, found, trouble, number % 10 == 0


if __name__ == "__main__":
    sys.exit(main())
