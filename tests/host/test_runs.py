"""Runs: where they stand, what they kept, and what is deleted when."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, NotFoundError
from apollo_component.contract.models import Effect, Reply
from apollo_component.host import run_lists
from apollo_component.host.journal import Key
from apollo_component.host.runs import TIDY_SECONDS


@pytest.fixture
def runs(host):
    return host.runs


@pytest.fixture
def run(runs):
    return runs.create("workflow", "w", text="t", inputs={"inputs": {"a": 1}}, budget=5).id


def test_a_run_is_there_as_it_was_made(runs, run, clock):
    """A new run is running and holds what it was given; a long title is cut."""
    found = runs.get(run)
    assert (found.kind, found.status, found.text) == ("workflow", "running", "t")
    assert (found.inputs, found.budget, found.created_at) == ({"inputs": {"a": 1}}, 5, clock.now)
    assert len(runs.get(runs.create("action", "x" * 500).id).title) == 200
    with pytest.raises(NotFoundError):
        runs.get("nobody")


def test_the_newest_run_is_listed_first(runs, clock):
    """Lists begin with the newest run and hold no more than asked for."""
    made = []
    for _ in range(3):
        made.append(runs.create("action", "x").id)
        clock.now += 1
    assert [run.id for run in runs.all()] == made[::-1]
    assert len(runs.all(limit=2)) == 2


def test_a_run_nobody_drives_was_interrupted(runs, run, host):
    """`running` is said only while somebody holds the run."""
    assert runs.current(run).status == "interrupted"
    lease = host.leases.acquire(f"run:{run}", 10)
    assert runs.current(run).status == "running"
    host.leases.release(lease)
    assert runs.report(run)["status"] == "interrupted"
    runs.update(run, "waiting_for_quota", {"a": 1})
    assert runs.report(run)["status"] == "waiting_for_quota"


def test_a_cancelled_run_stays_cancelled(runs, run):
    """Whatever its process says later; and cancelling twice, or what is done, is refused."""
    assert runs.cancel(run).status == "cancelled"
    runs.update(run, "done", {})
    assert runs.get(run).status == "cancelled"
    with pytest.raises(InputError):
        runs.cancel(run)
    with pytest.raises(InputError):
        runs.resume(run)
    done = runs.create("action", "x").id
    runs.update(done, "done")
    with pytest.raises(InputError):
        runs.cancel(done)


def test_a_failed_run_can_be_cancelled_for_good(runs, run):
    """A failure is no end until a person says so."""
    runs.update(run, "failed", {"error": {}})
    assert runs.cancel(run).status == "cancelled"


def test_resuming_counts_failures_only_and_sets_a_budget(runs, run):
    """A failed run that is sent on is counted; a waiting one isn't; a new budget is kept."""
    runs.update(run, "waiting_for_budget", {"step": "a"})
    assert runs.resume(run, budget=50).budget == 50
    assert runs.get(run).detail["resumes"] == 0
    runs.update(run, "failed", {"step": "b"})
    assert runs.get(run).ended
    found = runs.resume(run)
    assert (found.status, found.detail["resumes"], found.budget, found.ended) == ("running", 1, 50, False)
    runs.update(run, "failed", {"step": "c"})
    assert runs.resume(run).detail["resumes"] == 2
    assert "resumes" not in runs.report(run)["detail"]


def test_a_done_run_has_nothing_to_resume(runs, run):
    """What ended well doesn't go on."""
    runs.update(run, "done", {})
    with pytest.raises(InputError, match="nothing to resume"):
        runs.resume(run)


def test_records_are_kept_in_order(runs, run):
    """Records come back in the order of their places, whenever they were saved."""
    runs.save_records(run, "s", 10_000, ["c", None])
    runs.save_records(run, "s", 0, ["a", {"b": "ü"}])
    runs.save_records(run, "other", 0, ["x"])
    assert list(runs.records(run, "s")) == ["a", {"b": "ü"}, "c", None]


@pytest.mark.parametrize("second", [["d"], [], ["d", "e", "f", "g"]])
def test_records_saved_again_replace_the_first(runs, run, second):
    """A request that is repeated leaves only what its last answer held, its neighbours untouched."""
    runs.save_records(run, "s", 0, ["a", "b", "c"])
    runs.save_records(run, "s", 10_000, ["z"])
    runs.save_records(run, "s", 0, second)
    assert list(runs.records(run, "s")) == [*second, "z"]


def test_steps_are_told_in_their_order_with_their_cost(runs, run, host):
    """A report has each step once, in order, with what it spent."""
    runs.note_step(run, "b", 1, "running", {"records": 0})
    runs.note_step(run, "a", 0, "done", {"records": 3})
    runs.note_step(run, "b", 1, "done", {"records": 1})
    attempt = host.journal.open(Key(run, "b", "0"), "pay", Effect.BILL, 2, None)
    host.journal.received(Key(run, "b", "0"), attempt, Reply(200, {}, b"{}"))
    host.journal.settle(Key(run, "b", "0"), attempt, 1)
    assert runs.report(run)["steps"] == [
        {"id": "a", "status": "done", "records": 3},
        {"id": "b", "status": "done", "records": 1, "spent": 1, "reserved": 0},
    ]
    assert runs.report(run)["credits"]["spent"] == 1


def filled(runs, host, status, title="x"):
    run = runs.create("workflow", title, text="t", inputs={"inputs": {"secret": "canary"}, "connections": {}}).id
    runs.save_records(run, "s", 0, [{"email": "canary@example.com"}])
    attempt = host.journal.open(Key(run, "s", "0"), "pay", Effect.BILL, 1, None)
    host.journal.received(Key(run, "s", "0"), attempt, Reply(200, {"x-a": "canary"}, b"canary"))
    host.journal.settle(Key(run, "s", "0"), attempt, 1)
    runs.note_step(run, "s", 0, "done", {"records": 1})
    if status:
        runs.update(run, status, {})
    return run


def test_purging_deletes_what_was_recorded_and_keeps_the_summary(runs, host, clock):
    """After the retention records, inputs and recorded answers of ended runs are gone; what it cost stays."""
    old = filled(runs, host, "done")
    clock.now += 100
    young, open_ = filled(runs, host, "done"), filled(runs, host, "waiting_for_quota")
    assert runs.purge(timedelta(seconds=50)) == {"records": 1, "answers": 1, "runs": 0}
    assert list(runs.records(old, "s")) == []
    assert runs.get(old).inputs == {}
    assert runs.report(old)["credits"]["spent"] == 1
    assert runs.report(old)["steps"][0]["records"] == 1
    for kept in (young, open_):
        assert len(list(runs.records(kept, "s"))) == 1
        assert runs.get(kept).inputs


def test_old_data_is_deleted_on_the_way_once_an_hour(runs, host, clock):
    """By those who start runs; not for each, since many runs may be begun in an hour."""
    runs.retention = timedelta(seconds=50)
    runs.create("action", "First")
    early, late = filled(runs, host, "done"), filled(runs, host, "done")
    clock.now += 100
    runs.create("action", "Soon")
    assert len(list(runs.records(early, "s"))) == 1
    clock.now += TIDY_SECONDS
    runs.create("action", "Later")
    assert list(runs.records(early, "s")) == list(runs.records(late, "s")) == []


def test_purging_with_summaries_deletes_the_runs(runs, host, clock):
    """Then nothing of the old runs is left, and running ones stay."""
    old, open_ = filled(runs, host, "failed"), filled(runs, host, None)
    clock.now += 100
    assert runs.purge(timedelta(0), summaries=True)["runs"] == 1
    with pytest.raises(NotFoundError):
        runs.get(old)
    assert host.journal.last(Key(old, "s", "0")) is None
    assert runs.get(open_).status == "running"
    assert runs.purge(timedelta(0), summaries=True) == {"records": 0, "answers": 0, "runs": 0}


def test_a_purged_run_can_not_be_resumed(runs, host, clock):
    """What a failed run needs to go on is gone after the retention; that is said instead of guessed."""
    run = filled(runs, host, "failed")
    clock.now += 100
    runs.purge(timedelta(0))
    with pytest.raises(InputError, match="deleted"):
        runs.resume(run)


@pytest.mark.parametrize(("moment", "status"), [("before", "done"), ("after", "running")])
def test_a_run_that_ends_while_it_is_read_is_told_whole(runs, run, host, moment, status):
    """Just before its row is read, or just after: state, detail and end are of one moment, and it isn't interrupted. The
    same goes for lists and counts."""

    ended = True

    def ends(_connection, _cursor, statement, *_):
        nonlocal ended
        if not ended and "FROM host_runs" in statement:
            ended = True
            runs.update(run, "done", {"records": 12})
            host.leases.release(lease)

    def read(look):
        nonlocal ended, lease
        runs.update(run, "running", {})
        lease = host.leases.acquire(f"run:{run}", 10)
        ended = False
        found = look()
        assert ended
        return found

    lease = None
    sa.event.listen(host.store.engine, f"{moment}_cursor_execute", ends)
    report = read(lambda: runs.report(run))
    assert (report["status"], report["detail"]) == (status, {"records": 12} if status == "done" else {})
    assert (report["ended_at"] is not None) == (status == "done")
    assert [row.status for row in read(lambda: run_lists.page(runs, run_lists.Wanted())).rows] == [status]
    assert read(runs.counts) == {status: 1}
