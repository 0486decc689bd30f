"""The rules of quota: turns between parties, and the reserve for interactive use. Played through on a made-up clock."""

import pytest

from apollo_component.contract.models import Window
from apollo_component.host.quota import CONCURRENCY, GRACE_SECONDS, Party, Quota, reserve

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
    """How many requests of a party may leave at once."""
    count = 0
    while quota.block(party, now, share) is None:
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
