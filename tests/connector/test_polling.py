"""From pages to events: watermarks, scans, versions, and the ceiling."""

import json
from datetime import UTC, datetime

import pytest

from apollo_component.connector import polling
from apollo_component.contract.errors import RejectedError
from apollo_component.contract.models import Page
from apollo_component.contract.triggers import trigger_from

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
BASE = {"id": "t", "title": "T", "group": "g", "description": "d", "input": "i", "action": "a", "interval": 60}


def trigger(style="newest", **more):
    return trigger_from({**BASE, "style": style, **more})


def record(identity, minute, **more):
    return {"id": identity, "at": f"2026-05-01T10:{minute:02}:00.000Z", **more}


def poll(declared, records, cursor=None, since=None, **more):
    page = Page(records=records, **{"total": None, **more})
    return polling.poll_of(declared, page, polling.sweep_from(cursor, since), NOW)


def ids(found):
    return [event.id for event in found.events]


def test_the_first_sweep_begins_at_the_newest_record():
    """Without a cursor the watermark is the newest record's own time; nothing older than the overlap is read."""
    found = poll(trigger(time="at"), [record("b", 50), record("a", 40)], next_cursor="2")
    assert found.next is None
    assert ids(found) == ["b"]
    assert json.loads(found.resume)["since"] == "2026-05-01T10:50:00.000000Z"


def test_an_empty_source_begins_with_whatever_comes():
    """A workspace without records has no newest one: later everything is new."""
    first = poll(trigger(time="at"), [])
    found = poll(trigger(time="at"), [record("a", 1)], first.resume)
    assert ids(found) == ["a"]


def test_newest_first_is_read_down_to_the_overlap():
    """Pages follow each other until a record is older than the watermark by more than the overlap."""
    declared = trigger(time="at", overlap=300)
    cursor = poll(declared, [record("x", 30)]).resume
    first = poll(declared, [record("c", 50), record("b", 40)], cursor, next_cursor="2")
    assert first.next is not None
    last = poll(declared, [record("a", 26), record("z", 24)], first.next, next_cursor="3")
    assert (ids(first), ids(last), last.next) == (["c", "b"], ["a"], None)
    assert json.loads(last.resume)["since"] == "2026-05-01T10:50:00.000000Z"


def test_a_beginning_in_the_past_is_read_down_to():
    """With `since` the first sweep reads what happened after it."""
    found = poll(
        trigger(time="at"),
        [record("b", 50), record("a", 1)],
        since=datetime(2026, 5, 1, 10, 30, tzinfo=UTC),
        next_cursor="2",
    )
    assert (ids(found), found.next) == (["b"], None)


def test_times_with_other_offsets_are_the_same_moment():
    """Both forms of the service, `Z` and `+00:00`, and other offsets are compared as moments."""
    times = (
        "2026-05-01T10:00:00Z",
        "2026-05-01T10:00:00.000+00:00",
        "2026-05-01T12:00:00+02:00",
        "2026-05-01T10:00:00",
    )
    assert {polling.time_of({"at": text}, ("at",)) for text in times} == {"2026-05-01T10:00:00.000000Z"}


def test_the_first_readable_of_several_times_counts():
    """Where a service tells the same time under one name or another, either will do."""
    declared = trigger("scan", time=["made_at", "at"])
    records = [record("a", 1), {"id": "b", "made_at": "2026-05-01T10:02:00Z"}, record("c", 3, made_at="soon")]
    assert [event.at.minute for event in poll(declared, records).events] == [1, 2, 3]


@pytest.mark.parametrize("value", [None, "soon", 5, {}, "loading"])
def test_an_unreadable_time_hides_no_record(value):
    """A record whose time can't be read is given without one: the host tells of it and starts nothing."""
    declared = trigger(time="at")
    cursor = poll(declared, [record("x", 30)]).resume
    found = poll(declared, [{"id": "a", "at": value}, record("b", 1)], cursor)
    assert ids(found) == ["a"]
    assert found.events[0].at is None


def test_records_that_vanish_during_a_sweep_are_told():
    """A total that fell between two pages means that others may have slipped past; the watermark stays."""
    declared = trigger(time="at")
    cursor = poll(declared, [record("x", 30)]).resume
    first = poll(declared, [record("c", 50)], cursor, next_cursor="2", total=200)
    last = poll(declared, [record("z", 1)], first.next, total=199)
    assert last.shrunk
    assert json.loads(last.resume)["since"] == "2026-05-01T10:30:00.000000Z"


def test_a_version_is_the_field_or_a_fingerprint():
    """One field counts as it is; several are equal when a person would see no difference."""
    one, many = trigger(version=["stage"]), trigger(version=["name", "amount", "tags"])
    assert polling.version_of(one, {"stage": "won"}) == "won"
    same = [
        {"name": "A", "amount": 5, "tags": []},
        {"name": "A", "amount": "5"},
        {"name": "A", "amount": 5.0, "other": 1},
    ]
    assert len({polling.version_of(many, item) for item in same}) == 1
    assert polling.version_of(many, {"name": "A", "amount": 6}) != polling.version_of(many, same[0])


def test_only_what_is_due_and_wanted_is_an_event():
    """A task is due once its time is past, and only while its status says so."""
    declared = trigger("scan", time="at", due=True, where={"status": "scheduled"}, version=["at"])
    records = [
        record("past", 5, status="scheduled"),
        record("done", 5, status="completed"),
        {"id": "future", "at": "2026-05-01T13:00:00Z", "status": "scheduled"},
        {"id": "never", "at": None, "status": "scheduled"},
    ]
    assert ids(poll(declared, records)) == ["past"]


def test_a_scan_reads_every_page():
    """A scan ends with the last page; its cursor holds no watermark."""
    first = poll(trigger("scan"), [record("a", 1)], next_cursor="2")
    last = poll(trigger("scan"), [record("b", 1)], first.next)
    assert (ids(first), ids(last), last.next) == (["a"], ["b"], None)
    assert json.loads(last.resume)["page"] is None


def test_more_than_a_search_gives_is_an_error():
    """Beyond the ceiling nothing is passed over in silence, with a total or without."""
    cursor = json.dumps({"page": "500", "read": 49_900})
    full = [record(str(number), 1) for number in range(100)]
    with pytest.raises(RejectedError, match="50,000"):
        poll(trigger("scan"), full, cursor, total=50_001, ceiling=50_000)
    with pytest.raises(RejectedError):
        poll(trigger("scan"), full, cursor, ceiling=50_000)
    assert poll(trigger("scan"), full, cursor, total=50_000, ceiling=50_000).next is None


def test_a_recent_window_follows_the_clock():
    """A date filter reaches so many days back from today, whatever the person chose besides."""
    declared = trigger("scan", recent={"input": "range", "days": 30}, fixed={"stats": ["opened"]})
    assert polling.asked(declared, {"users": ["u"]}, NOW) == {
        "users": ["u"],
        "stats": ["opened"],
        "range": {"min": "2026-04-01"},
    }
