"""Commands about runs: what ran, where it stands, what it cost."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from ..contract.errors import InputError, Problem
from .inputs import read_option
from .naming import opened
from .options import AsJson, Yes, confirmed
from .output import Output, plain, table
from .reports import moment

runs = typer.Typer(no_args_is_help=True, help="What ran, where it stands, what it cost.")

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's id.")]


@runs.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20, as_json: AsJson = False) -> None:
    """List runs, the newest first."""
    out = Output(as_json)
    with opened(out) as host:
        found = [host.runs.report(run.id) for run in host.runs.all(limit)]
    keys = ("id", "kind", "title", "status", "budget", "credits", "created_at", "ended_at")
    rows = [
        (run["id"], run["title"], run["status"], run["credits"]["spent"], moment(run["created_at"])) for run in found
    ]
    short = [{key: run[key] for key in keys} for run in found]
    columns = ("run", "title", "status", "credits", "began")
    out.result(short, lambda: table(columns, rows, empty="Nothing has run yet."))


@runs.command("show")
def show(run: Run, as_json: AsJson = False) -> None:
    """Show a run: its steps, its credits, and every request whose answer was lost."""
    out = Output(as_json)
    with opened(out) as host:
        report = host.runs.report(run)
    out.result(report, lambda: show_report(report))


@runs.command("cancel")
def cancel(run: Run, as_json: AsJson = False) -> None:
    """Stop a run: it sends nothing more. What was sent stays as it is."""
    out = Output(as_json)
    with opened(out) as host:
        host.runs.cancel(run)
        report = host.runs.report(run)
    out.result(report, lambda: print(f"Run {run}: {report['status']}."))


class Told(StrEnum):
    DONE = "done"
    NOT_DONE = "not-done"


@runs.command("settle")
def settle(
    run: Run,
    step: Annotated[str, typer.Option(metavar="STEP", help="The step, as `runs show` names it; `run` for an action.")],
    item: Annotated[str, typer.Option(metavar="ITEM", help="The item in doubt, as `runs show` names it.")],
    told: Annotated[Told, typer.Option("--as", help="Whether you found that it took effect.")],
    record: Annotated[
        str | None,
        typer.Option(metavar="JSON|@FILE|-", help="What it made, for the steps that follow; with `--as done`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a request whose answer was lost, after a look in the account. Nothing is sent.

    `done`: it isn't sent again, and counts with its worst cost. `not-done`: resuming the run sends it.
    """
    from ..host.journal import Key

    out = Output(as_json)
    if record is not None and told is not Told.DONE:
        raise InputError("Nothing was changed.", [Problem("goes with --as done only", path="--record")])
    made = None if record is None else read_option(record, "--record", "Nothing was changed.")
    with opened(out) as host:
        host.runs.get(run)
        host.journal.tell(Key(run, step, item), done=told is Told.DONE, record=made)
        report = host.runs.report(run)
    out.result(report, lambda: show_report(report))


@runs.command("purge")
def purge(
    older_than: Annotated[float | None, typer.Option(min=0, metavar="DAYS", help="Ended longer ago than this.")] = None,
    summaries: Annotated[bool, typer.Option("--summaries", help="Delete the runs themselves too.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete the records and recorded answers of old runs; their summaries stay unless asked for."""
    out = Output(as_json)
    with opened(out) as host:
        age = host.settings.retention if older_than is None else timedelta(days=older_than)
        what = "runs, records and answers" if summaries else "records and answers"
        if not confirmed(f"Delete the {what} of runs that ended over {age.days} days ago?", yes=yes, out=out):
            raise typer.Exit(0)
        gone = host.runs.purge(age, summaries=summaries)
    out.result(gone, lambda: print(", ".join(f"{count} {name}" for name, count in gone.items()) + " deleted."))


def show_report(report: Mapping[str, Any]) -> None:
    """A run for people: what happened, each step, the credits, and what is in doubt."""
    print(f"{plain(report['title'])} (run {report['id']}): {report['status']}")
    if began := report.get("started_by"):
        print(plain("Started by " + ", ".join(str(began[key]) for key in ("on", "id", "at") if began.get(key))))
    if error := report["detail"].get("error"):
        _show_error(error)
    elif reason := report["detail"].get("reason"):
        print(plain(str(reason)))
    if "records" in report["detail"]:
        missing = report["detail"].get("not_found")
        print(f"Records: {report['detail']['records']:,}" + (f" ({missing:,} not found)" if missing else ""))
        _show_accounts(report["detail"])
    if report["steps"]:
        keys = ("id", "action", "status", "requests", "records", "failed", "missed", "spent")
        columns = ("step", *keys[1:-1], "credits")
        table(columns, [[step.get(key) for key in keys] for step in report["steps"]])
    for step in report["steps"]:
        for warning in step.get("warnings", []):
            print(f"{step['id']}: {plain(warning)}")
    print(credits_line(report))
    for item in report["in_doubt"]:
        print(f"In doubt: step {item['step']}, item {item['item']}, {item['action']}: {plain(item['outcome'])}")


def _show_accounts(detail: Mapping[str, Any]) -> None:
    """What an action's run was asked for and what it gave, with every warning."""
    from ..host.accounts import accounts_line

    if told := accounts_line(detail):
        print(f"{told[0].upper()}{told[1:]}")
    if detail.get("first_page"):
        print(f"The first page, of {detail['total']:,} records in all" if "total" in detail else "The first page")
    for warning in detail.get("warnings", []):
        print(f"Warning: {plain(warning)}")


def _show_error(error: Mapping[str, Any]) -> None:
    print(plain(" ".join(part for part in (error["message"], error.get("hint", "")) if part)))
    for problem in error.get("problems", []):
        print(f"  {plain(problem.get('path', ''))}: {plain(problem['text'])}")
    if request := error.get("request_id"):
        print(plain(f"Request id: {request}"))
    if resets_at := error.get("resets_at"):
        print(f"Until {resets_at[:16].replace('T', ' ')} UTC.")


def credits_line(report: Mapping[str, Any]) -> str:
    found = report["credits"]
    parts = [f"{found['spent']:g} spent"]
    parts += [f"{found[key]:g} {key.replace('_', ' ')}" for key in ("reserved", "paid_twice") if found[key]]
    parts += [f"of a budget of {report['budget']:g}"] if report["budget"] is not None else []
    return "Credits: " + ", ".join(parts)
