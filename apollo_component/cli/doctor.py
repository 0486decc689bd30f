"""The command that finds out what is wrong, and gathers what a report needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson
from .output import Output, plain

if TYPE_CHECKING:
    from ..host.doctor.findings import Finding

PROBLEM = 8
"""The exit code when something is wrong."""


def doctor(
    bundle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a zip archive to attach to a report.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Examine this host: environment, servers, database, key, clock, connections, quotas, workflows, runs, errors.

    Nothing is made or changed, and no secret is shown. One free request goes to each service, without a credential.
    With --bundle connections and workflows go by their ids. Exit code 0 when nothing is wrong or there are warnings
    only, 8 when there is a problem.
    """
    from ..host.doctor.bundle import check_free, write_bundle
    from ..host.doctor.examination import examine

    out = Output(as_json)
    if bundle is not None:
        check_free(bundle)
    findings, examined = examine(offline=offline, named=bundle is None)
    inside = write_bundle(bundle, findings, examined) if bundle is not None else []
    if examined.store is not None:
        examined.store.close()
    problems = sum(finding.verdict == "problem" for finding in findings)
    told = {"problems": problems, "checks": [finding.as_dict() for finding in findings]}
    out.result({**told, **({"bundle": inside} if inside else {})}, lambda: _show(findings, bundle, inside))
    raise typer.Exit(PROBLEM if problems else 0)


def _show(findings: Sequence["Finding"], bundle: Path | None, inside: Sequence[str]) -> None:
    for finding in findings:
        print(f"{finding.verdict:<8} {finding.name:<12} {plain(finding.text.replace(chr(10), ' '))}")
        if finding.hint and finding.verdict != "ok":
            print(f"{'':<21} To do: {plain(finding.hint)}")
    if bundle is not None:
        print(f"{plain(bundle)}: {', '.join(inside)}. Look through it before you hand it on.")
