"""What must be true after a soak, from the service's own record, the journal and what the workers said."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from apollo_component.host.journal import FOUND, IN_DOUBT, RECEIVED, SENDING, WITHOUT_EFFECT
from apollo_component.host.tables import journal, runs, steps
from tests.canary.scanner import Scanner

if TYPE_CHECKING:
    from tests.chaos.soak import Soak
    from tests.postgres import Postgres

TAG = re.compile(r"soak-\d+-(?:enrich|upsert|create)-\d+")
OPERATIONS = {"people_match", "contacts_create", "opportunities_create"}
DOUBTFUL = (IN_DOUBT, SENDING, FOUND)
RECORDS = {"search": 20, "enrich": 3, "upsert": 7, "create": 4}
PAGES = 2
REFUSALS_A_WINDOW = 2
GROWTH = 1.15
"""How much more memory workers of one age may have late in the soak than early in it."""
AGE = (6.0, 12.0)
DUMP_PIECE = 400_000


@dataclass(frozen=True)
class Sample:
    """A worker's memory in MB: when in the soak, and at what age."""

    at: float
    age: float
    size: float


@dataclass(frozen=True)
class Figures:
    seconds: float
    kills: int
    fed: int
    done: int
    statuses: dict[str, int]
    actions: int
    requests: int
    faults: int
    attempts: int
    in_doubt: int
    unlisted: list[str]
    repeated: list[str]
    lost: list[str]
    doubled: list[str]
    unknown: int
    credits: tuple[float, float, float]
    ledger: float
    refusals: dict[int, int]
    quota_bound: int
    memory: tuple[float, float, float]
    findings: list[str]
    scanned: int

    def problems(self, actions: int) -> list[str]:
        spent, reserved, _twice = self.credits
        early, late, _most = self.memory
        wrong = {
            f"runs not done: {self.statuses}": self.done != self.fed,
            f"lost: {self.lost[:5]}": bool(self.lost),
            f"recorded requests repeated: {self.repeated[:5]}": bool(self.repeated),
            f"records made twice: {self.doubled[:5]}": bool(self.doubled),
            f"lost answers that no report lists: {self.unlisted[:5]}": bool(self.unlisted),
            f"ledger {self.ledger:g} beyond {spent:g} spent and {reserved:g} reserved": not (
                spent <= self.ledger <= spent + reserved
            ),
            f"quota refusals {self.refusals}": any(n > REFUSALS_A_WINDOW for n in self.refusals.values()),
            f"memory grew from {early:.1f} to {late:.1f} MB": 0 < early * GROWTH < late,
            f"secrets found: {self.findings[:5]}": bool(self.findings),
            f"only {self.actions} actions": self.actions < actions,
        }
        return [text for text, is_wrong in wrong.items() if is_wrong]

    def told(self) -> str:
        spent, reserved, twice = self.credits
        early, late, most = self.memory
        return "\n".join(
            (
                f"time {self.seconds:.0f} s, kills {self.kills}, runs {self.fed} fed, {self.done} done",
                (
                    f"actions {self.actions} ({self.actions / self.seconds:.1f}/s), requests seen by the service "
                    f"{self.requests}, struck by faults {self.faults}"
                ),
                (
                    f"journal rows {self.attempts}, in doubt and listed {self.in_doubt}, not listed {len(self.unlisted)}, "
                    f"outcome unknown {self.unknown}"
                ),
                f"lost {len(self.lost)}, recorded and repeated {len(self.repeated)}, doubled {len(self.doubled)}",
                f"credits spent {spent:g}, reserved {reserved:g}, possibly paid twice {twice:g}; ledger {self.ledger:g}",
                f"quota refusals by minute {self.refusals or 'none'}; most enrichments in one minute {self.quota_bound}",
                f"memory of workers {AGE[0]:g} to {AGE[1]:g} s old: {early:.1f} MB early, {late:.1f} MB late; most {most:.1f}",
                f"secrets found {len(self.findings)} in {self.scanned / 1e6:.1f} MB of logs, reports and database",
            )
        )


def figures(soak: Soak, server: Postgres, url: str) -> Figures:
    elapsed = soak.elapsed
    requests = soak.control.get("/requests").json()
    rows = soak.host.store.rows(sa.select(*(c for c in journal.c if c.name not in ("body", "headers_json"))))
    by_tag: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_tag[f"{row['run'].removeprefix('t-')}-{row['step']}-{row['item']}"].append(row)
    seen = _seen(requests)
    statuses = dict(Counter(row["status"] for row in soak.host.store.rows(sa.select(runs.c.status))))
    summaries = soak.host.store.rows(sa.select(steps))
    unknown = {tag for tag, mine in by_tag.items() if not _settled(mine)}
    refused = [item for item in requests if item["status"] == 429 and not item["fault"]]
    findings, scanned = scanned_all(soak, server, url)
    return Figures(
        seconds=elapsed,
        kills=soak.kills,
        fed=soak.fed,
        done=statuses.get("done", 0),
        statuses=statuses,
        actions=sum(json.loads(row["summary_json"])["requests"] for row in summaries if row["status"] == "done"),
        requests=len(requests),
        faults=sum(item["fault"] is not None for item in requests),
        attempts=len(rows),
        in_doubt=sum(row["state"] in DOUBTFUL for row in rows),
        unlisted=[tag for tag, found in seen.items() if len(found) > _accounted(by_tag[tag])],
        repeated=[tag for tag, found in seen.items() if _after_record(by_tag[tag], found)],
        lost=_lost(soak, by_tag, summaries, unknown),
        doubled=_doubled(soak),
        unknown=len(unknown),
        credits=_credits(rows),
        ledger=soak.control.get("/ledger").json()["total"],
        refusals=dict(Counter(int(item["at"] // 60) for item in refused)),
        quota_bound=max(Counter(int(r["at"] // 60) for r in requests if r["operation"] == "people_match").values()),
        memory=memory(soak.memory, elapsed),
        findings=findings,
        scanned=scanned,
    )


def _seen(requests: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What the service saw of each request with an effect; one cut off before its body can't be told."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in requests:
        if item["operation"] in OPERATIONS and (tag := TAG.search(item["body"] + item["query"])):
            found[tag.group()].append(item)
    return found


def _settled(rows: list[dict[str, Any]]) -> bool:
    return any(row["state"] in (RECEIVED, FOUND) for row in rows)


def _accounted(rows: list[dict[str, Any]]) -> int:
    """Requests whose answer is recorded, or that the run's report lists as in doubt."""
    answered = sum(row["state"] == RECEIVED or (row["state"] == WITHOUT_EFFECT and row["status_code"]) for row in rows)
    return answered + sum(row["state"] in DOUBTFUL for row in rows)


def _after_record(rows: list[dict[str, Any]], seen: list[dict[str, Any]]) -> bool:
    """Whether the service saw the request once more after its answer had been recorded."""
    recorded = [row["received_at"] for row in rows if row["state"] == RECEIVED]
    return bool(recorded) and max(item["at"] for item in seen) > min(recorded)


def _lost(
    soak: Soak, by_tag: dict[str, list[dict[str, Any]]], summaries: list[dict[str, Any]], unknown: set[str]
) -> list[str]:
    """Records that a run should have and that neither it nor its list of unknown outcomes has."""
    found = {(row["run"], row["step"]): json.loads(row["summary_json"]) for row in summaries}
    lost = []
    for number in range(1, soak.fed + 1):
        for step, count in RECORDS.items():
            summary = found.get((f"t-soak-{number}", step), {})
            if summary.get("records", 0) + summary.get("failed", 0) != count:
                lost.append(f"soak-{number} {step}: {summary.get('records')} of {count}")
            failed = sum(f"soak-{number}-{step}-{n}" in unknown for n in range(count)) if step != "search" else 0
            if summary.get("failed", 0) != failed:
                lost.append(f"soak-{number} {step}: {summary.get('failed')} failed, {failed} unknown")
    emails = {contact["email"] for contact in soak.control.get("/contacts").json()["contacts"]}
    made = {tag for tag, rows in by_tag.items() if "-upsert-" in tag and _settled(rows)}
    return lost + sorted(f"{tag}: no contact" for tag in made if f"{tag}@soak.example" not in emails)


def _doubled(soak: Soak) -> list[str]:
    contacts = soak.control.get("/contacts").json()["contacts"]
    twice = [email for email, n in Counter(c["email"] for c in contacts).items() if n > 1 and "@soak." in str(email)]
    answered = [
        tag.group()
        for item in soak.control.get("/requests", params={"operation": "opportunities_create"}).json()
        if item["status"] == 200 and (tag := TAG.search(item["body"]))
    ]
    return twice + [tag for tag, count in Counter(answered).items() if count > 1]


def _credits(rows: list[dict[str, Any]]) -> tuple[float, float, float]:
    spent = sum(row["spent"] or 0 for row in rows)
    reserved = sum(row["worst"] or 0 for row in rows if row["spent"] is None)
    return spent, reserved, sum(row["paid_twice"] for row in rows)


def resident(pid: int) -> float | None:
    """Memory of a process in MB, None when it is no more."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    except (OSError, IndexError):
        return None


def memory(samples: list[Sample], elapsed: float) -> tuple[float, float, float]:
    """At the same age: the median of the first and of the last third of the soak; and the most of all."""
    aged = [sample for sample in samples if AGE[0] <= sample.age <= AGE[1]]
    early = [sample.size for sample in aged if sample.at < elapsed / 3] or [0.0]
    late = [sample.size for sample in aged if sample.at > elapsed * 2 / 3] or [0.0]
    return median(early), median(late), max((sample.size for sample in samples), default=0.0)


def scanned_all(soak: Soak, server: Postgres, url: str) -> tuple[list[str], int]:
    """The secrets of the soak in what workers said, what runs report, and a dump of the database."""
    keys = {f"key {name}": secret for name, secret in soak.facts["keys"].items()}
    scanner, seen, found, size = Scanner(keys), set[bytes](), [], 0
    name = str(sa.make_url(url).database)
    dump = server.tool("pg_dump", "-U", "postgres", "-h", str(server.socket), name).stdout
    sources = {file.name: file.read_bytes() for file in soak.folder.glob("*.log")}
    reports = [soak.host.runs.report(f"t-soak-{number}") for number in range(1, min(soak.fed, 200) + 1)]
    sources |= {"reports": "\n".join(map(json.dumps, reports)).encode(), "dump": dump}
    begun = time.monotonic()
    for place, data in sources.items():
        size += len(data)
        for start in range(0, len(data), DUMP_PIECE):
            piece = data[max(0, start - 200) : start + DUMP_PIECE]
            found += [str(finding) for finding in scanner.lines(piece, place, seen)]
    print(f"scanned in {time.monotonic() - begun:.0f} s")
    return found, size
