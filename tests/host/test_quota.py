"""The rules of quota: turns between parties, and the reserve for interactive use. Played through on a made-up clock."""

from dataclasses import replace

import pytest

from apollo_component.contract.models import Window
from apollo_component.host.quota import CONCURRENCY, GRACE_SECONDS, OpenWindow, Party, Permit, Quota, Waiting, reserve

BIG, SMALL, THIRD = (Party(name, background=True) for name in ("big", "small", "third"))
PERSON = Party("run-1")
TICK, LATENCY = 0.05, 0.2


class Play:
    """A service with one minute window, and parties that ask for as much as they have, the first named first."""

    def __init__(self, limit, share=0.0):
        self.limit, self.share = limit, share
        self.quota = Quota()
        self.now, self.opened, self.used, self.refused = 1000.0, 0.0, 0, 0
        self.flights, self.served, self.waits = [], {}, {}

    def run(self, wanted, seconds, arrivals=lambda _now: {}):
        """`wanted` is how many requests each party has; how many each got."""
        wanted, end = dict(wanted), self.now + seconds
        while self.now < end:
            self._land()
            wanted |= arrivals(self.now)
            for party in [party for party, count in wanted.items() if count]:
                while wanted[party] and self._ask(party):
                    wanted[party] -= 1
            self.now += TICK
        return {party: self.served.get(party, 0) for party in wanted}

    def _ask(self, party):
        if self.waits.get(party, 0) > self.now:
            return False
        self.quota = self.quota.at(self.now)
        if block := self.quota.block(party, self.now, self.share):
            self.waits[party] = min(max(block.until, self.now + TICK), self.now + 5)
            self.quota = self.quota.waiting(party, self.waits[party])
            return False
        identity = f"{party.name}:{self.now}:{len(self.flights)}:{self.served.get(party)}"
        self.quota = self.quota.granted(identity, party, self.now)
        self.served[party] = self.served.get(party, 0) + 1
        self.flights.append((self.now + LATENCY, identity, self._answer()))
        assert len(self.flights) <= CONCURRENCY
        return True

    def _answer(self):
        if self.now >= self.opened + 60:
            self.opened, self.used = self.now, 0
        if self.used >= self.limit:
            self.refused += 1
            return (), self.opened + 60 - self.now
        self.used += 1
        return (Window("minute", self.limit, self.limit - self.used),), None

    def _land(self):
        landed = [flight for flight in self.flights if flight[0] <= self.now]
        self.flights = [flight for flight in self.flights if flight[0] > self.now]
        for _, identity, (windows, pause) in landed:
            self.quota = self.quota.told(identity, windows, pause, self.now)


def told(quota, left, limit=100, name="minute", now=0.0, retry_after=None):
    return quota.told("", (Window(name, limit, left),), retry_after, now)


def may_go(quota, party, now=0.0, share=0.1):
    """How many requests of a party may leave at once; a hundred stands for no end."""
    count = 0
    while count < 100 and quota.block(party, now, share) is None:
        quota, count = quota.granted(str(count), party, now), count + 1
    return count


def test_fifty_thousand_requests_dont_starve_five():
    """A workflow that wants five requests gets them in the first minute beside one that wants 50,000."""
    play = Play(20)
    got = play.run({BIG: 50_000, SMALL: 5}, 55)
    assert got[SMALL] == 5
    assert got[BIG] == 15
    assert play.refused == 0


def test_three_parties_get_the_same_when_it_is_scarce():
    """Whoever asks first and most, three workflows with enough to do share the windows to within one in a window."""
    got = Play(20).run({BIG: 50_000, SMALL: 500, THIRD: 500}, 600)
    assert sum(got.values()) >= 190
    assert max(got.values()) - min(got.values()) <= 10


def test_what_one_doesnt_want_others_get():
    """An idle party's share isn't kept free: alone, one gets the whole of every window."""
    play = Play(20)
    got = play.run({BIG: 50_000, SMALL: 5}, 600)
    assert got[SMALL] == 5
    assert got[BIG] + got[SMALL] >= 10 * 20 - 5
    assert play.refused == 0


def test_newcomers_dont_starve_who_was_there():
    """However many parties come with one request each, one that waits gets its turn: it came before them."""
    play, come = Play(5), set()

    def arrivals(now):
        newcomer = Party(f"run-{int(now)}", background=True)
        return {} if newcomer in come or come.add(newcomer) else {newcomer: 1}

    got = play.run({BIG: 50_000}, 180, arrivals)
    assert got[BIG] >= 3


def test_a_party_that_died_is_forgotten():
    """One that stood first and doesn't come back holds the others up for a moment only."""
    quota = told(Quota(), 1)
    quota = quota.waiting(SMALL, 10.0).waiting(BIG, 10.0)
    assert quota.block(BIG, 10.0, 0.0)
    assert quota.block(SMALL, 10.0, 0.0) is None
    later = 10.0 + GRACE_SECONDS + 0.1
    assert quota.waiting(BIG, later).at(later).block(BIG, later, 0.0) is None


def test_one_that_waits_for_a_window_holds_up_nobody_before_it_asks():
    """When room comes earlier than a sleeper thought, those who are awake use it."""
    quota = told(Quota(), 1).waiting(SMALL, 30.0)
    assert quota.block(BIG, 10.0, 0.0) is None


@pytest.mark.parametrize(
    ("limit", "share", "kept"), [(1000, 0.1, 100), (20, 0.1, 2), (5, 0.1, 1), (1, 0.1, 0), (None, 0.1, 0), (100, 0, 0)]
)
def test_the_reserve_is_a_share_one_at_least_and_never_all(limit, share, kept):
    """A tenth of a large window, one of a small one, nothing of a window of one or where no limit is known."""
    assert reserve(limit, share) == kept


def test_background_work_leaves_the_reserve():
    """When a tenth is left of an hour, background work waits for its end and interactive calls go on."""
    quota = told(Quota(), 99, name="hour")
    quota = told(quota, 12, name="hour")
    assert may_go(quota, BIG) == 2
    assert may_go(quota, PERSON) == 12
    block = told(quota, 10, name="hour").block(BIG, 0.0, 0.1)
    assert (block.window, block.until, block.kept) == ("hour", 3600.0, True)


def test_background_work_leaves_places_in_flight():
    """However much background work is in flight, an interactive call needn't wait for one of its answers."""
    quota = Quota(answered=True)
    assert may_go(quota, BIG) == CONCURRENCY - reserve(CONCURRENCY, 0.1)
    assert may_go(quota, PERSON) == CONCURRENCY


def test_background_parties_that_wait_for_the_reset_dont_stand_before_a_person():
    """The turn of a party that may not touch the reserve isn't waited for."""
    quota = told(told(Quota(), 99), 10)
    for party in (BIG, SMALL, THIRD):
        quota = quota.waiting(party, 0.0)
    assert quota.block(PERSON, 0.0, 0.1) is None
    assert quota.block(BIG, 0.0, 0.1)


def test_the_reserve_of_a_minute_goes_to_background_work_in_the_end():
    """What nobody wanted in a minute isn't lost: background work alone uses all of every window, without refusals."""
    play = Play(60, share=0.1)
    got = play.run({BIG: 50_000}, 600)
    assert got[BIG] >= 10 * 60 - 2
    assert play.refused == 0


def test_a_person_finds_the_reserve_while_background_work_wants_all():
    """In the first half of a minute that background work would have emptied, three of sixty are there at once."""
    play = Play(60, share=0.1)
    play.run({BIG: 50_000}, 20)
    assert may_go(play.quota, PERSON, play.now) >= 3
    assert may_go(play.quota, BIG, play.now) == 0


def test_background_work_looks_for_a_guessed_end():
    """Where the end of an hour was never told, background work that met the reserve asks once in a twelfth of it, and
    goes on when the hour turns out to be over."""
    quota = told(Quota(), 10, name="hour")
    block = quota.block(BIG, 0.0, 0.1)
    assert block.until == 300.0
    assert may_go(quota, BIG, 300.0) == 1
    quota = quota.granted("probe", BIG, 300.0).told("probe", (Window("hour", 100, 99),), None, 301.0)
    assert may_go(quota, BIG, 301.0) == CONCURRENCY - 1


def test_what_is_known_survives_the_store():
    """A quota that is stored and read again is the same."""
    quota = told(Quota(), 7).granted("p", BIG, 1.0).waiting(SMALL, 2.0)
    assert Quota.loads(quota.dumps()) == quota


STORED = (
    '{"turn":7,"answered":true,"windows":{"hour":[100,12,3600.0,false,5,9.0]},'
    '"permits":{"p":[6,95.0]},"queue":[["big",true,11.0]]}'
)


def test_what_is_stored_is_read_for_ever():
    """Rows that an earlier version wrote are understood; a team's windows and queue outlive an upgrade."""
    quota = Quota.loads(STORED)
    assert quota == Quota(
        7,
        True,
        {"hour": OpenWindow(100, 12, 3600.0, exact=False, seen=5, told_at=9.0)},
        {"p": Permit(6, 95.0)},
        (Waiting("big", True, 11.0),),
    )
    assert isinstance(quota.windows["hour"], OpenWindow)
    assert isinstance(quota.permits["p"], Permit)
    assert isinstance(quota.queue[0], Waiting)
    assert quota.dumps() == STORED


def test_permits_and_places_end_to_the_second():
    """A permit counts for 90 seconds and a place in the queue for 3 after its time, the last moment included."""
    quota = Quota().granted("p", BIG, 10.0).waiting(SMALL, 97.0)
    assert quota.at(100.0) == quota
    assert quota.at(100.1).permits == {}
    assert quota.at(100.1).queue == ()
    assert quota.at(100.1).turn == 1


def test_a_permit_is_a_turn_of_its_own():
    """Each permit and each answer takes the next turn, by which answers out of order are known."""
    quota = Quota().granted("a", BIG, 10.0).granted("b", SMALL, 11.0)
    assert quota.permits == {"a": Permit(1, 100.0), "b": Permit(2, 101.0)}
    quota = quota.told("a", (), None, 12.0)
    assert (quota.turn, quota.answered, set(quota.permits)) == (3, True, {"b"})


def test_who_got_a_permit_stands_at_the_end_when_it_wants_more():
    """A permit takes its party, and no other, out of the queue; the others keep their order."""
    quota = Quota().waiting(BIG, 1.0).waiting(SMALL, 2.0).waiting(THIRD, 3.0).granted("p", SMALL, 2.0)
    assert [waiting.name for waiting in quota.queue] == ["big", "third"]
    assert [waiting.name for waiting in quota.waiting(SMALL, 4.0).queue] == ["big", "third", "small"]


def test_one_who_asks_again_keeps_its_place():
    """A party stands in the queue once, with the later of its times; the same name in the foreground is another."""
    quota = Quota().waiting(BIG, 5.0).waiting(SMALL, 2.0)
    assert quota.waiting(BIG, 3.0).queue == (Waiting("big", True, 5.0), Waiting("small", True, 2.0))
    assert quota.waiting(SMALL, 9.0).queue == (Waiting("big", True, 5.0), Waiting("small", True, 9.0))
    assert len(quota.waiting(Party("big"), 5.0).queue) == 3


def test_who_is_about_to_ask_is_reckoned_with():
    """From 0.6 seconds before it asks again a party that came before goes before; earlier it doesn't."""
    quota = told(Quota(), 5).waiting(SMALL, 10.6)
    assert quota.block(BIG, 9.9, 0.0) is None
    assert quota.block(BIG, 10.0, 0.0) == ("", 10.0, False, False)


def test_without_a_known_window_each_gets_a_place_in_flight():
    """Where no window is known one waits only when there is no place for each of those before."""
    quota = Quota(answered=True).waiting(SMALL, 0.0).waiting(THIRD, 0.0)
    for number in range(CONCURRENCY - 3):
        quota = quota.granted(str(number), PERSON, 0.0)
    assert quota.block(BIG, 0.0, 0.0) is None
    quota = quota.granted("one more", PERSON, 0.0)
    assert quota.block(BIG, 0.0, 0.0) == ("", 0.0, False, False)
    assert quota.block(SMALL, 0.0, 0.0) is None


def test_before_the_first_answer_one_goes_ahead():
    """Without an answer and a window one request is in flight, whosever it is; with a known window more are."""
    quota = Quota()
    assert may_go(quota, PERSON) == may_go(quota, BIG) == 1
    assert quota.granted("p", BIG, 3.0).block(PERSON, 4.0, 0.1) == ("", 4.0, False, True)
    assert may_go(replace(told(quota, 50), answered=False), PERSON) == CONCURRENCY


def test_what_is_in_the_way_is_told():
    """Of an empty window its name and end, and that nothing of it is kept; of places in flight no window at all."""
    assert told(Quota(), 0, retry_after=40.0).block(PERSON, 1.0, 0.1) == ("minute", 40.0, False, True)
    quota = told(Quota(), 1, name="hour").granted("p", PERSON, 0.0)
    assert quota.block(PERSON, 2.0, 0.1) == ("", 2.0, False, True)
    both = Quota(answered=True, windows={name: OpenWindow(9, 0, 50.0, True, 1, 0.0) for name in ("minute", "day")})
    assert both.block(PERSON, 2.0, 0.1).window == "day"


def test_the_tightest_of_several_windows_holds():
    """However much a day has left, no more fly than the minute has."""
    windows = {"day": (1000, 900), "hour": (100, 4), "minute": (50, 7)}
    quota = Quota().told("", [Window(name, *each) for name, each in windows.items()], None, 0.0)
    assert may_go(quota, PERSON) == 4


@pytest.mark.parametrize(
    ("seconds", "window"),
    [(60.0, "minute"), (60.1, "hour"), (3600.0, "hour"), (3600.1, "day"), (86400.0, "day"), (999999.0, "day")],
)
def test_a_pause_belongs_to_the_shortest_window_it_fits_in(seconds, window):
    """What a refusal says of its length tells which window is empty; its end is known to the second."""
    quota = told(Quota(), 40, name=window, now=10.0)
    quota = quota.told("", (), seconds, 20.0)
    assert quota.windows == {window: OpenWindow(100, 0, 20.0 + seconds, True, 2, 20.0)}
    assert Quota().told("", (), seconds, 20.0).windows[window].limit is None


def test_a_window_without_a_limit_is_forgotten_when_it_is_over():
    """A pause alone tells of no limit; once it is over nothing of it is left. A limit that was told stays."""
    quota = Quota().told("", (), 30.0, 0.0)
    assert set(quota.told("", (), None, 29.9).windows) == {"minute"}
    assert quota.told("", (), None, 30.0).windows == {}
    assert set(told(Quota(), 3).told("", (), None, 99.0).windows) == {"minute"}


def test_an_answer_that_tells_nothing_of_a_window_changes_nothing():
    """A limit without a count is not an unlimited one, and of other windows nothing is forgotten."""
    quota = told(told(Quota(), 3), 9, name="hour")
    assert quota.told("", (Window("minute", 100, None),), None, 1.0).windows == quota.windows
    assert set(quota.told("", (Window("minute", None, None),), None, 1.0).windows) == {"hour"}
    assert quota.told("", (Window("day", None, None),), None, 1.0).windows == quota.windows


def test_a_new_window_is_noticed_by_its_first_answer():
    """When all but what is in flight is left, the window opened just now, and its end is known; else it is a guess."""
    quota = Quota().granted("a", PERSON, 0.0).granted("b", PERSON, 0.0).granted("c", PERSON, 0.0)
    for left, exact in ((99, True), (97, True), (96, False)):
        window = quota.told("a", (Window("minute", 100, left),), None, 5.0).windows["minute"]
        assert window == OpenWindow(100, left, 65.0, exact, 4, 5.0)
    assert not quota.told("a", (Window("minute", None, 99),), None, 5.0).windows["minute"].exact


def test_inside_a_window_the_smallest_count_holds():
    """Only an answer whose request left after the smaller count was there may raise it: a window was opened anew."""
    early = told(Quota(), 50).granted("early", PERSON, 1.0)
    quota = told(early, 40, now=2.0)
    assert quota.windows["minute"] == OpenWindow(100, 40, 60.0, False, 3, 2.0)
    late = quota.told("early", (Window("minute", 100, 45),), None, 3.0)
    assert late.windows["minute"] == OpenWindow(100, 40, 60.0, False, 3, 3.0)
    same = quota.told("", (Window("minute", 90, 40),), None, 3.0)
    assert same.windows["minute"] == OpenWindow(90, 40, 60.0, False, 3, 3.0)
    after = quota.granted("after", PERSON, 3.0).told("after", (Window("minute", 100, 99),), None, 4.0)
    assert after.windows["minute"] == OpenWindow(100, 99, 64.0, True, 5, 4.0)
    over = quota.told("", (Window("minute", 100, 45),), None, 60.0)
    assert over.windows["minute"] == OpenWindow(100, 45, 120.0, False, 4, 60.0)


def test_past_the_end_of_a_window_one_finds_out():
    """At the very moment a window ends one request goes ahead, and no second one."""
    quota = told(Quota(), 0, retry_after=40.0)
    assert quota.block(PERSON, 39.9, 0.0).until == 40.0
    assert may_go(quota, PERSON, 40.0) == 1
    assert may_go(quota, BIG, 40.0) == 1


def test_the_reserve_of_a_minute_shrinks_evenly():
    """Ten of a hundred are kept at the beginning of a minute, five in its middle, none at its end; who waits is told
    when one more of them becomes free."""
    quota = told(told(Quota(), 99), 10)
    for now, free in ((0.0, 0), (30.0, 5), (57.1, 10)):
        assert may_go(quota, BIG, now) == free
    assert quota.block(BIG, 0.0, 0.1) == ("minute", 3.0, True, True)
    assert may_go(quota, BIG, 3.1) == 1
    emptier = told(quota, 3, now=20.0)
    assert emptier.block(BIG, 20.0, 0.1) == ("minute", 45.0, True, True)
    assert may_go(quota, PERSON, 0.0) == 10


def test_the_reserve_of_an_hour_is_kept_to_its_end():
    """Where the end is known, background work waits for it; where it is guessed, it looks a twelfth of the window after
    the last answer, and never later than the end."""
    known = told(told(Quota(), 99, name="hour"), 10, name="hour", now=100.0)
    assert known.block(BIG, 2000.0, 0.1) == ("hour", 3600.0, True, True)
    guessed = told(Quota(), 10, name="hour", now=100.0)
    assert guessed.block(BIG, 200.0, 0.1) == ("hour", 400.0, True, True)
    assert may_go(guessed, BIG, 399.9) == 0
    assert may_go(guessed, BIG, 400.0) == 1
    heard = told(guessed, 10, name="hour", now=3500.0)
    assert heard.block(BIG, 3550.0, 0.1) == ("hour", 3700.0, True, True)


def test_an_equal_count_opens_no_window():
    """An answer that tells of as much as was left before, such as of a request that cost nothing, leaves the end as it
    was known."""
    quota = told(Quota(), 99).granted("a", PERSON, 1.0)
    quota = quota.told("a", (Window("minute", 100, 98),), None, 1.0).granted("b", PERSON, 2.0)
    assert quota.windows["minute"].exact
    same = quota.told("b", (Window("minute", 100, 98),), None, 30.0)
    assert same.windows["minute"] == quota.windows["minute"]._replace(told_at=30.0)


def test_the_last_request_is_nobodys_reserve():
    """Without a reserve the last one may be used, whether the end is known or guessed; where it is all the reserve,
    background work waits for the end."""
    for exact in (True, False):
        quota = Quota(answered=True, windows={"hour": OpenWindow(100, 1, 3600.0, exact, 1, 0.0)})
        assert quota.block(BIG, 1.0, 0.0) is None
        assert quota.block(PERSON, 1.0, 0.1) is None
        block = quota.block(BIG, 1.0, 0.1)
        assert (block.window, block.until, block.kept) == ("hour", 3600.0 if exact else 300.0, True)


def test_an_empty_window_is_waited_for_by_all():
    """When nothing is left it isn't the reserve that is in the way, whatever is in flight; the end is told."""
    empty = told(Quota(), 0, retry_after=40.0)
    for party in (BIG, PERSON):
        for quota in (empty, empty.granted("p", PERSON, 0.0)):
            assert quota.block(party, 1.0, 0.1) == ("minute", 40.0, False, True)
    limited = Quota(answered=True, windows={"hour": OpenWindow(100, 0, 3600.0, True, 1, 0.0)})
    assert limited.block(BIG, 1.0, 0.1) == ("hour", 3600.0, False, True)


def test_a_minute_is_never_kept_for_more_than_its_reserve():
    """A pause that reached beyond a minute's length keeps no more than at its beginning."""
    quota = Quota(answered=True, windows={"minute": OpenWindow(100, 11, 90.0, True, 1, 0.0)})
    assert may_go(quota, BIG, 0.0) == 1


def test_places_in_flight_count_once():
    """What is in flight is taken from what is left, so that others are reckoned with by what is really free."""
    quota = told(Quota(), 3).granted("a", PERSON, 0.0).granted("b", PERSON, 0.0)
    assert quota._room(background=False, now=0.0, share=0.1) == (1, None)
    full = replace(Quota(answered=True), permits={str(n): Permit(n, 90.0) for n in range(CONCURRENCY)})
    assert full._room(background=False, now=0.0, share=0.1) == (0, ("", 0.0, False, True))
