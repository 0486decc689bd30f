"""Workers on one PostgreSQL, killed at random and replaced, against a service with faults, for as long as told.

python -m tests.chaos.soak --seconds 600 --workers 4 --every 5 --faults 0.05 --actions 20000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.runs import ENDED, QUEUED
from apollo_component.host.settings import Settings
from apollo_component.host.store import dumps
from apollo_component.host.tables import runs
from tests import postgres
from tests.chaos import soak_checks as checks

HERE = Path(__file__).parent
TEXT = (HERE / "soak.yaml").read_text()
DRAIN_SECONDS = 180.0
TIGHT, WIDE = 90, 900
"""Enrichments a minute: in the first tenth of the soak fewer than the workers want, so that they share what there is;
then enough for the soak's many actions."""
SHARES = (
    ("drop_before", 0.2, {}), ("drop_after", 0.2, {}), ("status", 0.2, {"status": 503}), ("truncate", 0.2, {}),
    ("status", 0.1, {"status": 429, "body": {"message": "slow down"}, "headers": {"retry-after": "1"}}),
    ("latency", 0.1, {"seconds": 1.0}),
)  # fmt: skip
"""What the faults are, each with its share."""


@dataclass(frozen=True)
class Plan:
    seconds: float = 600
    workers: int = 4
    every: float = 5
    faults: float = 0.05
    actions: int = 20_000
    slots: int = 4
    ahead: int = 40
    """Runs kept in the queue, so that no worker is ever without work."""
    seed: int = 0


@dataclass
class Soak:
    plan: Plan
    folder: Path
    host: Host
    facts: dict[str, Any]
    environ: dict[str, str]
    chance: random.Random
    control: httpx.Client
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    born: dict[int, float] = field(default_factory=dict)
    memory: list[checks.Sample] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    kills: int = 0
    fed: int = 0
    starts: int = 0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def start(self) -> None:
        """One more worker; what it says goes to files that are looked through at the end."""
        self.starts += 1
        words = [sys.executable, "-W", "ignore", "-m", "apollo_component", "workflow", "worker", "--json"]
        with (self.folder / f"worker-{self.starts}.log").open("wb") as log:
            words += ["--concurrency", str(self.plan.slots)]
            process = subprocess.Popen(words, env=self.environ, stdout=log, stderr=log)
        self.workers.append(process)
        self.born[process.pid] = time.monotonic()

    def kill(self) -> None:
        chosen = self.chance.choice(self.workers)
        chosen.kill()
        chosen.wait(10)
        self.workers.remove(chosen)
        self.kills += 1
        self.start()

    def feed(self) -> None:
        """Queue runs as a subscription does."""
        with self.host.store.read() as connection:
            count = sa.select(sa.func.count()).select_from(runs).where(runs.c.status == QUEUED)
            missing = self.plan.ahead - int(connection.execute(count).scalar() or 0)
        link = self.host.connections.get("soak").id
        for _ in range(missing):
            self.fed += 1
            name = f"soak-{self.fed}"
            event = {"record": {}, "id": name, "version": "1", "at": None}
            inputs = {"inputs": {}, "connections": {"apollo": link}, "trigger": event, "started_by": {"on": "soak"}}
            values = {"id": f"t-{name}", "kind": "workflow", "title": "soak", "status": QUEUED, "text": TEXT}
            values |= {"inputs_json": dumps(inputs), "workflow": "soak", "subscription": "soak", "unattended": True}
            with self.host.store.write(f"run:t-{name}") as connection:
                self.host.runs.insert(connection, values)

    def sample(self) -> None:
        for process in self.workers:
            if (size := checks.resident(process.pid)) is not None:
                age = time.monotonic() - self.born[process.pid]
                self.memory.append(checks.Sample(self.elapsed, age, size))

    def unfinished(self) -> int:
        with self.host.store.read() as connection:
            query = sa.select(sa.func.count()).select_from(runs).where(runs.c.status.not_in(ENDED))
            return int(connection.execute(query).scalar() or 0)

    def through(self) -> None:
        """Feed and kill until the time is over, then let the workers finish what is there."""
        for _ in range(self.plan.workers):
            self.start()
        self.quota(TIGHT)
        next_kill, next_told, widened = self.plan.every, 60.0, False
        while self.elapsed < self.plan.seconds:
            if self.elapsed > self.plan.seconds / 10 and not widened:
                self.quota(WIDE)
                widened = True
            self.feed()
            self.sample()
            if self.elapsed >= next_kill:
                self.kill()
                next_kill += self.plan.every
            if self.elapsed >= next_told:
                next_told += 60
                print(f"{self.elapsed:4.0f} s: {self.fed} runs fed, {self.unfinished()} not ended, {self.kills} kills")
            time.sleep(0.5)
        self.fault_free()
        until = time.monotonic() + DRAIN_SECONDS
        while self.unfinished() and time.monotonic() < until:
            time.sleep(0.5)

    def quota(self, minute: int) -> None:
        self.control.post("/quotas", json={"people_match": [minute, None, None]}).raise_for_status()

    def faulty(self) -> None:
        for kind, share, more in SHARES:
            # Each is asked in its turn, and only when none before it struck; at a few percent that hardly matters.
            order = {"operation": "*", "kind": kind, "probability": share * self.plan.faults, **more}
            self.control.post("/faults", json=order).raise_for_status()

    def fault_free(self) -> None:
        self.control.delete("/faults").raise_for_status()

    def stop(self) -> None:
        """SIGTERM, as an operator would; who doesn't end is killed."""
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def sandbox(stack: ExitStack) -> dict[str, Any]:
    words = [sys.executable, "-W", "ignore", "-m", "apollo_component.sandbox", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)
    assert process.stdout
    with process.stdout:
        found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def soak(plan: Plan, server: postgres.Postgres, folder: Path) -> checks.Figures:
    """The whole of it; the figures, which `problems` judges."""
    with ExitStack() as stack:
        facts = sandbox(stack)
        url = server.database()
        addresses = {"APOLLO_API_URL": facts["api_url"], "APOLLO_OAUTH_URL": facts["oauth_url"]}
        home = folder / "home"
        environ = addresses | {"WORKFLOW_HOST_HOME": str(home), "WORKFLOW_HOST_DATABASE_URL": url}
        before = {name: os.environ.get(name) for name in environ}
        os.environ.update(environ)
        stack.callback(_restore, before)
        control = stack.enter_context(httpx.Client(base_url=facts["control_url"], timeout=60))
        quotas: dict[str, Any] = dict.fromkeys(("default", "search", "enrichment", "enrichment_bulk"), [None] * 3)
        control.post("/quotas", json=quotas).raise_for_status()
        control.post("/credits", json={"left": 10_000_000}).raise_for_status()
        host = Host.open(Settings(home, url), Registry.installed())
        stack.callback(host.close)
        linking.link_key(host, "apollo", "soak", "api_key", {"api_key": facts["keys"]["master"]})
        control.delete("/requests").raise_for_status()
        seed = plan.seed or random.randrange(10**6)
        print(f"seed {seed}")
        made = Soak(plan, folder, host, facts, dict(os.environ), random.Random(seed), control)
        made.faulty()
        try:
            made.through()
        finally:
            made.stop()
        return checks.figures(made, server, url)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    plan = Plan(**vars(parser.parse_args(arguments)))
    server, folder = postgres.started(), Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        found = soak(plan, server, folder)
    finally:
        server.stop()
        shutil.rmtree(server.data.parent, ignore_errors=True)
    print(found.told())
    problems = found.problems(plan.actions)
    print("\n".join(f"WRONG: {problem}" for problem in problems) or "All promises were kept.")
    if not problems:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
