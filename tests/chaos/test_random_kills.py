"""Ten kills at random moments."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.full]

KILLS = 10
IN_FLIGHT = 3
LATENCY_MS = 40


def test_ten_kills_at_random_moments_lose_nothing_and_double_nothing(
    new_trial: Any, tmp_path: Path, undisturbed: Any, checks: Any, record_property: Any
) -> None:
    """Whenever a run is killed, it ends with every person once; what may be paid twice is bounded and listed."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
    print(f"CHAOS_SEED={seed}")
    moments, left, world = random.Random(seed), KILLS, 0
    while left:
        with new_trial(tmp_path / str(world), latency_ms=LATENCY_MS) as trial:
            report = _killed_until_done(trial, moments, left)
            left -= len(trial.deaths)
            world += 1
            figures = checks(trial, report, undisturbed)
            record_property("figures", f"seed {seed}, run {world}: {figures}")
        assert figures.paid_twice <= 10 * IN_FLIGHT * figures.kills
        assert figures.in_doubt <= IN_FLIGHT * figures.kills


def _killed_until_done(trial: Any, moments: random.Random, left: int) -> dict[str, Any]:
    """The report of one run, killed up to `left` times before it was done."""
    process = trial.begin()
    run = process.run_id()
    while len(trial.deaths) < left:
        time.sleep(moments.uniform(0.05, 1.5))
        if process.ended:
            return process.finish()
        process.kill()
        trial.note_death(run)
        if trial.rows("SELECT 1 FROM host_runs WHERE id = ? AND status = 'done'", run):
            break
        process = trial.resume(run)
        process.run_id()
    else:
        return process.finish()
    return trial.command("runs", "show", run).finish()
