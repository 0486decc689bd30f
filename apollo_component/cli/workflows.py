"""Commands about workflow files: check, run, resume."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ..contract.errors import InputError
from .inputs import read_option
from .naming import installed, opened
from .options import AsJson, pairs
from .output import Output, table
from .reports import moment
from .runs import show_report

if TYPE_CHECKING:
    from ..host.host import Host

workflow = typer.Typer(no_args_is_help=True, help="Workflow files: check, run, and let them start by themselves.")

EXIT = {
    "done": 0,
    "cancelled": 0,
    "waiting_for_quota": 5,
    "waiting_for_budget": 5,
    "waiting_for_authorization": 3,
}
_UNKNOWN = ("outcome unknown", "sent, answer lost")
File = Annotated[Path, typer.Argument(metavar="FILE", help="A workflow file.")]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", metavar="NAME=VALUE", help="An input of the workflow. Repeatable.")
]
Connections = Annotated[
    list[str] | None,
    typer.Option("--connection", metavar="ALIAS=NAME", help="The connection for an alias. Repeatable."),
]


@workflow.command("check")
def check(file: File, as_json: AsJson = False) -> None:
    """Check a workflow file whole, and show what each step would send and cost at most. Nothing is sent."""
    from ..host.workflow.file import load_workflow
    from ..host.workflow.forecast import forecast, started_by

    manifests = installed()
    loaded = load_workflow(file, manifests)
    rows, start = forecast(loaded, manifests), started_by(loaded)

    def people() -> None:
        if start:
            print(f"Runs start by: {start}")
        columns = ("step", "action", "request", "effect", "credits at most", "note")
        table(columns, [_row(row) for row in rows])
        print("The file is fine. Nothing was sent.")

    Output(as_json).result({"valid": True, "started_by": start or None, "steps": rows}, people)


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    worst = "unknown" if row["worst_credits"] is None else row["worst_credits"]
    return row["step"], row["action"], f"{row['method']} {row['path']}".strip(), row["effect"], worst, row["note"]


@workflow.command("run")
def run(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A workflow file.")] = None,
    inputs: Inputs = None,
    connections: Connections = None,
    budget: Annotated[float | None, typer.Option(min=0, metavar="CREDITS", help="Spend no more than this.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Go on with a run that waits or failed.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="When it must wait for quota, wait here.")] = False,
    event: Annotated[
        str | None,
        typer.Option("--event", metavar="JSON|@FILE|-", help="Stands for what its trigger would have told."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a workflow durably, or go on with one: nothing that was recorded is done twice.

    Exit code 0 done, 5 waits for quota or budget, 3 waits for authorization, 7 an outcome is unknown.
    """
    out = Output(as_json)
    if (file is None) == (resume is None):
        raise InputError("Give a workflow file, or --resume RUN.")
    if resume is not None and (inputs or connections or event):
        raise InputError("A run goes on with the inputs and connections it began with.")
    named = pairs(inputs, "--input"), pairs(connections, "--connection")
    told = read_option(event, "--event", "The workflow can't start; nothing was run.") if event is not None else None
    leave(out, lambda: _driven(out, file, resume, *named, event=told, budget=budget, wait=wait))


def _driven(
    out: Output,
    file: Path | None,
    resume: str | None,
    inputs: dict[str, str],
    connections: dict[str, str],
    *,
    event: dict[str, Any] | None,
    budget: float | None,
    wait: bool,
) -> int:
    from ..host.workflow.engine import drive, start
    from ..host.workflow.file import load_workflow

    with opened(out) as host:
        if file is None:
            identity = _resumed(host, str(resume), budget)
        else:
            loaded = load_workflow(file, host.registry.manifests)
            identity = start(host, loaded, inputs, connections, budget, event).id
        out.facts({"run": {"id": identity}}, f"Run {identity}")
        report = drive(host, identity, wait=wait, progress=out.say)
    out.result(report, lambda: _show(report))
    return exit_code(report)


def _resumed(host: "Host", identity: str, budget: float | None) -> str:
    if host.runs.get(identity).kind != "workflow":
        raise InputError(f"The run {identity} is of a single action; only workflow runs can be resumed.")
    return host.runs.resume(identity, budget).id


def exit_code(report: Mapping[str, Any]) -> int:
    """What the command returns for a run that ended or waits."""
    if report["status"] == "done":
        return 7 if _unknown(report["in_doubt"]) else 0
    if report["status"] in EXIT:
        return EXIT[report["status"]]
    return int(report["detail"].get("error", {}).get("exit_code", 1))


def _unknown(doubtful: Sequence[Mapping[str, Any]]) -> bool:
    return any(str(item["outcome"]).startswith(_UNKNOWN) for item in doubtful)


def _show(report: Mapping[str, Any]) -> None:
    show_report(report)
    if report["status"].startswith("waiting_"):
        resets_at = report["detail"].get("error", {}).get("resets_at")
        more = " --budget CREDITS" if report["status"] == "waiting_for_budget" and not resets_at else ""
        when = f" after {moment(resets_at)}" if resets_at else ""
        print(f"To go on{when}: workflow run --resume {report['id']}{more}")
    elif report["status"] == "failed" and report["detail"].get("error", {}).get("code") != "input":
        print(_how_to_go_on(report))


def _how_to_go_on(report: Mapping[str, Any]) -> str:
    if report["detail"]["error"]["code"] == "outcome_unknown":
        return (
            "See in the account what took effect, and say so for each item in doubt, `--as done` or `--as not-done`: "
            f"runs settle {report['id']} --step STEP --item ITEM. Then: workflow run --resume {report['id']}"
        )
    return f"To go on at the first unfinished step: workflow run --resume {report['id']}"


def leave(out: Output, work: Callable[[], int]) -> NoReturn:
    """End the process at once: the engine's threads would keep it alive, and all that matters is on disk."""
    try:
        code = work()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the process ends here
        code = out.failure(error)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
