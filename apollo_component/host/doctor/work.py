"""Checks of the work: connections, quotas and credits, workflows that start by themselves, runs, errors."""

import json
from collections import Counter
from typing import Any

import sqlalchemy as sa

from ...contract.errors import InputError
from ...contract.servers import origins
from ..journal import IN_DOUBT, Journal
from ..leases import Leases
from ..quota import Quota
from ..runs import FAILED, INTERRUPTED, QUEUED, Runs
from ..servers import is_sandbox, servers_of
from ..store import Store, iso
from ..tables import history, journal, runs, steps, subscriptions
from ..tables import quotas as quota_rows
from .findings import Examined, Finding, Verdict, worst
from .storage import connection_rows

OVERDUE_SECONDS = 120.0
STUCK_SECONDS = 300.0
RECENT_SECONDS = 7 * 86400.0
DAY_SECONDS = 86400.0
LISTED = 20
SCANNED = 2000
_AWAY = "Set the servers' variables as they were at linking (`servers` above), or link them again."
Said = list[tuple[Verdict, str, str]]


def connections(examined: Examined) -> Finding:
    store, now = _store(examined), examined.clock()
    rows = connection_rows(store)
    if not rows:
        return Finding("ok", "There are no connections yet.", "`connect` makes one.")
    stuck = [row for row in rows if _stuck(row, now)]
    facts = {
        "connections": [
            {
                "id": row["id"],
                "type": f"{row['connector']}.{row['type']}",
                "server": _server(examined, row),
                "status": row["status"],
                "since": iso(row["since"]),
                "expires_at": iso(row["expires_at"]),
                "tested_at": iso(row["tested_at"]),
                "missed": len(json.loads(row["missed_json"])),
                "refresh_unsettled": row in stuck,
            }
            for row in rows
        ]
    }
    dead = [row for row in rows if row["status"] == "needs_reauthorization"]
    untested = [row for row in rows if row["tested_at"] is None]
    lost = [row for row in rows if not row["servers_json"]]
    away = [row for row in rows if row["servers_json"] and not _is_here(examined, row)]
    made_up = [row for row in rows if is_sandbox(servers_of(row))]
    sandboxes = f" Of a sandbox, not the service: {_labels(examined, made_up)}." if made_up else ""
    said: Said = [("ok", f"{len(rows)} in all, none in trouble.{sandboxes}", "")]
    for found, verdict, text, hint in (
        (dead, "problem", "must be authorized again", "Link them again under the same name (`connect`)."),
        (
            stuck,
            "warning",
            "have an unsettled refresh",
            "The next use settles it, unless the service can't be reached.",
        ),
        (untested, "warning", "were never tested", "`test NAME` does; it is free."),
        (lost, "warning", "were stored before their servers were", "`connections move NAME`, or link them again."),
        (away, "warning", "belong to other servers than requests go to here", _AWAY),
    ):
        if found:
            said.append((verdict, f"{_labels(examined, found)}: {text}.", hint))  # type: ignore[arg-type]
    verdict, text, hint = worst(*said)
    return Finding(verdict, text, hint, facts)


def _labels(examined: Examined, rows: list[dict[str, Any]]) -> str:
    """Names, or ids, with a mark on those of a sandbox."""
    marks = {True: " (sandbox)", False: ""}
    return ", ".join(examined.label(row) + marks[is_sandbox(servers_of(row))] for row in rows[:LISTED])


def _server(examined: Examined, row: dict[str, Any]) -> str:
    """In words, not as an address: facts may leave the machine."""
    servers = servers_of(row)
    if servers is None:
        return "not known"
    if is_sandbox(servers):
        return "sandbox"
    manifest = examined.registry.manifests.get(row["connector"]) if examined.registry else None
    return "the service" if manifest and dict(servers) == origins(manifest, {}) else "another server"


def _is_here(examined: Examined, row: dict[str, Any]) -> bool:
    """Also when it can't be told: the connector is gone, or an address can't be used."""
    manifest = examined.registry.manifests.get(row["connector"]) if examined.registry else None
    try:
        return manifest is None or servers_of(row) == origins(manifest, examined.environ)
    except InputError:
        return True


def _stuck(row: dict[str, Any], now: float) -> bool:
    sent = row["refresh_sent_at"]
    return row["status"] == "refreshing_unknown" or (sent is not None and now - sent > STUCK_SECONDS)


def quotas(examined: Examined) -> Finding:
    """As learnt from answers, and what this host spent; what the account has left only the service knows."""
    store, now = _store(examined), examined.clock()
    known = [
        (row["operation"], name, window)
        for row in store.rows(sa.select(quota_rows))
        for name, window in Quota.loads(row["state_json"]).windows.items()
        if window.resets_at > now
    ]
    known.sort(key=lambda item: item[2].left)
    spent = sa.func.coalesce(sa.func.sum(journal.c.spent), 0.0)
    open_ = sa.case((journal.c.spent.is_(None), sa.func.coalesce(journal.c.worst, 0.0)), else_=0.0)
    recent = journal.c.sent_at > now - DAY_SECONDS
    with store.read() as connection:
        used, held = connection.execute(sa.select(spent, sa.func.coalesce(sa.func.sum(open_), 0.0)).where(recent)).one()
    facts = {
        "windows": [
            {
                "operation": operation,
                "window": name,
                "limit": window.limit,
                "left": window.left,
                "resets_at": iso(window.resets_at),
            }
            for operation, name, window in known[:LISTED]
        ],
        "credits_24h": {"spent": float(used), "reserved": float(held)},
    }
    told = f"{float(used):g} credits spent and {float(held):g} reserved by this host in 24 hours"
    empty = [f"{operation} ({name})" for operation, name, window in known if window.left <= 0]
    if empty:
        text = f"Used up: {', '.join(empty[:LISTED])}; {told}."
        return Finding("warning", text, "Wait for the reset; `usage NAME` shows what the service counts.", facts)
    return Finding("ok", f"{len(known)} quota windows known, none used up; {told}.", "", facts)


def workflows(examined: Examined) -> Finding:
    """Overdue looks and queued runs mean that no worker runs, or that it is stuck."""
    store, now = _store(examined), examined.clock()
    rows = store.rows(sa.select(subscriptions).where(subscriptions.c.enabled))
    waiting = sa.select(sa.func.count(), sa.func.min(runs.c.created_at)).where(runs.c.status == QUEUED)
    with store.read() as connection:
        queued, oldest = connection.execute(waiting).one()
    overdue = [row for row in rows if now - row["next_at"] > OVERDUE_SECONDS]
    failing = [row for row in rows if row["failures"]]
    facts = {
        "workflows": [
            {
                "id": row["id"],
                "polled_at": iso(row["polled_at"]),
                "next_at": iso(row["next_at"]),
                "failures": row["failures"],
                "error": json.loads(row["error_json"]).get("code"),
            }
            for row in rows
        ],
        "queued": queued,
    }
    said: Said = [("ok", f"{len(rows)} enabled, {queued} runs queued.", "")]
    if overdue or (oldest is not None and now - oldest > OVERDUE_SECONDS):
        names = ", ".join(map(examined.label, overdue[:LISTED])) or f"{queued} queued runs"
        said.append(("problem", f"No worker seems to run: {names} overdue.", "Start `workflow worker`."))
    for row in failing[:LISTED]:
        code = json.loads(row["error_json"]).get("code", "unknown")
        said.append(("warning", f"{examined.label(row)} fails ({code}).", "`workflow list` says why."))
    verdict, text, hint = worst(*said)
    return Finding(verdict, text, hint, facts)


def unfinished(examined: Examined) -> Finding:
    """Runs that need a person: interrupted, failed, waiting; and requests whose outcome is unknown."""
    store, now = _store(examined), examined.clock()
    known = Runs(store, Journal(store, examined.clock), Leases(store, examined.clock), examined.clock)
    counts = known.counts()
    failed = known.counts(runs.c.status == FAILED, runs.c.updated_at > now - RECENT_SECONDS).get(FAILED, 0)
    doubt = sa.select(journal.c.run, sa.func.count()).where(journal.c.state == IN_DOUBT).group_by(journal.c.run)
    with store.read() as connection:
        doubtful = {str(row[0]): int(row[1]) for row in connection.execute(doubt.limit(SCANNED))}
    facts = {"runs": counts, "failed_recently": failed, "in_doubt": dict(sorted(doubtful.items())[-LISTED:])}
    waiting = {status: count for status, count in counts.items() if status.startswith("waiting_")}
    said: Said = [("ok", f"{sum(counts.values())} in all, none needs you.", "")]
    if counts.get(INTERRUPTED):
        said.append(("warning", f"{counts[INTERRUPTED]} interrupted.", "`workflow run --resume RUN` goes on."))
    if waiting:
        told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in waiting.items())
        said.append(("warning", f"{told}.", "`runs list` shows them, `runs show RUN` what for."))
    if failed:
        said.append(("warning", f"{failed} failed in 7 days.", "`runs show RUN` says why."))
    if doubtful:
        count = sum(doubtful.values())
        said.append(("warning", f"{count} requests in doubt.", "`runs show RUN` lists each with its outcome."))
    verdict, text, hint = worst(*said)
    return Finding(verdict, text, hint, facts)


def errors(examined: Examined) -> Finding:
    """Codes and how often, of 7 days; never a text, which may quote what a service said."""
    store, since = _store(examined), examined.clock() - RECENT_SECONDS
    found: Counter[str] = Counter()
    recent = sa.select(runs.c.detail_json).where(runs.c.updated_at > since).order_by(runs.c.updated_at.desc())
    for row in store.rows(recent.limit(SCANNED)):
        found.update(_code(json.loads(row["detail_json"])))
    mine = sa.select(steps.c.summary_json).join(runs, runs.c.id == steps.c.run).where(runs.c.updated_at > since)
    for row in store.rows(mine.limit(SCANNED)):
        for item in json.loads(row["summary_json"]).get("errors", []):
            found.update(_code(item))
    changes: Counter[str] = Counter()
    for row in store.rows(sa.select(history.c.event).where(history.c.at > since).limit(SCANNED)):
        changes[row["event"]] += 1
    facts = {"codes": dict(found.most_common()), "connections": dict(changes.most_common())}
    if found["bug"]:
        return Finding(
            "problem", f"{found['bug']} faults of the host itself.", "Please report them with a bundle.", facts
        )
    told = ", ".join(f"{count} {code}" for code, count in found.most_common())
    return Finding("ok", f"In 7 days: {told or 'none'}.", "", facts)


def _code(detail: dict[str, Any]) -> list[str]:
    error = detail.get("error")
    return [str(error.get("code", "unknown"))] if isinstance(error, dict) else []


def _store(examined: Examined) -> Store:
    assert examined.store  # noqa: S101  # asked only when there is a database
    return examined.store
