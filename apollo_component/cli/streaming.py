"""Runs one action and prints what arrives; the run is noted in the store whatever way it ends."""

import sys
from typing import TYPE_CHECKING, Any

from ..contract.models import Page
from .output import STOPPED, Output, line, pretty
from .pointing import pointing

if TYPE_CHECKING:
    from ..host.host import Host
    from ..host.planning import Plan
    from ..host.running import Begun, Chosen, Tally


def stream(host: "Host", chosen: "Chosen", out: Output) -> int:
    """Print the records (or the single value) while they arrive; the exit code."""
    from ..host.running import begin, ended
    from ..host.runs import DONE

    code = 0

    def take(page: Page) -> None:
        for warning in page.warnings:
            out.warn(warning)
        _print_page(page, chosen.plan, out)

    def told(error: BaseException) -> dict[str, Any]:
        """What the run says of it; the person is told the same."""
        nonlocal code
        code = out.failure(_pointed(chosen, error))
        if isinstance(error, BrokenPipeError):
            return {"status": "cancelled", "reason": "the reader of the records went away"}
        if code == STOPPED:
            return {"status": "cancelled", "reason": "stopped by a person"}
        found = ended(error)["error"]
        return {"error": {**found, "exit_code": code}}

    begun = begin(host, chosen)
    tally = begun.drive(take, told)
    for warning in tally.last_words:
        out.warn(warning)
    if tally.first_page and tally.status == DONE:
        out.say(f"The first page: {_part(tally)}; `--all` reads the rest.")
    _summary(host, begun, tally, out)
    return code


def _pointed(chosen: "Chosen", error: BaseException) -> BaseException:
    """The error with the commands that list what may stand in the fields at fault."""
    plan = chosen.plan
    try:
        with pointing(plan.manifest, plan.action, chosen.connection.name, plan.values):
            raise error  # noqa: TRY301  # so that it gets what it points to
    except BaseException as pointed:  # noqa: BLE001  # it is told, not handled
        return pointed


def _print_page(page: Page, plan: "Plan", out: Output) -> None:
    if plan.streams:
        for record in page.records:
            line(record)
    elif out.as_json:
        line(page.value)
    else:
        pretty(page.value)
    sys.stdout.flush()


def _part(tally: "Tally") -> str:
    """How much of how much was read."""
    return f"{tally.records:,} of {tally.total:,}" if tally.total is not None else f"{tally.records:,} records"


def _summary(host: "Host", begun: "Begun", tally: "Tally", out: Output) -> None:
    run = begun.run.id
    from ..host.accounts import accounts_line

    credits_, doubtful = host.journal.spent(run), host.journal.doubtful(run)
    told = {"id": run, "status": tally.status, "records": tally.records, "not_found": tally.not_found}
    told |= {**tally.accounts(), "credits": credits_, "in_doubt": doubtful}
    told |= {"matching": tally.total} if begun.chosen.plan.action.paging and tally.total is not None else {}
    told |= {"first_page": True} if tally.first_page else {}
    told |= {"warnings": tally.warnings} if tally.warnings else {}
    spent = credits_["spent"]
    parts = [f"{tally.records:,} record{'s'[: tally.records != 1]}"]
    accounts = accounts_line(tally.accounts())
    parts += [accounts] if accounts else [f"{tally.not_found:,} not found"] if tally.not_found else []
    parts += [f"{spent:g} credit{'s'[: spent != 1]} spent"]
    parts += [f"{credits_['reserved']:g} reserved"] if credits_["reserved"] else []
    parts += [f"{credits_['paid_twice']:g} possibly paid twice"] if credits_["paid_twice"] else []
    parts += [f"{len(doubtful)} in doubt (see `runs show {run}`)"] if doubtful else []
    out.facts({"run": told}, f"{', '.join(parts)}. Run {run}: {tally.status}.")
