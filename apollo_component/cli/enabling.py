"""Commands that let workflows start by themselves: enable, disable, list, and the worker that does it."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .naming import opened
from .options import AsJson, pairs
from .output import Output, table
from .workflows import Connections, File, Inputs, leave, workflow

if TYPE_CHECKING:
    from ..host.workflow.file import Workflow
    from ..host.workflow.worker import Worker

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the workflow, as its file says it.")]


@workflow.command("enable")
def enable(
    file: File,
    inputs: Inputs = None,
    connections: Connections = None,
    budget: Annotated[
        float | None, typer.Option(min=0, metavar="CREDITS", help="What each run may spend at most.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Begin with what happened since then (UTC), not with now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a workflow start by its trigger or schedule, while a worker runs.

    What is there now is looked at once, so that only what comes later starts a run. Enabling it again takes over the
    file as it is now and goes on where it stood, unless trigger, filters or connection changed.
    """
    from ..host.workflow.enabling import begin_of, unreachable
    from ..host.workflow.enabling import enable as enabled
    from ..host.workflow.file import load_workflow

    out = Output(as_json)
    begin = begin_of(since) if since is not None else None
    with opened(out) as host:
        loaded = load_workflow(file, host.registry.manifests)
        chosen = pairs(inputs, "--input"), pairs(connections, "--connection")
        done = enabled(host, loaded, *chosen, budget, begin, looking=lambda: out.say(_LOOKING))
        if unreachable(host, loaded):
            out.warn(_UNREACHABLE)
    found, queued = done.subscription, done.queued
    told = _next(loaded, anew=done.anew) if not queued else f"{queued} runs wait for a worker."
    out.result({**found.as_dict(), "queued": queued}, lambda: print(f"{found.name} is enabled. {told}"))


_LOOKING = "Looking at what is there now ..."
_UNREACHABLE = (
    "Nothing is delivered to this host while WORKFLOW_HOST_PUBLIC_URL isn't set: set it for the commands that enrich "
    "and for `workflow worker --port`."
)


def _next(loaded: "Workflow", *, anew: bool) -> str:
    begin = loaded.start
    if begin is None or begin.trigger is None:
        return "Runs start at their time while `workflow worker` runs."
    what = "What comes from now on starts runs" if anew else "It goes on where it stood"
    return f"{what} while `workflow worker` runs; it looks every {begin.every} s."


@workflow.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Stop starting runs of a workflow. Where it stood is kept for when it is enabled again; queued runs still run."""
    from ..host.workflow.subscriptions import Subscriptions

    out = Output(as_json)
    with opened(out) as host:
        found = Subscriptions(host.store, host.clock).disable(name)
    out.result(found.as_dict(), lambda: print(f"{found.name} is disabled."))


@workflow.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show which workflows are enabled, how far they have looked, and how their runs went."""
    from ..host.workflow.subscriptions import Subscriptions

    out = Output(as_json)
    with opened(out) as host:
        subscriptions = Subscriptions(host.store, host.clock)
        rows = [{**item.as_dict(), "runs": subscriptions.counts(item.name, host.runs)} for item in subscriptions.all()]
    columns = ("workflow", "state", "last look", "next look", "runs")
    out.result({"workflows": rows}, lambda: table(columns, _rows(rows), empty="No workflow is enabled."))


def _rows(rows: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        runs = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(row["runs"].items()))
        yield row["name"], _state(row), row["polled_at"], row["next_at"], runs


def _state(row: Mapping[str, Any]) -> str:
    if not row["enabled"]:
        return "disabled"
    if row["error"]:
        return f"failing: {row['error']['message']}"
    return "enabled"


@workflow.command("worker")
def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=16, help="Runs at the same time.")] = 4,
    once: Annotated[bool, typer.Option("--once", help="Look at all that is due, finish its runs, and end.")] = False,
    port: Annotated[
        int | None,
        typer.Option(help="Also receive late results on this port, as `callbacks` does."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep enabled workflows going: look at their triggers and schedules, and drive the runs that these start.

    Runs until it is stopped with Ctrl-C or SIGTERM; then what it is at may end for 30 seconds, unless it is told once
    more. Killed at any moment, another worker goes on where it stood. Workers on any number of machines share the work
    of one PostgreSQL database; `workflow status` shows them.
    """
    out = Output(as_json)
    leave(out, lambda: _worked(out, concurrency, port, once=once))


def _worked(out: Output, concurrency: int, port: int | None, *, once: bool) -> int:
    from ..host.callbacks import serve
    from ..host.workflow.worker import Worker

    said = 0

    def tell(text: str) -> None:
        nonlocal said
        said += 1
        out.facts({"worker": text}, text)

    with opened(out) as host, contextlib.ExitStack() as stack:
        if port is not None:
            tell(f"Late results are received on {stack.enter_context(serve(host, port))}.")
        asyncio.run(_serve(Worker(host, concurrency=concurrency, progress=tell), out, once=once))
    if once and not said:
        tell("Nothing to do: nothing new, or nothing is due yet. `workflow list` tells when it looks next.")
    return 0


async def _serve(worker: "Worker", out: Output, *, once: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, worker.told)
    if not once:
        out.facts({"worker": "ready"}, "The worker is ready. Ctrl-C ends it.")
    await worker.serve(once=once)
