"""The command that shows what a connection has used and has left."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .naming import opened
from .options import AsJson
from .output import Output, plain, table
from .reports import moment

if TYPE_CHECKING:
    from ..host.usage import Part, UsageReport

WINDOWS = ("minute", "hour", "day")


def usage(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
    every: Annotated[
        bool, typer.Option("--all", help="Also operations that weren't used, and what this host learnt from answers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the credits and request quotas of a connection: allowed, used, left. Costs no credits.

    What the service doesn't tell this connection is said in a sentence, and the rest is shown.
    """
    out = Output(as_json)
    with opened(out) as host:
        report = host.usage.report(name)
    out.result(report.as_dict(), lambda: _show(report, every=every))


def _show(report: "UsageReport", *, every: bool) -> None:
    cycle = " to ".join(moment(text) for text in (report.credits.start, report.credits.end) if text)
    print("Credits" + (f", {cycle}" if cycle else ""))
    rows = [(*_counted(row["title"], row), row["note"]) for row in report.credits.rows]
    _part(report.credits, ("kind", "allowed", "used", "left", "note"), rows)
    print("\nRequests, as the service counts them: left of allowed")
    shown = list(_operations(report.requests, every=every))
    _part(report.requests, ("operation", *WINDOWS), shown)
    unused = len({row["name"] for row in report.requests.rows}) - len(shown)
    if unused:
        print(f"{unused} more were not used; --all shows them.")
    if not every:
        return
    print("\nRequests, as this host learnt them from answers, until they reset")
    learnt = [_learnt(row) for row in sorted(report.learnt, key=_place)]
    table(("operation", "window", "allowed", "left", "resets"), learnt, empty="Nothing is known yet.")


def _part(part: "Part", columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A part's table, or the sentence that says why there is none."""
    if part.problem:
        print(f"Not told: {plain(part.problem)}")
    else:
        table(columns, rows, empty="None was used.")


def _counted(name: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return (name, *(_number(row[key]) for key in ("limit", "used", "left")))


def _operations(part: "Part", *, every: bool) -> Iterator[tuple[str, ...]]:
    """One row an operation: how much of each window is left."""
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for row in part.rows:
        by_name.setdefault(row["name"], {})[row["window"]] = row
    for name, windows in sorted(by_name.items()):
        if every or any(row["used"] for row in windows.values()):
            yield (name, *(_window(windows.get(window)) for window in WINDOWS))


def _window(row: dict[str, Any] | None) -> str:
    return f"{_number(row['left'])} of {_number(row['limit'])}" if row else ""


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["operation"], WINDOWS.index(row["window"])


def _learnt(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["operation"], row["window"], _number(row["limit"]), _number(row["left"]), moment(row["resets_at"])


def _number(count: float | None) -> str:
    """What isn't told stays open: whether that means without limit isn't documented."""
    return "?" if count is None else f"{count:,.10g}"
