"""How fast the Hub's pages answer on a full database: `python -m benchmarks.hub` fills 1,000 connections and 10,000
runs with their steps, requests and records, asks each page twenty times in this process, and prints the medians of
the time that the processor worked and of the time that passed (which others on the machine make longer), and the
page's weight.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.host.tables import connections, journal, records, runs, steps
from apollo_component.hub.app import application
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

CONNECTIONS, RUNS, REQUESTS, TRIES = 1_000, 10_000, 12, 20
WANTED_MS, WANTED_BYTES = 100, 100_000
EXAMPLES = Path(__file__).parent.parent / "examples"
RUN = "run-09990"
NAME = "Prospect small companies"
PATHS = (
    "/",
    "/accounts",
    "/workflows",
    f"/workflows/{NAME}",
    f"/workflows/{NAME}/start",
    "/runs",
    "/runs?status=failed",
    "/runs?kind=action",
    f"/runs?workflow={NAME}&status=done",
    "/runs?status=interrupted",
    "/runs?before={middle}",
    "/runs?id=run-05",
    f"/runs/{RUN}",
    f"/runs/{RUN}/now",
    f"/runs/{RUN}/steps/contacts",
    "/credits",
    "/credits?by=hours",
)
ADDRESS = "http://127.0.0.1:8765"
STATUSES = ("done",) * 90 + ("failed",) * 4 + ("cancelled", "running", "queued", "waiting_for_quota") + ("done",) * 2


def filled(host: Host, text: str) -> None:
    """All rows at once, made up but alike what a year of work leaves."""
    chance, now = random.Random(7), host.clock()
    with host.store.write() as connection:
        connection.execute(sa.insert(connections), list(_connections(now)))
        rows = [_run(number, text, now, chance) for number in range(RUNS)]
        connection.execute(sa.insert(runs), rows)
        for start in range(0, RUNS, 1000):
            chunk = rows[start : start + 1000]
            connection.execute(sa.insert(steps), [row for run in chunk for row in _steps(run)])
            connection.execute(sa.insert(journal), [row for run in chunk for row in _requests(run, chance)])
            connection.execute(sa.insert(records), [row for run in chunk[::10] for row in _records(run)])


def _connections(now: float) -> Iterator[dict[str, Any]]:
    for number in range(CONNECTIONS):
        account = {
            "id": f"u{number}",
            "team_id": f"t{number}",
            "name": f"Person {number}",
            "email": f"p{number}@x.test",
        }
        yield {
            "id": f"c{number:05}", "name": f"Account {number}", "connector": "apollo", "type": "api_key",
            "status": "active", "since": now, "version": 1, "secret": b"-", "account_json": json.dumps(account),
            "missed_json": "{}", "created_at": now - number, "owner": f"owner-{number % 50}",
        }  # fmt: skip


def _run(number: int, text: str, now: float, chance: random.Random) -> dict[str, Any]:
    status = STATUSES[chance.randrange(len(STATUSES))] if number != 9990 else "done"
    at = now - (RUNS - number) * 260.0
    action = number % 5 == 0 and number != 9990
    inputs = {"inputs": {"sequence": "Founder", "titles": ["CEO"]}, "connections": {"apollo": f"c{number % 1000:05}"}}
    ended = status in ("done", "failed", "cancelled")
    return {
        "id": f"run-{number:05}", "kind": "action" if action else "workflow",
        "title": "Enrich people" if action else NAME, "status": status, "detail_json": "{}",
        "text": "" if action else text, "inputs_json": json.dumps(inputs), "budget": 60.0, "engine_id": "",
        "workflow": "" if action else (NAME if number % 3 else f"Flow {number % 40}"), "subscription": "",
        "unattended": not action, "created_at": at, "updated_at": at, "ended_at": at + 60 if ended else None,
    }  # fmt: skip


def _steps(run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for position, name in enumerate(("mailboxes", "sequences", "search", "enrich", "contacts", "enrol")):
        summary = json.dumps({"action": name, "requests": 4, "records": 40, "failed": 0, "errors": [], "warnings": []})
        yield {"run": run["id"], "step": name, "position": position, "status": "done", "summary_json": summary}


def _requests(run: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    body = b'{"person": {"name": "A Person", "more": "' + b"x" * 800 + b'"}}'
    for number in range(200 if run["id"] == RUN else REQUESTS):
        paid = number < 4
        yield {
            "run": run["id"], "step": "enrich" if paid else "contacts", "item": str(number), "attempt": 1,
            "action": "people_bulk_match" if paid else "contacts_create", "effect": "bill" if paid else "upsert",
            "state": "received", "owner_version": 1, "worst": 10.0 if paid else 0.0,
            "spent": float(chance.randrange(10)) if paid else 0.0, "paid_twice": 0.0, "sent_at": run["created_at"] + 1,
            "received_at": run["created_at"] + 2, "status_code": 200, "headers_json": "{}", "body": body, "note": "",
        }  # fmt: skip


def _records(run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number in range(40):
        item = {"id": f"{number:024}", "name": f"Person {number}", "email": f"p{number}@x.test", "more": "x" * 500}
        yield {"run": run["id"], "step": "contacts", "seq": number, "json": json.dumps(item)}


def measured(client: TestClient, path: str) -> tuple[float, float, int, int]:
    """Median milliseconds worked and passed, bytes and status of a page."""
    worked, passed = [], []
    for _ in range(TRIES):
        begun, from_ = time.perf_counter(), time.process_time()
        answer = client.get(path)
        worked.append((time.process_time() - from_) * 1000)
        passed.append((time.perf_counter() - begun) * 1000)
    return statistics.median(worked), statistics.median(passed), len(answer.content), answer.status_code


def addresses(host: Host) -> list[str]:
    """The paths of the pages, with the place of a run in the middle filled in."""
    middle = host.store.row(sa.select(runs.c.created_at, runs.c.id).where(runs.c.id == "run-05000")) or {}
    return [path.replace("{middle}", f"{middle['created_at']!r}_{middle['id']}") for path in PATHS]


def main() -> int:
    """1 when a page is slower or heavier than wanted."""
    with tempfile.TemporaryDirectory() as folder:
        host = Host.open(Settings(Path(folder), f"sqlite:///{folder}/host.db"), Registry.installed())
        filled(host, (EXAMPLES / "prospecting.yaml").read_text("utf-8"))
        tokens: list[str] = []
        hub = Hub(host, Sessions(tokens.append), ADDRESS, workflows=EXAMPLES)
        client = TestClient(application(hub), base_url=ADDRESS)
        hub.sessions.offer()
        client.post("/sign-in", data={"token": tokens[0]})
        bad = 0
        for path in addresses(host):
            ms, passed, weight, status = measured(client, path)
            wrong = ms > WANTED_MS or weight > WANTED_BYTES or status != 200
            bad += wrong
            print(
                f"{ms:7.1f} ms {passed:7.1f} ms {weight:8,} bytes  {status}  {path}{'   <-- too much' if wrong else ''}"
            )
        host.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
