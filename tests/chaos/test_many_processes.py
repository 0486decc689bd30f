"""Several processes on one database."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.chaos


@pytest.mark.full
def test_two_runs_and_other_commands_at_once_repeat_nothing(trial: Any, undisturbed: Any) -> None:
    """Two runs on one database, with other commands beside them, each send every request exactly once."""
    trial.sandbox.reset(latency_ms=20)
    processes = [trial.begin(), trial.begin()]
    runs = [process.run_id() for process in processes]
    beside = [trial.command("runs", "list"), trial.command("connections"), trial.command("runs", "show", runs[0])]
    for command in beside:
        command.finish()
    reports = [process.finish() for process in processes]
    for report in reports:
        assert report["in_doubt"] == []
        assert report["credits"]["spent"] == 30
        assert {step["id"]: step["requests"] for step in report["steps"]}["contacts"] == 27
        sent = trial.sent(report["id"])
        assert set(sent.values()) == {2}, sent  # both runs ask for the same, each once
        journal = trial.journal(report["id"])
        assert all(row["attempt"] == 1 and row["state"] == "received" for row in journal)
    assert trial.sandbox.ask("/ledger")["total"] == 60
    people = trial.people()
    assert all(len(people[email]) == 1 for email in undisturbed.emails)


@pytest.mark.full
def test_a_run_that_is_driven_is_not_driven_twice(trial: Any, conclude: Callable[..., Any]) -> None:
    """Resuming a run that another process drives waits for it and sends nothing of its own."""
    trial.sandbox.fault("enrich", "hold_after", times=1)
    first = trial.begin()
    run = first.run_id()
    trial.sandbox.held()
    second = trial.resume(run)
    second.says("Another process holds this run")
    trial.sandbox.tell("/release", all=True)
    report = first.finish()
    assert second.finish()["status"] == "done"
    figures = conclude(trial, report)
    assert (figures.repeated, figures.in_doubt, figures.ledger) == (0, 0, 30)
    assert trial.command("runs", "show", run).finish()["status"] == "done"


def test_an_owner_that_slept_past_its_lease_sends_nothing_more(trial: Any, conclude: Callable[..., Any]) -> None:
    """A stopped process whose run was taken over ends by itself with an error once it goes on, and sends nothing."""
    trial.sandbox.fault("enrich", "hold_after", times=1, after=1)
    stalled = trial.victim(lease=1)
    run = stalled.run_id()
    trial.sandbox.held()
    trial.recorded(run, "enrich", 2)  # else another may be about to leave
    trial.stop_between_writes(stalled)
    trial.note_death(run)
    trial.resume(run).finish()
    before = trial.command("runs", "show", run).finish()
    seen = len(trial.sandbox.ask("/requests"))
    stalled.go_on()
    trial.sandbox.tell("/release", all=True)
    lost(stalled)
    assert len(trial.sandbox.ask("/requests")) == seen
    after = trial.command("runs", "show", run).finish()
    assert after == before
    figures = conclude(trial, after)
    assert figures.ledger == 30 + figures.paid_twice
    assert figures.paid_twice >= 10


@pytest.mark.parametrize("step", ["search", "enrich"])
@pytest.mark.full
def test_a_late_answer_disturbs_nobody(trial: Any, conclude: Callable[..., Any], step: str) -> None:
    """An owner declared dead that doesn't know it gets its answer while the new owner repeats the very request: it
    ends without having sent or changed anything, and the new owner goes on undisturbed."""
    trial.sandbox.fault(step, "hold_after", times=2, after=2)
    stalled = trial.victim(lease=1, deaf=True)
    run = stalled.run_id()
    [late] = trial.sandbox.held()
    trial.recorded(run, step, 2)
    trial.stop_between_writes(stalled)
    trial.note_death(run)
    owner = trial.resume(run)
    trial.sandbox.held(2)
    seen = len(trial.sandbox.ask("/requests"))
    stalled.go_on()
    trial.sandbox.tell("/release", id=late["id"])
    lost(stalled)
    assert len(trial.sandbox.ask("/requests")) == seen
    trial.sandbox.tell("/release", all=True)
    owner.finish()
    conclude(trial, trial.command("runs", "show", run).finish())


@pytest.mark.parametrize("item", ["search:2", "enrich:0.1"])
@pytest.mark.full
def test_an_owner_that_wakes_after_the_end_changes_nothing(trial: Any, conclude: Callable[..., Any], item: str) -> None:
    """An owner declared dead between an answer and its record leaves the finished run as it is when it wakes."""
    stalled = trial.victim(lease=1, deaf=True, stop=True, point="after_save", item=item, alone=2)
    run, before, seen = overtaken(trial, stalled)
    stalled.go_on()
    lost(stalled)
    assert len(trial.sandbox.ask("/requests")) == seen
    after = trial.command("runs", "show", run).finish()
    assert after == before
    conclude(trial, after)


@pytest.mark.full
def test_a_request_that_was_about_to_leave_may_leave_late(trial: Any, conclude: Callable[..., Any]) -> None:
    """An owner declared dead between a row and its sending sends that one request when it wakes and no other; as it was
    in doubt, it is listed already, and nothing changes."""
    stalled = trial.victim(lease=1, deaf=True, stop=True, point="before_send", item="enrich:0.1", alone=2)
    run, before, seen = overtaken(trial, stalled)
    stalled.go_on()
    lost(stalled)
    assert len(trial.sandbox.ask("/requests")) == seen + 1
    after = trial.command("runs", "show", run).finish()
    assert after == before
    figures = conclude(trial, after)
    assert (figures.ledger, figures.paid_twice) == (40, 10)


def overtaken(trial: Any, stalled: Any) -> tuple[str, Any, int]:
    """The run of a process that stopped, ended by another; what is told of it, and how many requests there were."""
    run = stalled.run_id()
    stalled.stopped()
    trial.note_death(run)
    trial.resume(run).finish()
    return run, trial.command("runs", "show", run).finish(), len(trial.sandbox.ask("/requests"))


def lost(process: Any) -> None:
    """It ended by itself and says that the run has another owner."""
    assert process.popen.wait(30) == 6, process.told()
    assert "ownership_lost" in process.told()
