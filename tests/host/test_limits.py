"""Quota windows: led by what answers tell, shared through the store, never overdrawn."""

import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import QuotaError
from apollo_component.contract.models import Window
from apollo_component.host import limits as limits_module
from apollo_component.host.events import LogEvent
from apollo_component.host.leases import new_owner
from apollo_component.host.limits import LOOK_SECONDS, Limits, quota_error, random_share
from apollo_component.host.quota import CONCURRENCY, PERMIT_SECONDS, Party
from apollo_component.host.store import Store, StoreAwayError

from .conftest import in_threads

TEAM = ("team:t", "find")
NOBODY = Party()
BULK, OTHER = Party("bulk", background=True), Party("other", background=True)


@pytest.fixture
def limits(store, clock):
    """After a first answer that told of no window."""
    made = Limits(store, clock, clock.sleep)
    told(made)
    return made


@pytest.fixture
def store_of_any_kind(database_url):
    made = Store.open(database_url)
    yield made
    made.close()


def told(limits, *windows, permit="", retry_after=None):
    limits.observed(permit, *TEAM, windows, retry_after)


def ask(limits, seconds=100.0, party=NOBODY):
    return limits.permit(*TEAM, limits.clock() + seconds, party)


def at_once(limits, party=NOBODY, place=TEAM):
    """A permit, None where one would have to wait."""
    try:
        return limits.permit(*place, limits.clock(), party)
    except QuotaError:
        return None


def in_flight(limits, most=50, party=NOBODY):
    """The permits that are given before one would have to wait."""
    given = []
    while len(given) < most and (taken := at_once(limits, party)):
        given.append(taken)
    return given


def test_the_first_request_of_all_goes_alone(store, clock):
    """Before any answer has told how large the windows are, one request finds out, so that no burst is refused."""
    limits = Limits(store, clock, clock.sleep)
    (probe,) = in_flight(limits)
    told(limits, Window("hour", 5, 4), permit=probe)
    assert len(in_flight(limits)) == 4


def test_no_quota_means_the_own_ceiling(limits):
    """Where answers tell of no quota, so many requests of one operation fly at once and no more."""
    assert len(in_flight(limits)) == CONCURRENCY


def test_never_more_in_flight_than_is_left(limits):
    """With three requests left in the minute three fly, whoever asks."""
    told(limits, Window("minute", 100, 3))
    assert len(in_flight(limits)) == 3


def test_the_tightest_window_leads(limits):
    """Of minute, hour and day the one with the least left decides."""
    told(limits, Window("minute", 100, 9), Window("hour", 400, 2), Window("day", 2000, 50))
    assert len(in_flight(limits)) == 2


def test_a_permit_given_back_lets_the_next_fly(limits):
    """An answer frees its place, less what it says is left."""
    told(limits, Window("minute", 100, 3))
    given = in_flight(limits)
    told(limits, Window("minute", 100, 2), permit=given[0])
    assert len(in_flight(limits)) == 0
    told(limits, Window("minute", 100, 1), permit=given[1])
    told(limits, Window("minute", 100, 0), permit=given[2])
    assert len(in_flight(limits)) <= 1


def test_a_minute_window_is_waited_for(limits, clock):
    """A used-up minute is waited out, then one request goes ahead to find out."""
    told(limits, retry_after=42.0)
    start = clock.now
    ask(limits)
    assert 42 <= clock.now - start < 43
    assert len(in_flight(limits)) == 0


@pytest.mark.parametrize(("name", "seconds"), [("hour", 1800.0), ("day", 50000.0)])
def test_an_hour_or_a_day_is_told_with_its_reset(limits, clock, name, seconds):
    """A used-up hour or day stops at once, with the time when it is over and without a wait, however much time there is:
    a run that would sleep for so long is better told so and taken up again then."""
    told(limits, retry_after=seconds)
    for time_there_is in (100.0, 2 * seconds):
        with pytest.raises(QuotaError) as caught:
            ask(limits, time_there_is)
        assert caught.value.window == name
        assert caught.value.resets_at == clock.moment(seconds)
        assert clock.waits == []
    clock.now += seconds
    assert ask(limits)


def test_a_wait_past_the_deadline_is_not_begun(limits, clock):
    """A minute that ends after the deadline is an error at once."""
    told(limits, retry_after=42.0)
    with pytest.raises(QuotaError) as caught:
        ask(limits, 10)
    assert caught.value.window == "minute"
    assert clock.waits == []


def test_requests_in_flight_are_waited_for_inside_the_deadline(limits, clock):
    """When everything that is left is in flight a newcomer waits, and gives up at its deadline."""
    told(limits, Window("minute", 100, 2))
    in_flight(limits)
    with pytest.raises(QuotaError):
        ask(limits, 5)
    assert clock.waits


def test_an_empty_window_with_an_unknown_end_is_probed_by_one(limits):
    """When nothing is left and the reset was never told, one request goes ahead to learn it."""
    told(limits, Window("minute", 100, 50))
    told(limits, Window("minute", 100, 0))
    assert len(in_flight(limits)) == 1


def test_a_window_seen_from_its_first_request_has_a_known_end(limits, clock):
    """A window whose first answer was seen is waited for exactly."""
    told(limits, Window("minute", 2, 1))
    told(limits, Window("minute", 2, 0))
    start = clock.now
    ask(limits)
    assert 60 <= clock.now - start < 61


def test_unlimited_windows_hold_nobody_back(limits):
    """An empty limit means no limit."""
    told(limits, Window("minute", None, None), Window("hour", None, None))
    assert len(in_flight(limits)) == CONCURRENCY


def test_a_window_that_became_unlimited_holds_nobody_back(limits, clock):
    """After a change of plan an old count is forgotten."""
    told(limits, Window("minute", 100, 1))
    told(limits, Window("minute", None, None))
    assert len(in_flight(limits)) == CONCURRENCY


def test_a_service_without_headers_is_slowed_by_one_429_only_for_its_time(limits, clock):
    """After a retry-after has passed and a request went well, all may fly again though no header tells a count."""
    told(limits, retry_after=5.0)
    clock.now += 6
    (probe,) = in_flight(limits)
    told(limits, permit=probe)
    assert len(in_flight(limits)) == CONCURRENCY


def test_answers_out_of_order_never_raise_the_count(limits):
    """An older answer that arrives late, with more left, isn't believed."""
    told(limits, Window("minute", 100, 5))
    given = in_flight(limits)
    assert len(given) == 5
    told(limits, Window("minute", 100, 0), permit=given[0])
    told(limits, Window("minute", 100, 4), permit=given[1])
    assert limits.of("team:t")[0]["left"] == 0


def test_a_very_late_answer_opens_no_window(limits, clock):
    """An answer that was overtaken by twenty others is still an old one."""
    told(limits, Window("minute", 100, 30))
    (late,) = in_flight(limits, 1)
    for left in range(29, 2, -1):
        clock.now += 0.1
        (permit,) = in_flight(limits, 1)
        told(limits, Window("minute", 100, left), permit=permit)
    told(limits, Window("minute", 100, 30), permit=late)
    assert limits.of("team:t")[0]["left"] == 3


def test_a_new_window_is_recognised_by_its_count(limits, clock):
    """A higher count than one that was there when its request left means that a new window has begun."""
    told(limits, Window("minute", 100, 3))
    clock.now += 1
    (sent_later,) = in_flight(limits, 1)
    told(limits, Window("minute", 100, 99), permit=sent_later)
    assert limits.of("team:t")[0]["left"] == 99
    assert len(in_flight(limits)) == CONCURRENCY


def test_past_the_reset_one_probe_goes_first(limits, clock):
    """At a window's boundary one request finds out; its answer frees the others."""
    told(limits, Window("minute", 100, 40))
    clock.now += 61
    (probe,) = in_flight(limits)
    told(limits, Window("minute", 100, 99), permit=probe)
    assert len(in_flight(limits)) == CONCURRENCY


def test_the_permit_of_a_dead_holder_ends(limits, clock):
    """What a process that died on another machine held comes back by itself."""
    assert len(in_flight(limits)) == CONCURRENCY
    clock.now += PERMIT_SECONDS + 1
    assert len(in_flight(limits)) == CONCURRENCY


def test_processes_on_one_database_share(store, clock, limits):
    """What one learns and uses the other knows; other teams and operations don't."""
    other = Limits(store, clock, clock.sleep)
    told(limits, Window("minute", 100, 3))
    assert len(in_flight(limits, 2)) == 2
    assert len(in_flight(other)) == 1
    assert at_once(other, place=("team:u", "find"))
    assert at_once(other, place=("team:t", "put"))


def test_a_machine_whose_clock_is_wrong_is_not_misled(store, clock):
    """A minute and a half off, a machine waits as long as the others, and tells the reset by its own clock."""
    exact = Limits(store, clock, clock.sleep)
    wrong = Limits(store, lambda: clock() + 90, clock.sleep, shared=clock)
    told(exact, Window("hour", 5, 0), retry_after=1800)
    with pytest.raises(QuotaError) as caught:
        ask(wrong)
    assert caught.value.resets_at == clock.moment(1890)
    told(wrong, Window("minute", 5, 0), retry_after=40)
    clock.now += 1801
    assert ask(exact)


def test_background_work_that_meets_the_reserve_waits_for_the_reset(limits, clock):
    """An hour of which only the reserve is left stops background work with the reset; an interactive call goes on."""
    told(limits, Window("hour", 100, 99))
    told(limits, Window("hour", 100, 10))
    with pytest.raises(QuotaError) as caught:
        ask(limits, party=BULK)
    assert caught.value.resets_at == clock.moment(3600)
    assert "kept for interactive use" in caught.value.message
    assert len(in_flight(limits)) == 10
    clock.now += 3601
    assert at_once(limits, BULK)


def test_background_work_alone_without_a_reserve_uses_all(store, clock):
    """Where the operator keeps nothing, background work may have the last request."""
    limits = Limits(store, clock, clock.sleep, reserve=0)
    told(limits, Window("hour", 100, 1))
    assert len(in_flight(limits, party=BULK)) == 1


def test_in_turn(limits, clock):
    """Of two workflows that wait, the one that came first goes first, however often the other asks."""
    told(limits, Window("minute", 100, 1))
    (held,) = in_flight(limits)
    gone, other = [], Limits(limits.store, clock, reserve=0)
    mine = Limits(limits.store, clock, reserve=0)

    def second_comes(seconds):
        clock.sleep(seconds)
        other.sleep = clock.sleep
        if not gone:
            told(limits, Window("minute", 100, 1), permit=held)
        gone.append(at_once(other, OTHER))

    mine.sleep = second_comes
    assert ask(mine, party=BULK)
    assert gone == [None] * len(gone)
    assert gone


def test_many_threads_ask_no_more_than_one(store, clock):
    """Of twenty threads of a workflow that wait for a window, one at a time asks the database; the others stand behind
    it."""
    limits, asking, most = Limits(store, clock), [], []
    told(limits, Window("minute", 100, 0), retry_after=40)

    def sleeping(seconds):
        asking.append(threading.get_ident())
        most.append(len(asking))
        while limits.in_flight():  # a request that another thread may send takes none of this clock's time
            time.sleep(0.001)
        clock.sleep(seconds)
        asking.pop()

    limits.sleep = sleeping

    def go(_number):
        permit = ask(limits, party=BULK)
        told(limits, Window("minute", 100, 50), permit=permit)

    in_threads(20, go)
    assert set(most) == {1}
    assert max(clock.waits) <= LOOK_SECONDS + 1


def test_a_call_costs_two_reads_and_two_writes(store_of_any_kind, clock):
    """What is known of an operation is read and written once before and once after a request: every statement is a
    round trip to the server."""
    limits, said = Limits(store_of_any_kind, clock, clock.sleep), []
    told(limits, Window("minute", 100, 99), Window("hour", 400, 399), Window("day", 2000, 1999))
    heard = lambda _c, _cursor, statement, *_rest: said.append(statement.split()[0])  # noqa: E731
    sa.event.listen(store_of_any_kind.engine, "before_cursor_execute", heard)
    permit = ask(limits, party=BULK)
    told(limits, Window("minute", 100, 98), Window("hour", 400, 398), Window("day", 2000, 1998), permit=permit)
    assert said.count("UPDATE") == 2
    assert len(said) <= 8


def test_threads_never_overdraw(store):
    """Forty threads that want eighty requests of a service that gives sixty send exactly sixty."""
    limits, lock = Limits(store, sleep=lambda _s: None), threading.Lock()
    state = {"left": 60, "flying": 0, "over": 0}
    limits.observed("", *TEAM, (Window("day", 60, 60),), None)

    def go(_number):
        for _ in range(2):
            try:
                permit = limits.permit(*TEAM, limits.clock() + 20)
            except QuotaError:
                return
            with lock:
                state["over"] += state["left"] <= 0
                state["left"] -= 1
                left = max(0, state["left"])
            limits.observed(permit, *TEAM, (Window("day", 60, left),), None)

    in_threads(40, go)
    assert state["over"] == 0
    assert state["left"] == 0


def test_a_long_wait_is_told_once(store, clock):
    """A person who waits for a quota is told until when, once, and not for every thread that waits."""
    said = []
    limits = Limits(store, clock, clock.sleep, said.append)
    told(limits, Window("minute", 5, 0), retry_after=40)
    ask(limits)
    told(limits, Window("minute", 5, 0), retry_after=0)
    assert len(said) == 1
    assert "minute quota of find until" in said[0]


def test_an_answer_that_the_database_can_not_take_is_owed(host, monkeypatch):
    """A permit is given back, and what the answer told is learnt, as soon as the database is there again."""
    limits, write = host.limits, host.store.write
    permit = limits.permit("team:t", "find", host.clock() + 10)

    def away(*_, **__):
        raise StoreAwayError("The database doesn't answer.", worked=False)

    monkeypatch.setattr(host.store, "write", away)
    limits.observed(permit, "team:t", "find", (Window("day", 600, 7),), None)
    monkeypatch.setattr(host.store, "write", write)
    assert limits.in_flight() == 1
    limits.permit("team:t", "find", host.clock() + 10)
    assert limits.in_flight() == 1
    assert [row["left"] for row in limits.of("team:t")] == [7]


DEAD = f"{new_owner().split('/')[0]}/4194999/aaaaaaaaaa"
"""A holder that was a process of this machine."""


@pytest.fixture
def without_jitter(monkeypatch):
    monkeypatch.setattr(limits_module, "random_share", lambda _seconds: 0.0)


def exactly(waits):
    return pytest.approx(waits, abs=1e-6)


def test_the_words_of_a_quota_name_the_window_its_end_and_the_way_on():
    """A person reads until when to wait, what is kept from him, and that a workflow needs no help."""
    end, hint = 1767225600.0 + 3661, "Run again after that time; a workflow waits by itself."
    for made, message in (
        (quota_error("hour", end), "The hour quota is used up until 2026-01-01 01:01:01 UTC."),
        (quota_error("", end), "The request quota is used up until 2026-01-01 01:01:01 UTC."),
        (
            quota_error("day", end, kept=True),
            "The day quota is used up until 2026-01-01 01:01:01 UTC, but for what is kept for interactive use.",
        ),
    ):
        assert (made.message, made.hint) == (message, hint)
        assert made.window in made.message
        assert made.resets_at.timestamp() == end


def test_jitter_is_a_share_of_the_pause(monkeypatch):
    """Nothing at least, less than the pause at most, evenly in between."""
    for drawn, share in ((0, 0.0), (500, 0.5), (999, 0.999)):
        monkeypatch.setattr(limits_module.secrets, "randbelow", lambda most, drawn=drawn: drawn * (most == 1000))
        assert random_share(3.0) == pytest.approx(3.0 * share)


@pytest.fixture
def one_left(limits, clock):
    """The only request that is left of a minute is in flight, and nothing is reserved."""
    told(limits, Window("minute", 100, 1))
    assert ask(limits)
    return Limits(limits.store, clock, clock.sleep, reserve=0)


def test_pauses_grow_and_who_is_next_asks_more_often(one_left, clock, without_jitter):
    """Asking again costs the database a transaction: from 20 ms the pauses grow to a tenth of a second for whose turn
    is next, and to half a second for the others."""
    with pytest.raises(QuotaError):
        ask(one_left, 1, BULK)
    assert clock.waits[:6] == exactly([0.02, 0.03, 0.045, 0.0675, 0.1, 0.1])
    assert sum(clock.waits) <= 1.0
    clock.waits.clear()
    with one_left._quota(*TEAM) as held:
        two = {"minute": held.quota.windows["minute"]._replace(left=2)}
        held.quota = replace(held.quota, queue=(), windows=two).waiting(OTHER, clock.now)
    with pytest.raises(QuotaError):
        ask(one_left, 2.9, BULK)
    assert max(clock.waits) == exactly(0.5)


def test_each_pause_has_its_own_jitter(one_left, clock, monkeypatch):
    """Waiting processes don't wake as one: to each wait comes a share of the present pause."""
    monkeypatch.setattr(limits_module, "random_share", lambda seconds: seconds)
    with pytest.raises(QuotaError):
        ask(one_left, 1, BULK)
    assert clock.waits[:3] == exactly([0.04, 0.06, 0.09])


@pytest.mark.parametrize(
    ("seconds", "waits"), [(12.0, [5.0, 5.0, 2.0]), (0.4, [0.4])], ids=["five seconds and more", "less than a second"]
)
def test_a_wait_for_a_window_looks_round_every_five_seconds(limits, clock, without_jitter, seconds, waits):
    """Somebody may have learnt better meanwhile; the last look is at the very end, and a short wait is to the point."""
    told(limits, retry_after=seconds)
    assert ask(limits)
    assert clock.waits == exactly(waits)


def test_who_waits_for_a_window_stands_in_the_queue_until_its_next_look(limits, clock):
    """Its place is kept from look to look, not until the window's end, which may be wrong."""
    for seconds, until in ((12.0, LOOK_SECONDS), (3.0, 3.0)):
        told(limits, retry_after=seconds)
        limits._try(*TEAM, BULK, clock.now + 50, 0.02)
        with limits._quota(*TEAM) as held:
            assert held.quota.queue == (("bulk", True, exactly(clock.now + until)),)
            held.quota = held.quota.told("", (Window("minute", None, None),), None, clock.now)
            held.quota = held.quota.granted("p", BULK, clock.now).without(["p"])


def test_who_gives_up_does_not_stand_in_the_queue(limits, clock):
    """A refusal leaves nothing behind: neither a place that holds others up nor a write."""
    told(limits, retry_after=1800.0)
    before = limits.store.rows(sa.text("SELECT state_json FROM host_quotas"))
    with pytest.raises(QuotaError):
        ask(limits, party=BULK)
    assert limits.store.rows(sa.text("SELECT state_json FROM host_quotas")) == before


@pytest.mark.parametrize("ahead", [-90, 90])
def test_a_wait_is_as_long_on_a_machine_whose_clock_is_wrong(store, clock, without_jitter, ahead):
    """The end is known by the shared clock, the deadline and the wait are the machine's own."""
    wrong = Limits(store, clock, clock.sleep, shared=lambda: clock() + ahead)
    told(wrong, retry_after=4.0)
    assert ask(wrong, 4.5)
    assert clock.waits == exactly([4.0])


def test_a_deadline_that_is_just_reached_is_kept(limits, clock):
    """A window that ends with the deadline is waited for, one that ends after it isn't."""
    told(limits, retry_after=42.0)
    with pytest.raises(QuotaError):
        ask(limits, 41.9)
    assert ask(limits, 42.0)


def test_what_a_dead_process_held_is_free_at_once(limits, clock):
    """A process of this machine that was killed keeps no place: who would wait for it looks whether it is alive."""
    told(limits, Window("hour", 100, 1))
    with limits._quota(*TEAM) as held:
        held.quota = held.quota.granted(DEAD, NOBODY, held.now)
    permit = at_once(limits)
    assert permit
    assert at_once(limits) is None
    with limits._quota(*TEAM) as held:
        assert set(held.quota.permits) == {permit}
        held.quota = held.quota.granted(DEAD, NOBODY, held.now)
    assert at_once(limits) is None


def test_what_is_known_is_shown_to_people(store, clock):
    """Each window of each operation of a team, the operations in their order, the end by this machine's clock."""
    ahead = Limits(store, clock, clock.sleep, shared=lambda: clock() + 90)
    ahead.observed("", "team:t", "put", (Window("hour", 400, 7),), None)
    ahead.observed("", "team:t", "find", (Window("minute", 100, 3), Window("day", None, 2)), None)
    ahead.observed("", "team:u", "find", (Window("minute", 5, 3),), None)

    def end(seconds):
        return clock.moment(seconds).isoformat()

    assert ahead.of("team:t") == [
        {"operation": "find", "window": "minute", "limit": 100, "left": 3, "resets_at": end(60)},
        {"operation": "find", "window": "day", "limit": None, "left": 2, "resets_at": end(86400)},
        {"operation": "put", "window": "hour", "limit": 400, "left": 7, "resets_at": end(3600)},
    ]


def test_all_permits_that_are_out_are_counted(limits):
    """Of every operation and every team."""
    in_flight(limits, 3)
    at_once(limits, place=("team:t", "put"))
    at_once(limits, place=("team:u", "find"))
    assert limits.in_flight() == 5


@pytest.fixture
def far_east(monkeypatch):
    """A machine whose own time isn't UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_a_wait_is_told_in_words_and_in_the_log(store, clock, monkeypatch):
    """More than two seconds are told, each minute once: which quota, of what, and until when in UTC."""
    said, logged = [], []
    monkeypatch.setattr(limits_module, "log", lambda event, **fields: logged.append((event, fields)))
    limits = Limits(store, clock, clock.sleep, said.append)

    def waited(seconds):
        told(limits, retry_after=seconds)
        told(limits, permit=ask(limits))

    waited(2.0)
    assert (said, logged) == ([], [])
    until = clock.moment(40.06)
    waited(40.06)
    assert said == [f"waiting for the minute quota of find until {until:%H:%M:%S} UTC"]
    assert logged == [(LogEvent.QUOTA_WAITED, {"window": "minute", "pause_s": 40.1})]
    waited(60.0)
    assert len(said) == len(logged) == 2
    clock.now += 300 - clock.now % 60
    waited(3.0)
    waited(3.0)
    assert len(said) == 3


def test_who_stands_behind_a_thread_gives_up_at_its_deadline(store, clock):
    """Of a party's threads one asks; who can't even become that one in time is refused without asking."""
    limits = Limits(store, clock, clock.sleep)
    with limits._line(*TEAM, BULK, clock.now + 10):
        began = time.monotonic()
        with pytest.raises(QuotaError) as caught, limits._line(*TEAM, BULK, clock.now + 0.2):
            pytest.fail("two ask")
        assert 0.15 < time.monotonic() - began < 5
        assert caught.value.resets_at == clock.moment()
        assert caught.value.message.startswith("The request quota")
        with pytest.raises(QuotaError), limits._line(*TEAM, BULK, clock.now - 5):
            pytest.fail("two ask")
        for place in ((*TEAM, OTHER), ("team:u", "find", BULK), ("team:t", "put", BULK)):
            with limits._line(*place, clock.now + 0.2):
                pass
    with limits._line(*TEAM, BULK, float("inf")):
        pass


def test_a_quota_is_written_alone_and_need_not_outlive_a_power_cut(store, clock, monkeypatch):
    """Who writes on one operation of a team holds up nobody else, and waits for no disk: what is lost with the power is
    learnt from the next answer."""
    asked, write = [], store.write
    monkeypatch.setattr(store, "write", lambda *given, **more: asked.append((given, more)) or write(*given, **more))
    limits = Limits(store, clock, clock.sleep)
    ask(limits)
    told(limits)
    assert asked == [(("quota:team:t:find",), {"durable": False})] * 2


def test_all_that_is_owed_is_paid_and_trouble_goes_on_being_owed(host, monkeypatch):
    """Each of several answers that couldn't be kept is kept later, in their order; what fails again is owed again."""
    limits, write = host.limits, host.store.write
    away = [True]

    def unsure(*given, **more):
        if away[0]:
            raise StoreAwayError("The database doesn't answer.", worked=False)
        return write(*given, **more)

    monkeypatch.setattr(host.store, "write", unsure)
    for left in (9, 8, 7):
        limits.observed("", "team:t", f"find-{left}", (Window("day", 600, left),), 5.0 if left == 8 else None)
    limits._pay()
    away[0] = False
    assert limits.of("team:t") == []
    limits._pay()
    assert [(row["operation"], row["left"]) for row in limits.of("team:t") if row["window"] == "day"] == [
        ("find-7", 7),
        ("find-8", 8),
        ("find-9", 9),
    ]
    assert [row["operation"] for row in limits.of("team:t") if row["window"] == "minute"] == ["find-8"]
    assert not limits._owed


def test_on_its_own_a_host_uses_this_machines_time(store):
    """Without a clock the time is this machine's, a tenth of each window is kept, and nobody needs to listen."""
    limits = Limits(store)
    told(limits, Window("hour", 100, 99))
    told(limits, Window("hour", 100, 11))
    permit = at_once(limits, BULK)
    assert permit
    assert at_once(limits, BULK) is None
    assert abs(limits.shared() - time.time()) < 5
    told(limits, Window("minute", 100, 0), permit=permit, retry_after=2.2)
    began = time.monotonic()
    assert limits.permit(*TEAM, time.time() + 20)
    assert time.monotonic() - began >= 2
