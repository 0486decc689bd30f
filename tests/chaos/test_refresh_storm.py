"""The refresh storm, each kind once with fewer runs; `make storm` has the full figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.storm import FOUND, KINDS, TROUBLES

ROOT = Path(__file__).parent.parent.parent
RUNS = 10
"""Of each of eight processes."""


@pytest.mark.chaos
@pytest.mark.full
def test_one_token_request_however_the_winner_ends(tmp_path, record_property):
    """Whatever becomes of the process that refreshes, on either database: at most so many token requests as promised,
    no run fails or ends unclassified, and all go on once the connection is good again."""
    kept = tmp_path / "figures.jsonl"
    command = [sys.executable, "-m", "tests.chaos.storm", "--repetitions", "1", "--runs", str(RUNS), "--keep", kept]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = [json.loads(line) for line in kept.read_text().splitlines()]
    assert len(figures) == len(TROUBLES) * len(FOUND) * len(KINDS)
    assert {(one["failed"], one["unclassified"]) for one in figures} == {(0, 0)}
    most = {trouble.title: trouble.most for trouble in TROUBLES}
    assert all(1 <= one["requests"] <= most[one["trouble"]] for one in figures)
    record_property("figures", "\n" + done.stdout)
