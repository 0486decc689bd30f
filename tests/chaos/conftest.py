"""A sandbox, a host's folder, processes to kill, and what must be true afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from apollo_component.host.limits import Limits
from apollo_component.host.store import Store
from apollo_component.host.tables import connections

HERE = Path(__file__).parent
WORKFLOW = HERE / "prospecting.yaml"
PYTHON = [sys.executable, "-W", "ignore"]
CLASSES = ("default", "search", "enrichment", "enrichment_bulk")
ACTIONS = {
    "search": "people_api_search",
    "enrich": "people_bulk_match",
    "contacts": "contacts_create",
    "enrol": "emailer_campaigns_add_contact_ids",
}
SEQUENCE = "Founder outreach"
SECONDS = 60
"""Longer than anything here may take."""


class Row(dict[str, Any]):
    """A row by the names and by the places of its columns."""

    def __getitem__(self, key: Any) -> Any:
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


@contextlib.contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection of its own, on PostgreSQL with the engine's tables in reach."""
    arguments: dict[str, Any] = {"timeout": 15}
    if not url.startswith("sqlite"):
        url = url.replace("postgresql:", "postgresql+psycopg:", 1)
        arguments = {"options": "-c search_path=public,dbos"}
    with sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments).connect() as connection:
        yield connection


def selected(url: str, query: str, *values: Any) -> list[Row]:
    with connected(url) as connection:
        text = query if connection.dialect.name == "sqlite" else query.replace("?", "%s")
        return [Row(row) for row in connection.exec_driver_sql(text, values or None).mappings()]


def durable(url: str) -> bool:
    """Whether durable runs have their tables yet."""
    with connected(url) as connection:
        schema = None if connection.dialect.name == "sqlite" else "dbos"
        return sa.inspect(connection).has_table("operation_outputs", schema=schema)


def until(true: Callable[[], Any], what: str) -> Any:
    """What `true` gives once it gives something."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.01)
    raise AssertionError(f"never: {what}")


class Sandbox:
    """One sandbox process; every test begins with the same world."""

    def __init__(self) -> None:
        command = [*PYTHON, "-m", "apollo_component.sandbox", "--json"]
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout
        self.facts = json.loads(self.popen.stdout.readline())
        self.http = httpx.Client(base_url=self.facts["control_url"], timeout=10)

    def ask(self, path: str, **query: str) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def tell(self, path: str, **order: Any) -> Any:
        return self.http.post(path, json=order).raise_for_status().json()

    def reset(self, latency_ms: float = 0) -> None:
        self.tell("/release", all=True)
        self.tell("/reset")
        self.tell("/quotas", **dict.fromkeys(CLASSES, [None] * 3))
        self.tell("/settings", latency_ms=latency_ms)

    def fault(self, step: str, kind: str, **more: Any) -> None:
        self.tell("/faults", operation=ACTIONS[step], kind=kind, **more)

    def held(self, count: int = 1) -> list[dict[str, Any]]:
        """The requests held back, once there are `count`."""
        return until(lambda: len(found := self.ask("/held")) >= count and found, f"{count} requests held")

    def stop(self) -> None:
        self.http.close()
        self.popen.terminate()
        self.popen.communicate(timeout=10)


class Command:
    """A process of the command line; its output goes to files, so that nothing blocks."""

    def __init__(self, arguments: list[str], environ: dict[str, str], folder: Path) -> None:
        number = len(list(folder.glob("*.out")))
        self.out, self.err = folder / f"{number}.out", folder / f"{number}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.popen = subprocess.Popen([*PYTHON, *arguments], env=environ, stdout=out, stderr=err)

    def run_id(self) -> str:
        """The id of the run it begins, or goes on with, as soon as it is told."""
        line = until(lambda: next((x for x in self._lines() if '"run":' in x or self.ended), None), "a run")
        return str(json.loads(line)["run"]["id"])

    def _lines(self) -> list[str]:
        return self.err.read_text().splitlines()

    @property
    def ended(self) -> bool:
        return self.popen.poll() is not None

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(SECONDS)

    def says(self, text: str) -> None:
        until(lambda: text in self.err.read_text(), text)

    def stopped(self) -> None:
        """Wait for it to have stopped itself."""
        until(lambda: "T" in Path(f"/proc/{self.popen.pid}/stat").read_text().split()[2], "a stopped process")

    def go_on(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def died(self) -> None:
        """Wait for it to have killed itself."""
        assert self.popen.wait(SECONDS) == -signal.SIGKILL, self.told()

    def finish(self) -> dict[str, Any]:
        """Its result, when it ends well."""
        assert self.popen.wait(SECONDS) == 0, self.told()
        result: dict[str, Any] = json.loads(self.out.read_text())
        return result

    def told(self) -> str:
        return f"{self.popen.returncode}: {self.out.read_text()[-2000:]}\n{self.err.read_text()[-4000:]}"


@dataclass
class Snapshot:
    """What was recorded when a process died, and how much the sandbox had seen by then."""

    recorded: set[str]
    seen: int


@dataclass
class Trial:
    """One host's folder with a linked connection, and the sandbox it talks to."""

    sandbox: Sandbox
    folder: Path
    environ: dict[str, str]
    workflow: Path = WORKFLOW
    commands: list[Command] = field(default_factory=list)
    deaths: list[Snapshot] = field(default_factory=list)

    def command(self, *arguments: str) -> Command:
        return self._begun("-m", "apollo_component", *arguments, "--json")

    def begin(self) -> Command:
        return self.command(*self._run())

    def resume(self, run: str) -> Command:
        return self.command("workflow", "run", "--resume", run)

    def victim(self, run: str = "", **order: Any) -> Command:
        """A process that kills itself where the order says."""
        rest = ("workflow", "run", "--resume", run) if run else self._run()
        return self._begun(str(HERE / "victim.py"), json.dumps(order), *rest, "--json")

    def _run(self) -> tuple[str, ...]:
        self._answered()
        return "workflow", "run", str(self.workflow), "--connection", "apollo=chaos"

    def _answered(self) -> None:
        """Nobody's first request of an operation: that one would go alone."""
        store = Store.open(self.url)
        for row in store.rows(sa.select(connections)):
            scope = f"team:{json.loads(row['account_json'])['team_id']}"
            for action in ACTIONS.values():
                limits = Limits(store)
                permit = limits.permit(scope, action, time.time() + 10)
                limits.observed(permit, scope, action, (), None)
        store.close()

    def _begun(self, *arguments: str) -> Command:
        self.commands.append(Command(list(arguments), self.environ, self.folder))
        return self.commands[-1]

    def rows(self, query: str, *values: Any) -> list[Row]:
        """What the host's database gives for a statement, its values written as `?`."""
        return selected(self.url, query, *values)

    @property
    def url(self) -> str:
        return self.environ.get("WORKFLOW_HOST_DATABASE_URL", f"sqlite:///{self.folder / 'home' / 'host.db'}")

    def stop_between_writes(self, command: Command) -> None:
        """Stop a process at a moment when it doesn't have the database to itself."""

        def stopped() -> bool:
            command.popen.send_signal(signal.SIGSTOP)
            command.stopped()
            if not self.url.startswith("sqlite"):
                return self._stopped_on_postgres(command)
            with contextlib.closing(sqlite3.connect(self.database, timeout=0.2, isolation_level=None)) as database:
                try:
                    database.execute("BEGIN IMMEDIATE")
                    database.execute("ROLLBACK")
                    return True
                except sqlite3.OperationalError:
                    command.go_on()
                    return False

        until(stopped, "a moment without a write")

    def _stopped_on_postgres(self, command: Command) -> bool:
        if not self.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"):
            return True
        command.go_on()
        return False

    @property
    def database(self) -> Path:
        return self.folder / "home" / "host.db"

    def journal(self, run: str) -> list[Row]:
        return self.rows("SELECT * FROM host_journal WHERE run = ? ORDER BY sent_at", run)

    def outputs(self, run: str, step: str = "") -> set[str]:
        """The durable steps that were recorded."""
        if not durable(self.url):
            return set()
        query = "SELECT function_name FROM operation_outputs WHERE workflow_uuid = ? AND function_name LIKE ?"
        return {row[0] for row in self.rows(query, run, f"{step}%")}

    def recorded(self, run: str, step: str, count: int) -> None:
        """Wait until so many of a step's requests are recorded."""
        until(lambda: len(self.outputs(run, f"{step}:")) >= count, f"{count} requests of {step} recorded")

    def note_death(self, run: str) -> None:
        received = {f"{row['step']}:{row['item']}" for row in self.journal(run) if row["state"] == "received"}
        self.deaths.append(Snapshot(received | self.outputs(run), len(self.sandbox.ask("/requests"))))

    def records(self, run: str, step: str) -> list[Any]:
        found = self.rows("SELECT json FROM host_records WHERE run = ? AND step = ? ORDER BY seq", run, step)
        return [json.loads(row[0]) for row in found]

    def sent(self, run: str, begin: int = 0) -> Counter[str]:
        """How often the sandbox saw each of the run's requests, by item; those it saw before `begin` left out."""
        names = {_key("enrich", ids): f"enrich:0.{n}" for n, ids in enumerate(_tens(self.records(run, "search"), "id"))}
        emails = [person["email"] for person in self.records(run, "enrich") if person and person["email"]]
        names |= {_key("contacts", email): f"contacts:{n}" for n, email in enumerate(emails)}
        groups = enumerate(_tens(self.records(run, "contacts"), "id"))
        names |= {_key("enrol", ids): f"enrol:{n}" for n, ids in groups}
        steps = {action: step for step, action in ACTIONS.items()}
        found: Counter[str] = Counter()
        for request in self.sandbox.ask("/requests")[begin:]:
            # A process killed while it sent leaves a request without its body, which nobody can work on.
            if (step := steps.get(request["operation"])) and request["body"]:
                key = _asked(step, json.loads(request["body"]))
                found[f"search:{key[1]}" if step == "search" else names[key]] += 1
        return found

    def broken(self, step: str) -> int:
        """Requests cut off by a kill that the sandbox worked on although their body never came."""
        requests = self.sandbox.ask("/requests", operation=ACTIONS[step])
        return sum(not request["body"] and request["status"] == 200 for request in requests)

    def people(self) -> dict[str, list[dict[str, Any]]]:
        """The contacts that the sandbox has, by email."""
        found: dict[str, list[dict[str, Any]]] = {}
        for contact in self.sandbox.ask("/contacts")["contacts"]:
            found.setdefault(contact["email"], []).append(contact)
        return found

    def stop(self) -> None:
        self.sandbox.tell("/release", all=True)
        for command in self.commands:
            if not command.ended:
                command.kill()


def _tens(records: list[Any], name: str) -> list[list[str]]:
    values = [record[name] for record in records]
    return [values[start : start + 10] for start in range(0, len(values), 10)]


def _key(step: str, value: Any) -> tuple[str, str]:
    return step, json.dumps(value)


def _asked(step: str, body: dict[str, Any]) -> tuple[str, str]:
    """What one request is about."""
    if step == "search":
        page = body.get("page", 1)
        return step, "0" if page == 1 else str(page)
    if step == "enrich":
        return _key(step, [detail["id"] for detail in body["details"]])
    return _key(step, body["email"] if step == "contacts" else body["contact_ids"])


@dataclass(frozen=True)
class Figures:
    """What is printed of a trial."""

    kills: int
    in_doubt: int
    paid_twice: float
    ledger: int
    enriched: int
    repeated: int

    def __str__(self) -> str:
        return (
            f"kills {self.kills}, in doubt {self.in_doubt}, repeated {self.repeated}, "
            f"possibly paid twice {self.paid_twice:g}, ledger {self.ledger}, enriched {self.enriched}"
        )


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing happened to, in the same world."""

    steps: dict[str, int]
    contacts: int
    enriched: set[str]
    emails: set[str]


def facts_of(trial: Trial, report: dict[str, Any]) -> Undisturbed:
    enriched = [person for person in trial.records(report["id"], "enrich") if person]
    return Undisturbed(
        steps={step["id"]: step["records"] for step in report["steps"]},
        contacts=sum(len(found) for found in trial.people().values()) - trial.broken("contacts"),
        enriched={person["id"] for person in enriched},
        emails={person["email"] for person in enriched if person["email"]},
    )


def check(trial: Trial, report: dict[str, Any], expected: Undisturbed) -> Figures:
    """The promise: everything once, nothing lost, nothing recorded asked for again, and the books are right."""
    assert report["status"] == "done"
    _everything_once(trial, report, expected)
    _nothing_recorded_again(trial, report)
    figures = figures_of(trial, report)
    listed = sum(item["worst_credits"] for item in report["in_doubt"] if "paid twice" in item["outcome"])
    assert figures.paid_twice == listed, report["in_doubt"]
    assert figures.enriched <= figures.ledger <= figures.enriched + figures.paid_twice
    assert report["credits"]["spent"] == figures.enriched
    assert report["credits"]["reserved"] == figures.paid_twice
    return figures


def _everything_once(trial: Trial, report: dict[str, Any], expected: Undisturbed) -> None:
    found = facts_of(trial, report)
    repeated = {item["step"] for item in report["in_doubt"]}
    for step, records in expected.steps.items():
        # Who is in the sequence already is skipped by a repeat, so a repeat's answer may name fewer people.
        assert found.steps[step] == records or (step == "enrol" and step in repeated), step
    assert found.enriched == expected.enriched
    assert found.emails == expected.emails
    assert found.contacts == expected.contacts
    people, sequence = trial.people(), trial.sandbox.ask("/state")["sequences"][SEQUENCE]
    for email in expected.emails:
        assert len(people[email]) == 1, email
        contact = people[email][0]
        assert contact["emailer_campaign_ids"].count(sequence) == 1, email
        places = [place["emailer_campaign_id"] for place in contact["contact_campaign_statuses"]]
        assert places.count(sequence) == 1, email


def _nothing_recorded_again(trial: Trial, report: dict[str, Any]) -> None:
    for death in trial.deaths:
        assert not death.recorded & set(trial.sent(report["id"], death.seen))
    doubts = Counter(f"{item['step']}:{item['item']}" for item in report["in_doubt"])
    rows = trial.journal(report["id"])
    refusals = Counter(f"{row['step']}:{row['item']}" for row in rows if row["state"] == "without_effect")
    for item, times in trial.sent(report["id"]).items():
        allowed = len(trial.deaths) if item.startswith("search") else doubts[item] + refusals[item]
        assert times <= 1 + allowed, (item, times)
    for row in rows:
        assert row["state"] in ("received", "found", "in_doubt", "without_effect"), dict(row)


def figures_of(trial: Trial, report: dict[str, Any]) -> Figures:
    return Figures(
        kills=len(trial.deaths),
        in_doubt=len(report["in_doubt"]),
        paid_twice=report["credits"]["paid_twice"],
        ledger=trial.sandbox.ask("/ledger")["total"],
        enriched=sum(person is not None for person in trial.records(report["id"], "enrich")),
        repeated=sum(times - 1 for times in trial.sent(report["id"]).values()),
    )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    started = Sandbox()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def linked(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's folder with one connection; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("linked")
    sandbox.reset()
    _link(_environ(sandbox, folder), sandbox, folder)
    return folder / "home"


def _link(environ: dict[str, str], sandbox: Sandbox, folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text(sandbox.facts["keys"]["master"])
    arguments = ["connect", "api_key", "--name", "chaos", "--secret-file", str(secret)]
    Command(["-m", "apollo_component", *arguments, "--json"], environ, folder).finish()


def _environ(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKFLOW_HOST_")}
    addresses = {"APOLLO_API_URL": sandbox.facts["api_url"], "APOLLO_OAUTH_URL": sandbox.facts["oauth_url"]}
    return kept | addresses | {"WORKFLOW_HOST_HOME": str(folder / "home")}


@pytest.fixture(scope="session")
def new_trial(
    backend: str, sandbox: Sandbox, linked: Path, request: pytest.FixtureRequest
) -> Callable[..., contextlib.AbstractContextManager[Trial]]:
    @contextlib.contextmanager
    def made(folder: Path, latency_ms: float = 0) -> Iterator[Trial]:
        folder.mkdir(exist_ok=True)
        trial = Trial(sandbox, folder, _environ(sandbox, folder))
        if backend == "postgres":
            server = request.getfixturevalue("postgres")
            trial.environ["WORKFLOW_HOST_DATABASE_URL"] = server.database(request.getfixturevalue("postgres_template"))
            _link(trial.environ, sandbox, folder)
        else:
            shutil.copytree(linked, folder / "home")
        sandbox.reset(latency_ms)
        try:
            yield trial
        finally:
            trial.stop()
            if backend == "postgres":
                server.drop(trial.url)

    return made


@pytest.fixture(scope="session")
def undisturbed(new_trial: Any, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    with new_trial(tmp_path_factory.mktemp("undisturbed")) as trial:
        report = trial.begin().finish()
        expected = facts_of(trial, report)
        figures = check(trial, report, expected)
    assert figures.ledger == figures.enriched == 30
    return expected


@pytest.fixture
def trial(new_trial: Any, undisturbed: Undisturbed, tmp_path: Path) -> Iterator[Trial]:
    with new_trial(tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def checks() -> Callable[..., Figures]:
    return check


@pytest.fixture
def conclude(undisturbed: Undisturbed, record_property: Callable[[str, Any], None]) -> Callable[..., Figures]:
    """Check everything, and keep the figures for the summary."""

    def checked(trial: Trial, report: dict[str, Any]) -> Figures:
        figures = check(trial, report, undisturbed)
        record_property("figures", str(figures))
        return figures

    return checked


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of every trial."""
    lines = [
        f"{report.nodeid.partition('::')[2]}: {value}"
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("chaos figures")
        for line in sorted(lines):
            terminalreporter.line(line)
