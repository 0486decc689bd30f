"""When the runs of a schedule begin."""

from datetime import UTC, datetime

import pytest

from apollo_component.host.workflow.schedules import following, schedule_problem

from .following import Followed

TEXT = 'name: daily\nconnections: {it: {connector: demo, use: mine}}\nschedule: {cron: "30 7 * * *", timezone: Europe/Berlin}\nsteps: [{id: a, action: whoami}]\n'


def epoch(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("after", "expected"),
    [("2026-05-01T00:00+00:00", "2026-05-01T05:30+00:00"), ("2026-01-01T06:30+00:00", "2026-01-02T06:30+00:00")],
)
def test_times_are_those_of_the_time_zone(after, expected):
    """Half past seven stays half past seven in summer and in winter."""
    assert following("30 7 * * *", "Europe/Berlin", epoch(after)) == epoch(expected)


@pytest.mark.parametrize("cron", ["", "* * * *", "61 * * * *", "0 0 30 2 *", "* * * * * *", "@daily", "a b c d e"])
def test_a_time_that_never_comes_is_refused(cron):
    """An expression that isn't one, or that no day fits, is told before anything is enabled."""
    assert dict(schedule_problem({"cron": cron}))["cron"].startswith("is no time that ever comes")


def test_an_unknown_time_zone_is_refused():
    """A zone must be one of the world's."""
    assert [key for key, _ in schedule_problem({"cron": "0 0 * * *", "timezone": "Mars/Olympus"})] == ["timezone"]


def test_each_time_starts_one_run_and_missed_ones_the_last(host, key, clock):
    """A time that comes starts one run; several that passed while nobody looked start one, for the last of them."""
    follow = Followed(host, TEXT)
    assert follow.subscriptions.due() == []
    clock.now = follow.row.next_at + 1
    follow.look()
    assert follow.subscriptions.due() == []
    clock.now += 3 * 86_400
    follow.look()
    times = [datetime.fromisoformat(run.inputs["trigger"]["at"]) for run in follow.runs()]
    assert sorted((max(times) - time).days for time in times) == [0, 3]
    assert all(time.tzinfo == UTC for time in times)


def test_years_of_missed_minutes_are_one_run_at_once(host, key, clock):
    """However long nobody looked, one look makes one run, for the last time that passed."""
    follow = Followed(host, TEXT.replace("30 7 * * *", "* * * * *"))
    clock.now += 3 * 365 * 86_400
    follow.look()
    [run] = follow.runs()
    assert 0 <= clock.now - epoch(run.inputs["trigger"]["at"]) < 60
    assert 0 < follow.row.next_at - clock.now <= 60


def test_a_time_that_comes_twice_by_a_clock_set_back_starts_one_run(host, key, clock):
    """Enabled again after the clock was set back, a time that had its run gets no second one, and looking goes on."""
    follow = Followed(host, TEXT)
    due = follow.row.next_at
    for back in (0, 7200):
        clock.now = due - back
        follow.enable()
        clock.now = due + 1
        follow.subscriptions.note(follow.id, next_at=due)
        follow.look()
    assert len(follow.runs()) == 1
    assert follow.row.next_at > due
