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


CREATES = """\
name: creates
connections: {apollo: {connector: apollo, use: main}}
steps:
  - {id: make, action: tasks_bulk_create, with: {user_id: USER, contact_ids: [CONTACT], type: call, status: scheduled, due_at: "2026-12-15T10:00:00Z"}}
  - {id: show, action: contacts_show, with: {contact_id: {$from: "steps.make.record.contact_id"}}}
"""


@pytest.mark.real
@pytest.mark.parametrize(("told", "sent"), [("done", 1), ("not-done", 2)])
@pytest.mark.full
def test_a_person_who_looked_lets_a_run_go_on(cli, service, tmp_path, told, sent):
    """A run that stopped at a create of unknown outcome goes on once somebody says what became of it."""
    cli.link("main")
    state = service.control("GET", "/state")
    contact = service.control("GET", "/contacts")["contacts"][0]["id"]
    file = tmp_path / "creates.yaml"
    file.write_text(CREATES.replace("USER", state["acting_admin_id"]).replace("CONTACT", contact))
    service.control("POST", "/faults", {"operation": "tasks_bulk_create", "kind": "drop_after", "times": 1})
    stopped = cli.finished(cli.process("workflow", "run", str(file), "--json"))
    assert (stopped.code, stopped.json["status"]) == (7, "failed")
    settle = ["runs", "settle", stopped.json["id"], "--step", "make", "--item", "0", "--as", told]
    record = ["--record", f'{{"id": "made", "contact_id": "{contact}"}}'] if told == "done" else []
    settled = cli(*settle, *record, "--json")
    assert settled.code == 0, settled.err
    assert "a person looked" in settled.json["in_doubt"][0]["outcome"]
    done = cli.finished(cli.process("workflow", "run", "--resume", stopped.json["id"], "--json"))
    assert (done.code, done.json["status"]) == (0, "done"), done.err
    assert sum(request["operation"] == "tasks_bulk_create" for request in service.requests()) == sent


def test_what_is_settled_is_checked(cli):
    """A record goes with `done` only and is an object; a run or request that isn't there is said."""
    place = ["--step", "run", "--item", "0"]
    for more in (["--as", "not-done", "--record", "{}"], ["--as", "done", "--record", "[1]"], ["--as", "maybe"]):
        assert cli("runs", "settle", "x", *place, *more, "--json").code == 2
    assert cli("runs", "settle", "x", *place, "--as", "done", "--json").code == 4
