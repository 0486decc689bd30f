"""A bundle for a report: what was found, versions, how runs went, the log. No secret, no record, no input, no name."""

import io
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ...contract.errors import InputError, Problem
from .. import logs
from ..events import LogEvent
from ..journal import IN_DOUBT
from ..store import iso
from ..tables import journal, runs, steps
from ..watching import shown_id
from .findings import Examined, Finding
from .machine import PLUMBING

RUNS = 200
LOG_BYTES = 512 * 1024
SAFE = {"WORKFLOW_HOST_RETENTION": r"[0-9.]{1,8}", logs.LEVEL: "|".join(logs.LEVELS)}
"""Variables whose values are told, when they look as they should; of all others only that they are set."""
SET = ("HOME", "DATABASE_URL", "KEY", "PUBLIC_URL")
FILES = {
    "report.json": "what every check found; connections and workflows by their ids",
    "config.json": "which environment variables are set; values of harmless ones only",
    "packages.txt": "the installed packages and their versions",
    "runs.json": "the newest runs: states, counts, credits, error codes; no titles, inputs, records or texts",
    "log.jsonl": "the newest lines of the log, known events and fields only",
}


def write_bundle(file: Path, findings: Sequence[Finding], examined: Examined) -> list[str]:
    """Write a zip archive that is its owner's alone; what is in it. Raises InputError, and overwrites nothing."""
    parts = dict(_parts(findings, examined))
    told = {"made_at": iso(examined.clock()), "files": {name: FILES[name] for name in parts}}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in {"manifest.json": _json(told), **parts}.items():
            bundle.writestr(name, text)
    check_free(file)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as output:
            output.write(archive.getvalue())
    except OSError:
        raise _refused("can't be written") from None
    return ["manifest.json", *parts]


def check_free(file: Path) -> None:
    """Raises InputError: nothing is overwritten."""
    if file.exists() or file.is_symlink():
        raise _refused("is there already; name another")


def _refused(text: str) -> InputError:
    return InputError("The bundle was not written.", [Problem(text, path="--bundle")])


def _parts(findings: Sequence[Finding], examined: Examined) -> Iterator[tuple[str, str]]:
    yield "report.json", _json([finding.as_dict() for finding in findings])
    yield "config.json", _json(dict(_config(examined)))
    yield "packages.txt", "".join(f"{name}\n" for name in sorted(_installed(), key=str.lower))
    if examined.store is not None and not examined.unready:
        yield "runs.json", _json(_runs(examined))
    yield "log.jsonl", "".join(f"{line}\n" for line in _log(examined.environ.get(logs.FILE, "")))


def _config(examined: Examined) -> Iterator[tuple[str, str]]:
    manifests = examined.registry.manifests.values() if examined.registry else ()
    variables = [server.variable for manifest in manifests for server in manifest.servers.values()]
    names = [*(f"WORKFLOW_HOST_{name}" for name in SET), logs.FILE, *SAFE, *PLUMBING, *variables]
    for name in names:
        if value := examined.environ.get(name):
            yield name, value if re.fullmatch(SAFE.get(name, "(?!)"), value) else "(set)"


def _installed() -> set[str]:
    return {f"{item.metadata['Name']}=={item.version}" for item in distributions() if item.metadata["Name"]}


def _runs(examined: Examined) -> list[dict[str, Any]]:
    assert examined.store  # noqa: S101  # asked only when there is a database
    store = examined.store
    plain = ("id", "kind", "status", "budget", "created_at", "updated_at", "ended_at", "detail_json")
    newest = store.rows(sa.select(*(runs.c[name] for name in plain)).order_by(runs.c.created_at.desc()).limit(RUNS))
    mine = [row["id"] for row in newest]
    found = {identity: _summary(row) for identity, row in zip(mine, newest, strict=True)}
    for step in store.rows(sa.select(steps).where(steps.c.run.in_(mine)).order_by(steps.c.position)):
        found[step["run"]]["steps"].append(_step(step))
    sums = sa.select(
        journal.c.run,
        sa.func.coalesce(sa.func.sum(journal.c.spent), 0.0).label("spent"),
        sa.func.count().label("requests"),
        sa.func.sum(sa.case((journal.c.state == IN_DOUBT, 1), else_=0)).label("in_doubt"),
    )
    for row in store.rows(sums.where(journal.c.run.in_(mine)).group_by(journal.c.run)):
        found[row["run"]] |= {name: float(row[name]) for name in ("spent", "requests", "in_doubt")}
    return list(found.values())


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    error = json.loads(row["detail_json"]).get("error") or {}
    told = {"code": error.get("code"), "request_id": shown_id(str(error.get("request_id", "")))} if error else {}
    times = {name: iso(row[name]) for name in ("created_at", "updated_at", "ended_at")}
    return {name: row[name] for name in ("id", "kind", "status", "budget")} | times | {"error": told, "steps": []}


def _step(row: Mapping[str, Any]) -> dict[str, Any]:
    """By its place: its name is a person's."""
    summary = json.loads(row["summary_json"])
    codes = Counter(str(item.get("error", {}).get("code")) for item in summary.get("errors", []))
    counts = {name: summary.get(name, 0) for name in ("requests", "records", "failed")}
    return {
        "position": row["position"],
        "action": summary.get("action"),
        "status": row["status"],
        **counts,
        "errors": codes,
    }


def _log(wanted: str) -> Iterator[str]:
    """The end of the log file, each line made anew from what one may hold; the rest is left out."""
    file = Path(wanted).expanduser() if wanted not in ("", "-") else None
    if file is None or not file.is_file():
        return
    with file.open("rb") as lines:
        lines.seek(max(0, file.stat().st_size - LOG_BYTES))
        for raw in lines.read(LOG_BYTES).splitlines():
            if line := _line(raw):
                yield line


def _line(raw: bytes) -> str:
    try:
        told = json.loads(raw)
        time = datetime.fromisoformat(told["time"]).isoformat(timespec="milliseconds")
        event = _EVENTS[told["event"]]
    except (ValueError, KeyError, TypeError):
        return ""
    fields = {name: value for name, value in told.items() if not isinstance(value, str) or shown_id(value)}
    return json.dumps({"time": time, "event": event, **logs.Line(event, fields).fields})


_EVENTS = {event.value.name: event.value.name for event in LogEvent}


def _json(data: Any) -> str:
    return json.dumps(data, indent=1)
