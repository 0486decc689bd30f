"""`workflow status`: the workers, the enabled workflows and the runs of one database."""

from collections.abc import Mapping
from typing import Any

from .naming import opened
from .options import AsJson
from .output import Output, plain, table
from .reports import moment
from .workflows import workflow

LOOKED = ("seen", "known", "filtered", "started")
"""What became of the records that a trigger's last look saw."""


@workflow.command("status")
def status(as_json: AsJson = False) -> None:
    """Show at a glance whether all is well: who works on which machine, what is enabled, and where the runs stand.

    Exit code 0 also when something isn't well: `well` and `notes` of --json tell.
    """
    from ..host.workflow.overview import overview

    out = Output(as_json)
    with opened(out) as host:
        found = overview(host)
    out.result(found, lambda: _show(found))


def _show(found: Mapping[str, Any]) -> None:
    names = {item["id"]: f"{item['machine']}/{item['pid']}" for item in found["workers"]}
    workers = [
        (names[item["id"]], item["state"], _slots(item), moment(item["since"]), item["beat_at"][11:19])
        for item in found["workers"]
    ]
    table(("worker", "state", "slots used", "since", "last sign (UTC)"), workers, empty="No worker.")
    workflows = [
        (
            item["name"],
            "enabled" if item["enabled"] else "disabled",
            moment(item["polled_at"]),
            moment(item["next_at"]),
            *((item["looked"] or {}).get(name) for name in LOOKED),
        )
        for item in found["workflows"]
    ]
    table(("workflow", "state", "last look", "next look", *LOOKED), workflows, empty="No workflow is enabled.")
    counts = sorted(found["runs"].items())
    print("Runs: " + (", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts) or "none yet"))
    running = [(run["id"], run["workflow"], names.get(run["worker"], "nobody")) for run in found["running"]]
    if running:
        table(("running", "workflow", "worker"), running)
    waiting = [(run["id"], run["status"][len("waiting_for_") :], moment(run["until"])) for run in found["waiting"]]
    if waiting:
        table(("waiting", "for", "until"), waiting)
    for note in found["notes"]:
        print(f"! {plain(note)}")
    if found["well"]:
        print("All is well.")


def _slots(worker: Mapping[str, Any]) -> str:
    return f"{worker['busy']} of {worker['slots']}" if worker["slots"] else "workflow run"
