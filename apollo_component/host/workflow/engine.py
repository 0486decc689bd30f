"""Durable runs of workflow files on DBOS: start one, drive it, take it over after a crash.

Only `launched` launches DBOS, once in a process. A run has one owner at a time, by a lease; a process that lost it
begins no other request, because every journal row is claimed under the lease. DBOS's own recovery touches nothing of
other processes: each has an executor id and a queue of its own.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbos import DBOS, DBOSClient, Serializer, SetWorkflowID
from dbos import error as dbos_errors
from sqlalchemy.exc import SQLAlchemyError

from ...contract.errors import InputError, NotFoundError, Problem, StoreError, TransientError
from ..daily import PER_DAY
from ..host import Host
from ..journal import OwnershipLostError
from ..leases import Heartbeat, Lease
from ..runs import Run
from ..store import CONNECTIONS, IDLE_SECONDS, worded
from .backlog import LEASE_SECONDS
from .driver import Driver
from .file import TRIGGER_NAMES, Workflow, parse_workflow
from .fleet import Workers
from .sqlite_time import durable_url

RUN_FORMAT = "run-format-1"
"""Changes only when a recorded run could not be continued by newer code."""
APPLICATION = "workflow-host"
CLIENT_CONNECTIONS = 2
"""To PostgreSQL, for the queues of processes; the engine itself has as many as the store."""
_drivers: dict[str, Driver] = {}


class JsonSerializer(Serializer):
    """DBOS stores pickles by default; ours is JSON, so that a database holds data and never code."""

    def name(self) -> str:
        return "host_json"

    def serialize(self, data: Any) -> str:
        plain = {"__error__": type(data).__name__} if isinstance(data, BaseException) else data
        return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        return RuntimeError(data["__error__"]) if isinstance(data, dict) and "__error__" in data else data


@DBOS.workflow(name="host_run", max_recovery_attempts=None)
async def host_run(run: str) -> str:
    """The durable procedure: interprets the run's own workflow text; its steps are the requests."""
    return await _drivers[run].whole()


def start(
    host: Host,
    workflow: Workflow,
    inputs: Mapping[str, Any],
    connections: Mapping[str, str],
    budget: float | None = None,
    event: Mapping[str, Any] | None = None,
    *,
    queued: bool = False,
) -> Run:
    """Store a run; nothing is sent yet. `event` stands for what a trigger would have told; with `queued` any worker
    takes the run.

    Raises InputError naming a missing input or connection.
    """
    stored = prepared(host, workflow, inputs, connections)
    if workflow.start is None and event is not None:
        problem = Problem("goes with a file that a trigger or a schedule starts", path="--event")
        raise InputError("The workflow can't start; nothing was run.", [problem])
    if workflow.start is not None and event is None:
        raise InputError(
            "The workflow can't start: its steps wait for an event.",
            [Problem('is needed to run it by hand: a JSON object such as {"record": {}}', path="--event")],
            hint="Or let it start by itself: `workflow enable`, then `workflow worker`.",
        )
    stored |= {"trigger": {**dict.fromkeys(TRIGGER_NAMES), **(event or {})}} if workflow.start else {}
    chosen = workflow.budget if budget is None else budget
    name = workflow.name
    return host.runs.create(
        "workflow", name, text=workflow.text, inputs=stored, budget=chosen, workflow=name, queued=queued
    )


def prepared(
    host: Host, workflow: Workflow, inputs: Mapping[str, Any], connections: Mapping[str, str]
) -> dict[str, Any]:
    """`{inputs, connections}` of a run, whole and checked. Raises InputError naming each that is missing."""
    problems: list[Problem] = []
    values = dict(_inputs(workflow, inputs, problems))
    used = dict(_connections(host, workflow, connections, problems))
    if problems:
        raise InputError("The workflow can't start; nothing was run.", problems)
    return {"inputs": values, "connections": used, PER_DAY: workflow.budget_per_day}


def drive(
    host: Host, run: str, *, wait: bool = False, progress: Callable[[str], None] = lambda _text: None
) -> dict[str, Any]:
    """Run until the end, or until the run waits for something (then only with `wait` it stays).

    Returns the run's report. Raises TransientError while another process drives the run.
    """
    workflow = parse_workflow(host.runs.get(run).text, host.registry.manifests, run)
    lease = _own(host, run, progress)

    async def alone() -> None:
        with launched(host) as queue:
            await driven(host, queue, Driver(host, workflow, run, lease, wait=wait, progress=progress))

    asyncio.run(alone())
    return host.runs.report(run)


async def driven(host: Host, queue: str, driver: Driver) -> None:
    """Drive one run whose lease the driver holds, in a process that launched DBOS. Raises OwnershipLostError."""
    _drivers[driver.run] = driver
    beat = Heartbeat(host.leases, driver.lease, LEASE_SECONDS).start()
    try:
        handle = await _handle(queue, driver.run)
        await _ended(handle, driver, beat)
    finally:
        driver.close()
        _drivers.pop(driver.run, None)
        await asyncio.to_thread(beat.stop)


async def _ended(handle: Any, driver: Driver, beat: Heartbeat) -> None:
    """Returns when the run is done or waits for something. Raises what ended it otherwise."""
    result = asyncio.create_task(handle.get_result(polling_interval_sec=0.1))
    watch = asyncio.create_task(_watch(driver, beat))
    try:
        await asyncio.wait({result, watch}, return_when=asyncio.FIRST_COMPLETED)
        if driver.lost or beat.lost.is_set():
            raise OwnershipLostError(
                "Another process has taken this run over; this one stopped.", hint="Follow it with `runs show`."
            )
        if driver.away:
            raise driver.away
        if driver.crash:
            raise driver.crash
        if result.done():
            result.result()
    finally:
        watch.cancel()
        result.cancel()


async def _watch(driver: Driver, beat: Heartbeat) -> None:
    """Ends when the run waits for something and nobody wants to wait here, when it was lost, or by a fault."""
    while not (driver.parked or driver.lost or driver.away or driver.crash or beat.lost.is_set()):
        await asyncio.sleep(0.05)


async def _handle(queue: str, run: str) -> Any:
    """Begin the durable procedure, or take it over where it stands; either way in this process."""
    with _worded():
        if await DBOS.get_workflow_status_async(run) is None:
            with SetWorkflowID(run):
                return await DBOS.start_workflow_async(host_run, run)
        return await DBOS.resume_workflow_async(run, queue_name=queue)


@contextlib.contextmanager
def launched(host: Host, slots: int = 0, poll_seconds: float = 0.1) -> Iterator[str]:
    """DBOS launched for one process that nobody else's work can reach; the name of its own queue, which is looked at
    every `poll_seconds`. While it lasts the process is among the fleet; `slots` is how many runs a worker takes, 0
    for a process that drives only its own. Raises StoreError and StoreAwayError."""
    workers = Workers(host.store, host.shared)
    with workers.joined(slots) as identity:
        with _worded():
            client = _engine(host, identity, workers, poll_seconds)
        try:
            yield identity
        finally:
            # A queue that is left because the database is away goes when another process is launched.
            with contextlib.suppress(SQLAlchemyError, dbos_errors.DBOSException):
                client.delete_queue(identity)
            client.destroy()
            DBOS.destroy()


def _engine(host: Host, identity: str, workers: Workers, poll_seconds: float) -> DBOSClient:
    """The queue is there before the launch: DBOS looks for queues at launch and then only once a second."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    url = durable_url(host.store.url).render_as_string(hide_password=False)
    DBOS.migrate(url)
    client = DBOSClient(
        system_database_url=url,
        serializer=JsonSerializer(),
        application_name=APPLICATION,
        system_database_pool_size=CLIENT_CONNECTIONS,
        retry_connection_errors=False,
    )
    known = workers.known()
    for queue in client.list_queues():
        if queue.name not in known:
            client.delete_queue(queue.name)
    client.register_queue(identity, polling_interval_sec=poll_seconds)
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": url,
            "executor_id": identity,
            "application_version": RUN_FORMAT,
            "serializer": JsonSerializer(),
            "enable_otlp": False,
            "log_level": "CRITICAL",
            "sys_db_pool_size": CONNECTIONS,
            "sys_db_idle_transaction_timeout_sec": IDLE_SECONDS,
            # It tries again by itself when a connection turns out to be broken.
            "db_engine_kwargs": {"pool_pre_ping": False},
            "notification_listener_polling_interval_sec": 1.0,
            "scheduler_polling_interval_sec": 3600.0,
        }
    )
    DBOS.listen_queues([identity])
    DBOS.launch()
    return client


@contextlib.contextmanager
def _worded() -> Iterator[None]:
    """Trouble that the engine of durable runs has with the database, as an error of ours."""
    try:
        with worded():
            yield
    except dbos_errors.DBOSException as error:
        raise StoreError(
            f"Durable runs can't use the database ({type(error).__name__}).",
            hint="Check that its user may make the schema `dbos`, and that no newer version used it.",
        ) from None


def _own(host: Host, run: str, progress: Callable[[str], None]) -> Lease:
    """The run's lease; a crashed owner's ends by itself within seconds."""
    import time

    name, until, told = f"run:{run}", host.clock() + LEASE_SECONDS * 1.5, False
    while True:
        if lease := host.leases.acquire(name, LEASE_SECONDS):
            return lease
        if host.clock() > until:
            raise TransientError(
                f"The run {run} is driven by another process.", hint="Wait for it, or stop that process first."
            )
        if not told:
            progress("Another process holds this run; waiting for it to end or to prove dead.")
            told = True
        time.sleep(0.25)


def _inputs(workflow: Workflow, given: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    for name in given:
        if name not in workflow.inputs:
            known = ", ".join(workflow.inputs) or "none"
            problems.append(Problem(f"is no input of this workflow; it has: {known}", path=name))
    for name, declared in workflow.inputs.items():
        if name in given:
            yield name, _typed(name, given[name], declared, problems)
        elif "default" in declared:
            yield name, declared["default"]
        else:
            problems.append(Problem("is required; give it with --input NAME=VALUE", path=f"inputs.{name}"))


def _typed(name: str, value: Any, declared: Mapping[str, Any], problems: list[Problem]) -> Any:
    """A value from a command line has the type of the declared default: JSON where that is no text."""
    default = declared.get("default")
    if not isinstance(value, str) or default is None or isinstance(default, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if type(found) is not type(default) and not (isinstance(found, int) and isinstance(default, float)):
        problems.append(Problem(f"must be JSON like its default, {json.dumps(default)}", path=f"inputs.{name}"))
    return found


def _connections(
    host: Host, workflow: Workflow, given: Mapping[str, str], problems: list[Problem]
) -> Iterator[tuple[str, str]]:
    """The file's connection name → the id of the stored one."""
    for alias in given:
        if alias not in workflow.connections:
            problems.append(
                Problem(f"is no connection of this workflow: {', '.join(workflow.connections)}", path=alias)
            )
    for alias, (connector, use) in workflow.connections.items():
        name = given.get(alias) or use
        if not name:
            problems.append(Problem("needs a stored connection: --connection NAME=STORED", path=f"connections.{alias}"))
            continue
        try:
            found = host.connections.get(name)
        except NotFoundError as error:
            problems.append(Problem(f"{error.message} {error.hint}", path=f"connections.{alias}"))
            continue
        if found.connector != connector:
            problems.append(
                Problem(f"is a connection to {found.connector}, not {connector}", path=f"connections.{alias}")
            )
        yield alias, found.id
