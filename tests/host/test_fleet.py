"""Several workers on one database: who takes what, who has gone, and a database that goes away."""

import asyncio
import json
import sqlite3
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from apollo_component.host.host import Host
from apollo_component.host.journal import OwnershipLostError
from apollo_component.host.leases import Leases, new_owner
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store, StoreAwayError, dumps, worded
from apollo_component.host.tables import leases, workers
from apollo_component.host.workflow import backlog, engine
from apollo_component.host.workflow.backlog import AHEAD, Backlog
from apollo_component.host.workflow.fleet import Workers
from apollo_component.host.workflow.overview import overview
from apollo_component.host.workflow.worker import Worker

from .conftest import link

ELSEWHERE = "0123456789ab/77/aaaaaaaaaa"
"""An owner on another machine: nothing but its silence tells that it is gone."""
TEXT = """\
name: feed
connections: {apollo: {connector: apollo, use: mine}}
trigger: {on: contact_created}
steps:
  - {id: one, action: users_api_profile}
  - {id: two, action: labels_list}
"""


class Flaky(Store):
    """A database that is away, or has no room to write, whenever a test says so."""

    away = full = False

    @contextmanager
    def read(self):
        self.check()
        with super().read() as connection:
            yield connection

    @contextmanager
    def write(self, on="", *, durable=True):
        self.check()
        with super().write(on, durable=durable) as connection:
            yield connection
            if self.full:  # as SQLite says it, and PostgreSQL with its code 53100
                with worded():
                    raise sqlite3.OperationalError("database or disk is full")

    def rows(self, query):
        self.check()
        return super().rows(query)

    def check(self):
        if self.away:
            raise StoreAwayError("The database doesn't answer.", worked=False)


def opened(url, home, clock=None):
    more = {"clock": clock} if clock else {}
    return Host.open(Settings(home, url), Registry.installed(), store=Flaky.open(url), **more)


@pytest.fixture
def host(registered, database_url, tmp_path, clock):
    made = opened(database_url, tmp_path / "home", clock)
    yield made
    made.close()


def put(host, identity, status="queued", connections=None, **detail):
    inputs = {"inputs": {}, "connections": connections or {"apollo": "c"}, "trigger": {"id": identity}}
    values = {"kind": "workflow", "title": "feed", "workflow": "feed", "subscription": "s", "text": TEXT}
    values |= {"unattended": True, "status": status, "inputs_json": dumps(inputs), "detail_json": dumps(detail)}
    with host.store.write(f"run:{identity}") as connection:
        host.runs.insert(connection, {"id": identity, **values})
    return identity


def names(taken):
    return {run.id for run, _ in taken}


def test_two_workers_never_take_the_same_run(host):
    """Whatever two workers take from one backlog, each run has one owner, and together they take all of it."""
    wanted = {put(host, f"t-{n}") for n in range(30)}
    one, other = Backlog(host), Backlog(host)
    first, second = set(), set()
    for _ in range(10):
        first |= names(one.taken(2, frozenset(first)))
        second |= names(other.taken(2, frozenset(second)))
    assert first | second == wanted
    assert not first & second


def test_what_was_interrupted_is_taken_up_before_what_is_new(host, clock):
    """However long the queue, a run whose worker fell silent goes on first; before that nobody takes it."""
    put(host, "t-old", "running")
    assert host.leases.acquire("run:t-old", 20)
    with host.store.write("run:t-old") as connection:
        connection.execute(sa.update(leases).values(owner=ELSEWHERE))
    clock.now += 1
    for n in range(AHEAD * 2):
        put(host, f"t-{n}")
    looking = Backlog(host)
    assert "t-old" not in names(looking.taken(5, frozenset()))
    clock.now += 21
    assert names(looking.taken(1, frozenset())) == {"t-old"}


def test_each_waiting_run_gets_its_turn(host, clock):
    """A run whose wait is over goes on although more runs than a round looks at wait before it."""
    later = "2100-01-01T00:00:00+00:00"
    for n in range(AHEAD + 20):
        put(host, f"t-{n:03}", "waiting_for_quota", error={"resets_at": later})
    put(host, "t-999", "waiting_for_quota", error={"resets_at": "2020-01-01T00:00:00+00:00"})
    looking, found = Backlog(host), set()
    for _ in range(3):
        clock.now += 3
        found |= names(looking.taken(5, frozenset()))
    assert found == {"t-999"}


def test_an_owner_that_was_taken_over_changes_nothing(host, clock):
    """A stalled worker that comes back neither moves the run nor notes steps or records: they are another's now."""
    put(host, "t-1")
    [(run, stale)] = Backlog(host).taken(1, frozenset())
    clock.now += 21
    with host.store.write("run:t-1") as connection:
        connection.execute(sa.update(leases).values(owner=ELSEWHERE, version=stale.version + 1))
    for change in (
        lambda: host.runs.update(run.id, "done", {}, stale),
        lambda: host.runs.note_step(run.id, "one", 0, "done", {}, stale),
        lambda: host.runs.save_records(run.id, "one", 0, [{"id": "x"}], stale),
    ):
        with pytest.raises(OwnershipLostError):
            change()
    assert host.runs.get(run.id).status == "running"
    assert host.runs.steps(run.id) == []
    assert list(host.runs.records(run.id, "one")) == []


def test_the_fleet_is_known(host, clock):
    """Who works is there while it works; who died on this machine is dead at once, who is silent is told apart."""
    fleet = Workers(host.store, clock)
    with fleet.joined(4) as me:
        values = {"machine": "far", "slots": 2, "began_at": clock.now, "beat_at": clock.now - 60}
        dead = f"{new_owner().split('/')[0]}/4194999/aaaaaaaaaa"
        with host.store.write() as connection:
            connection.execute(sa.insert(workers).values(id=ELSEWHERE, pid=77, **values))
            connection.execute(sa.insert(workers).values(id=dead, pid=4194999, **values))
        states = {member.id: member.state(clock.now) for member in fleet.all()}
        assert states == {me: "alive", ELSEWHERE: "silent", dead: "dead"}
        clock.now += 90_000
        with fleet.joined(1) as other:
            assert other in fleet.known()
            assert not {dead, ELSEWHERE} & fleet.known()
    assert fleet.known() == set()


def test_an_operator_sees_what_isn_t_well(host, clock):
    """Queued work without a worker, runs without an owner and failed ones are told; a lone silent database is well."""
    assert overview(host)["well"]
    put(host, "t-1")
    put(host, "t-2", "running")
    put(host, "t-3", "failed", error={"message": "no"})
    put(host, "t-4", "waiting_for_quota", step="one", error={"resets_at": "2100-01-01T00:00:00+00:00", "message": "m"})
    found = overview(host)
    assert found["runs"] == {"queued": 1, "interrupted": 1, "failed": 1, "waiting_for_quota": 1}
    assert [run["id"] for run in found["waiting"]] == ["t-4"]
    assert not found["well"]
    assert any("No worker is alive. 1 queued" in note for note in found["notes"])
    with Workers(host.store, clock).joined(3) as me:
        taken = Backlog(host).taken(2, frozenset())
        assert names(taken) == {"t-1", "t-2"}
        found = overview(host)
        assert [(item["busy"], item["slots"]) for item in found["workers"]] == [(2, 3)]
        assert {run["worker"] for run in found["running"]} == {me}
        assert found["notes"] == ["1 runs failed: `runs list` and `runs show RUN` tell why."]
    json.dumps(found)


def put_linked(host, sandbox, count):
    """So many runs that use a connection to the sandbox."""
    sandbox.unlimited()
    used = {"apollo": link(host, sandbox).id}
    for n in range(count):
        put(host, f"t-{n}", connections=used)


@pytest.fixture
def real(registered, sandbox, database_url, tmp_path):
    made = opened(database_url, tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def short_leases(monkeypatch):
    monkeypatch.setattr(backlog, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(engine, "LEASE_SECONDS", 2.0)


async def until(true, seconds=25):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def outlived(host, sandbox, count, trouble, said):
    """A worker does so many runs although trouble comes in the middle of them; every one of them is done."""
    worker = Worker(host, concurrency=2, progress=said.append)
    task = asyncio.create_task(worker.serve())
    await until(lambda: sandbox.count("users_api_profile") > 1)
    await trouble(task)
    await until(lambda: task.done() or count_of(host, "done") == count, 90)
    worker.told()
    await task
    assert {run.status for run in host.runs.all()} == {"done"}
    assert not any("unexpected" in text for text in said), said


@pytest.mark.real
@pytest.mark.parametrize(
    ("trouble", "words"),
    [("away", "goes on when that is over"), ("full", "The disk is full. The worker goes on")],
    ids=["database away", "disk full"],
)
@pytest.mark.usefixtures("short_leases")
def test_a_worker_outlives_its_database(real, sandbox, trouble, words):
    """A database that goes away, or whose disk is full, in the middle of runs ends no worker and fails no run; once it
    is well again, all is done. Where the disk is full what was sent then is a read, so it may be sent once more."""
    put_linked(real, sandbox, 4)
    sandbox.control("POST", "/settings", {"latency_ms": 150})
    said = []

    async def comes_and_goes(task):
        setattr(real.store, trouble, True)
        await until(lambda: task.done() or any(words in text for text in said))
        assert not task.done(), task.exception()
        if trouble == "full":  # one can still read
            await until(lambda: {run.status for run in real.runs.all()} <= {"running", "queued", "done"})
        setattr(real.store, trouble, False)

    asyncio.run(outlived(real, sandbox, 4, comes_and_goes, said))
    assert sandbox.count("labels_list") >= 4
    assert trouble == "away" or sandbox.count("labels_list") <= 6


@pytest.mark.real
@pytest.mark.usefixtures("short_leases")
def test_a_worker_outlives_its_connections(registered, sandbox, postgres, tmp_path):
    """A PostgreSQL that throws every connection out, twice, in the middle of runs ends no worker and fails no run."""
    url = postgres.database()
    host = opened(url, tmp_path / "home")
    put_linked(host, sandbox, 6)
    sandbox.control("POST", "/settings", {"latency_ms": 100})
    name = url.partition("@/")[2].partition("?")[0]
    mine = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"

    async def twice(_task):
        for count in (1, 5):
            await until(lambda count=count: sandbox.count("users_api_profile") > count, 60)
            await asyncio.to_thread(postgres.execute, mine)

    asyncio.run(outlived(host, sandbox, 6, twice, []))
    host.close()


def count_of(host, status):
    """How many runs are there by now; a connection that breaks tells nothing."""
    try:
        return sum(run.status == status for run in host.runs.all())
    except StoreAwayError:
        return -1


@pytest.mark.real
def test_a_worker_that_was_declared_dead_sends_nothing_more(real, sandbox):
    """A worker that stood still beyond its lease, and whose run another took, doesn't send the next request."""
    put_linked(real, sandbox, 1)
    sandbox.control("POST", "/faults", {"operation": "users_api_profile", "kind": "hold_before", "times": 1})
    before = sandbox.count("users_api_profile")

    async def through():
        said = []
        worker = Worker(real, progress=said.append)
        task = asyncio.create_task(worker.serve())
        await until(lambda: sandbox.control("GET", "/held"))
        other = Leases(real.store, lambda: real.clock() + 60)
        assert other.acquire("run:t-0", 60)
        sandbox.control("POST", "/release", {"all": True})
        await until(lambda: any("taken this run over" in text for text in said))
        worker.told()
        await task

    asyncio.run(through())
    assert sandbox.count("users_api_profile") == before + 1
    assert sandbox.count("labels_list") == 0
    assert real.runs.get("t-0").status == "running"


@pytest.mark.real
def test_told_twice_a_worker_ends_at_once(real, sandbox):
    """The first signal lets a hanging request end for a while, the second doesn't; the run is free for others."""
    put_linked(real, sandbox, 1)
    sandbox.control("POST", "/faults", {"operation": "users_api_profile", "kind": "hold_before", "times": 1})

    async def through():
        worker = Worker(real, drain_seconds=600)
        task = asyncio.create_task(worker.serve())
        await until(lambda: sandbox.control("GET", "/held"))
        worker.told()
        await asyncio.sleep(0.3)
        assert not task.done()
        worker.told()
        await asyncio.wait_for(task, 10)

    asyncio.run(through())
    sandbox.control("POST", "/release", {"all": True})
    assert names(Backlog(real).taken(1, frozenset())) == {"t-0"}
    assert Workers(real.store).known() == set()
