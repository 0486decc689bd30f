"""Workflow files from the command line."""

from pathlib import Path

import pytest

from apollo_component.cli.workflows import exit_code

EXAMPLE = str(Path(__file__).parent.parent.parent / "examples" / "prospecting.yaml")


def test_a_workflow_is_forecast(cli, service):
    """`workflow check` shows each step's request, effect and worst cost, and sends nothing."""
    done = cli("workflow", "check", EXAMPLE, "--json")
    assert done.code == 0, done.err
    assert {"step", "action", "method", "path", "effect", "worst_credits", "note"} <= set(done.json["steps"][0])
    assert "Nothing was sent" in cli("workflow", "check", EXAMPLE).out
    assert service.requests() == []


def test_a_broken_workflow_names_every_problem(cli, tmp_path):
    """A file with mistakes exits 2 with their lines."""
    file = tmp_path / "broken.yaml"
    file.write_text("name: x\nname: y\n")
    done = cli("workflow", "check", str(file), "--json")
    assert done.code == 2
    assert 2 in [problem["line"] for problem in done.error["problems"]]


@pytest.mark.real
def test_a_workflow_runs_to_its_end(cli):
    """`workflow run` prints the report of the run and exits 0."""
    cli.link("main")
    done = cli.finished(cli.process("workflow", "run", EXAMPLE, "--connection", "apollo=main", "--json"))
    assert done.code == 0, done.err
    assert done.json["status"] == "done"
    assert done.json["steps"]


@pytest.mark.real
def test_a_budget_makes_it_wait_and_a_higher_one_go_on(cli):
    """A run that its budget stops exits 5, and `--resume` with more ends it."""
    cli.link("main")
    begun = cli.finished(
        cli.process("workflow", "run", EXAMPLE, "--connection", "apollo=main", "--budget", "1", "--json")
    )
    assert (begun.code, begun.json["status"]) == (5, "waiting_for_budget")
    more = cli.finished(cli.process("workflow", "run", "--resume", begun.json["id"], "--budget", "500", "--json"))
    assert (more.code, more.json["status"]) == (0, "done")


@pytest.mark.parametrize(
    "arguments",
    [[], [EXAMPLE, "--resume", "x"], ["--resume", "x", "--input", "a=b"], [EXAMPLE, "--connection", "apollo"]],
)
def test_contradictions_are_refused(cli, arguments):
    """A file and a run to resume exclude each other; NAME=VALUE is checked."""
    assert cli("workflow", "run", *arguments, "--json").code == 2


@pytest.mark.parametrize(
    ("status", "outcome", "detail", "code"),
    [
        ("done", None, {}, 0),
        ("done", "repeated, harmless by its effect", {}, 0),
        ("done", "outcome unknown", {}, 7),
        ("done", "sent, answer lost, not repeated", {}, 7),
        ("waiting_for_quota", None, {}, 5),
        ("waiting_for_budget", None, {}, 5),
        ("waiting_for_authorization", None, {}, 3),
        ("cancelled", None, {}, 0),
        ("failed", None, {"error": {"exit_code": 4}}, 4),
        ("failed", None, {}, 1),
    ],
)
def test_the_exit_code_tells_how_a_run_stands(status, outcome, detail, code):
    """Each end and each kind of waiting has its exit code."""
    doubtful = [{"outcome": outcome}] if outcome else []
    assert exit_code({"status": status, "detail": detail, "in_doubt": doubtful}) == code
