"""`workflow status`, for people and for programs."""

import signal
from pathlib import Path

import pytest

from tests.cli.test_cli_enabling import until

EXAMPLE = str(Path(__file__).parent.parent.parent / "examples" / "new-contacts.yaml")


def test_nothing_enabled_is_well(cli):
    """On a fresh database there is nothing to worry about."""
    found = cli("workflow", "status", "--json").json
    assert (found["well"], found["workers"], found["runs"]) == (True, [], {})
    assert "All is well." in cli("workflow", "status").out


@pytest.mark.real
def test_the_worker_and_what_it_looks_at_are_shown(cli):
    """Enabled without a worker isn't well; a worker is there with its slots while it runs, and gone when it ended."""
    cli.link("work")
    cli("workflow", "enable", EXAMPLE, "--connection", "apollo=work", "--json")
    assert "No worker is alive" in cli("workflow", "status").out
    process = cli.process("workflow", "worker", "--concurrency", "3", "--json")
    until(lambda: cli("workflow", "status", "--json").json["workers"])
    [worker] = cli("workflow", "status", "--json").json["workers"]
    assert (worker["pid"], worker["state"], worker["slots"], worker["busy"]) == (process.pid, "alive", 3, 0)
    shown = cli("workflow", "status").out
    assert f"/{process.pid}" in shown
    assert "0 of 3" in shown
    assert "All is well." in shown
    process.send_signal(signal.SIGTERM)
    assert cli.finished(process).code == 0
    found = cli("workflow", "status", "--json").json
    assert (found["workers"], found["well"]) == ([], False)
    assert found["workflows"][0]["polled_at"]
