"""Long lists of runs a page at a time, and credits over time, on both databases."""

import pytest

from apollo_component.contract.models import Effect, Reply
from apollo_component.host import run_lists, run_views
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.registry import Registry
from apollo_component.host.run_lists import Wanted
from apollo_component.host.settings import Settings


@pytest.fixture
def host(registered, database_url, tmp_path, clock):
    made = Host.open(Settings(tmp_path / "home", database_url), Registry.installed(), clock=clock)
    yield made
    made.close()


def made(host, clock, count, **more):
    """So many runs, two of them at each moment."""
    found = []
    for number in range(count):
        clock.now += number % 2
        found.append(host.runs.create("workflow", "w", workflow="w", **more).id)
    return found


def test_pages_hold_every_run_once_in_both_directions(host, clock):
    """Also runs of one moment; the ends of the list have no further page."""
    ids = set(made(host, clock, 7))
    pages, before = [], None
    while True:
        page = run_lists.page(host.runs, Wanted(workflow="w"), before=before, size=2)
        pages.append([row.id for row in page.rows])
        before = page.older
        if not before:
            break
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert {identity for page in pages for identity in page} == ids
    back = run_lists.page(host.runs, Wanted(), after=page.newer, size=2)
    assert [row.id for row in back.rows] == pages[2]
    first = run_lists.page(host.runs, Wanted(), after=run_lists.page(host.runs, Wanted(), before=back.newer).newer)
    assert first.newer is None


def test_lists_are_cut_down_by_what_is_wanted(host, clock):
    """By status as people see it, by kind, by the beginning of an id."""
    [driven, silent] = made(host, clock, 2)
    [queued] = made(host, clock, 1, queued=True)
    host.leases.acquire(f"run:{driven}", 60)
    for wanted, ids in (
        (Wanted(status="running"), [driven]),
        (Wanted(status="interrupted"), [silent]),
        (Wanted(status="queued"), [queued]),
        (Wanted(kind="action"), []),
        (Wanted(text=queued[:-1]), [queued]),
    ):
        assert [row.id for row in run_lists.page(host.runs, wanted).rows] == ids
    assert host.runs.counts() == {"running": 1, "interrupted": 1, "queued": 1}


def test_credits_are_summed_by_when_their_requests_were_sent(host, clock):
    """Spent and reserved apart; by hour, by action and by workflow."""
    [run] = made(host, clock, 1)
    begun = clock.now
    for number, spent in enumerate((3, None)):
        clock.now = begun + number * 3600 + 3000
        attempt = host.journal.open(Key(run, "pay", str(number)), "enrich", Effect.BILL, 5, None)
        if spent is not None:
            host.journal.received(Key(run, "pay", str(number)), attempt, Reply(200, {}, b"{}"))
            host.journal.settle(Key(run, "pay", str(number)), attempt, spent)
    host.journal.open(Key(run, "free", "0"), "write", Effect.UPSERT, 0, None)
    assert run_lists.spent_over_time(host.store, begun, 3600) == {0: (3.0, 0.0), 1: (0.0, 5.0)}
    assert run_lists.spent_over_time(host.store, begun + 3500, 3600) == {0: (0.0, 5.0)}
    sums = {"requests": 2, "spent": 3.0, "reserved": 5.0}
    assert run_lists.spent_by(host.store, begun, "action") == [{"name": "enrich", **sums}]
    assert run_lists.spent_by(host.store, begun, "workflow") == [{"name": "w", **sums}]
    [row] = run_lists.page(host.runs, Wanted()).rows
    assert (row.spent, row.reserved) == (3.0, 5.0)
    assert run_lists.workflows(host.store) == {"w": (1, row.created_at)}


def test_a_step_under_way_is_counted_by_what_is_stored(host, clock):
    """Requests and records that are there already, before the step is noted as done; requests a page at a time."""
    [run] = made(host, clock, 1)
    host.runs.note_step(run, "find", 0, "running", {"planned": 3})
    for number in range(2):
        host.runs.save_records(run, "find", number * 10_000, [{"id": number}, None])
    host.journal.open(Key(run, "find", "0"), "find", Effect.BILL, 1, None)
    [step] = run_views.live(host, host.runs.get(run))["steps"]
    assert (step["requests"], step["records"], step["planned"], step["reserved"]) == (2, 4, 3, 1.0)
    assert [row["record"] for row in run_views.kept(host, run, "find", "0").rows] == [None, {"id": 1}, None]
    assert [row["item"] for row in run_views.requests(host, run, "find").rows] == ["0"]
    assert run_views.requests(host, run, "find", "0.1").rows == []
