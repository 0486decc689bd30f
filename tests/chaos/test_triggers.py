"""Two thousand changes, a clock that jumps, and a worker killed between the runs and the cursor, twenty times."""

import json
import os
import random
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .conftest import HERE, until

pytestmark = [pytest.mark.chaos, pytest.mark.full]

ROUNDS = 20
RECORDS = 90
TWICE = 10
"""A round changes so many contacts, and some of them twice: 100 changes in all."""
JUMPS = (-3 * 86_400, 2 * 86_400, -5 * 3_600, 90 * 60, 40 * 86_400, 0)
FILE = """\
name: follow
connections: {apollo: {connector: apollo, use: chaos}}
trigger: {on: contact_updated}
steps:
  - {id: show, action: contacts_show, with: {contact_id: {$from: trigger.id}}}
"""


def test_every_last_version_starts_one_run(new_trial: Any, tmp_path: Path, record_property: Any) -> None:
    """Whatever is killed and however clocks jump, each last version of a record starts exactly one run, none is lost."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
    print(f"CHAOS_SEED={seed}")
    chance = random.Random(seed)
    with new_trial(tmp_path / "world") as trial:
        trial.environ["WORKFLOW_HOST_RETENTION"] = "36500"  # what runs were told is read at the end
        file = trial.folder / "follow.yaml"
        file.write_text(FILE)
        trial.command("workflow", "enable", str(file)).finish()
        everyone = [contact["id"] for contact in trial.sandbox.ask("/contacts")["contacts"]]
        expected: Counter[tuple[str, datetime]] = Counter()
        kills = 0
        for number in range(ROUNDS):
            expected.update(_changed(trial, chance, everyone))
            offset = JUMPS[number % len(JUMPS)]
            kills += _worked(trial, offset, page=1)
            _worked(trial, offset)
        started = _started(trial)
        unfinished = trial.rows("SELECT id FROM host_runs WHERE subscription != '' AND status != 'done'")
    lost, extra = expected - started, started - expected
    record_property(
        "figures",
        f"seed {seed}: changes {ROUNDS * (RECORDS + TWICE)}, twice between looks {ROUNDS * TWICE}, kills {kills}, "
        f"versions expected {sum(expected.values())}, runs {sum(started.values())}, lost {sum(lost.values())}, "
        f"unexpected {sum(extra.values())}, started twice {sum(count - 1 for count in started.values())}, "
        f"unfinished {len(unfinished)}",
    )
    assert kills == ROUNDS
    assert started == expected
    assert max(started.values()) == 1
    assert not unfinished


def _changed(trial: Any, chance: random.Random, everyone: list[str]) -> set[tuple[str, datetime]]:
    """Change contacts in Apollo, some twice; the last version of each."""
    chosen = chance.sample(everyone, RECORDS)
    trial.sandbox.tell("/clock", advance=chance.uniform(1, 900))
    last = {}
    for group in (chosen, chance.sample(chosen, TWICE)):
        trial.sandbox.tell("/clock", advance=1)
        attributes = [{"id": identity, "title": f"Title {chance.random()}"} for identity in group]
        last |= {contact["id"]: contact["updated_at"] for contact in _updated(trial, attributes)}
    return {(identity, datetime.fromisoformat(moment)) for identity, moment in last.items()}


def _updated(trial: Any, attributes: list[dict[str, str]]) -> list[dict[str, Any]]:
    address, key = trial.sandbox.facts["api_url"] + "/contacts/bulk_update", trial.sandbox.facts["keys"]["master"]
    reply = trial.sandbox.http.post(address, json={"contact_attributes": attributes}, headers={"x-api-key": key})
    found: list[dict[str, Any]] = reply.raise_for_status().json()["contacts"]
    assert len(found) == len(attributes)
    return found


def _worked(trial: Any, offset: float, **order: Any) -> int:
    """One worker that does what is due, or dies on the way; whether it died."""
    order = json.dumps({"offset": offset, **order})
    command = trial._begun(str(HERE / "worker_victim.py"), order, "workflow", "worker", "--once", "--concurrency", "8")
    if "page" in order:
        command.died()
        return 1
    until(lambda: command.ended, "the end of the worker")
    assert command.popen.returncode == 0, command.told()
    return 0


def _started(trial: Any) -> Counter[tuple[str, datetime]]:
    rows = trial.rows("SELECT inputs_json FROM host_runs WHERE subscription != ''")
    events = [json.loads(row[0])["trigger"] for row in rows]
    return Counter((event["id"], datetime.fromisoformat(event["version"])) for event in events)
