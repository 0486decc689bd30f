"""The rules of quota for one operation of one team: who may go, who waits for what, and what an answer teaches.

Pure, on a value that fits in one row of the store. The order of events is told by turns, never by clocks, which differ
between machines.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from ..contract.models import Window
from .store import dumps

LENGTHS = {"day": 86400.0, "hour": 3600.0, "minute": 60.0}
CONCURRENCY = 16
"""Requests in flight at most for one operation of one team, whatever the quota."""
PERMIT_SECONDS = 90.0
"""A permit whose holder died on another machine stops counting after this; a request may take 60 seconds."""
SOON_SECONDS = 0.6
GRACE_SECONDS = 3.0
"""Who waits is reckoned with from shortly before it asks again; who is later than this has lost its place."""
PROBES = 12
"""Where a window's end is only guessed, background work looks for it with a request of the reserve so many times a
window at most."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whose turn it is: a workflow, or a single run. Background work leaves the reserve to the others."""

    name: str = ""
    background: bool = False


class OpenWindow(NamedTuple):
    """`exact`: its end is known, not guessed. `seen` is the turn at which so few were left; `told_at` when an answer
    spoke of it last."""

    limit: int | None
    left: int
    resets_at: float
    exact: bool
    seen: int
    told_at: float


class Permit(NamedTuple):
    turn: int
    until: float


class Waiting(NamedTuple):
    """A party in the queue; it asks again at `at`."""

    name: str
    background: bool
    at: float


class Block(NamedTuple):
    """What is in the way, and until when. Window "": only requests in flight, or others' turns. `kept`: what is left
    is the reserve. `first`: no other party goes before."""

    window: str
    until: float
    kept: bool = False
    first: bool = True


@dataclass(frozen=True, slots=True)
class Quota:
    """`answered`: whether any answer has come; before the first one, one request goes ahead to find out."""

    turn: int = 0
    answered: bool = False
    windows: Mapping[str, OpenWindow] = field(default_factory=dict)
    permits: Mapping[str, Permit] = field(default_factory=dict)
    queue: tuple[Waiting, ...] = ()

    @classmethod
    def loads(cls, text: str) -> Self:
        found = json.loads(text)
        return cls(
            found["turn"],
            found["answered"],
            {name: OpenWindow(*each) for name, each in found["windows"].items()},
            {name: Permit(*each) for name, each in found["permits"].items()},
            tuple(Waiting(*each) for each in found["queue"]),
        )

    def dumps(self) -> str:
        names = ("turn", "answered", "windows", "permits", "queue")
        return dumps({name: getattr(self, name) for name in names})

    def at(self, now: float) -> Self:
        """Without the permits that ended and the parties that didn't come back."""
        permits = {name: permit for name, permit in self.permits.items() if permit.until >= now}
        return replace(self, permits=permits, queue=tuple(w for w in self.queue if w.at + GRACE_SECONDS >= now))

    def without(self, permits: Collection[str]) -> Self:
        return replace(self, permits={name: each for name, each in self.permits.items() if name not in permits})

    def block(self, party: Party, now: float, share: float) -> Block | None:
        """What keeps a request of this party from leaving, None when it may go.

        Of several parties, each stands in the queue once, and who has stood there longest goes first; those that
        couldn't go anyway don't count. Where no window is known, a place in flight for each of them is enough.
        """
        room, block = self._room(party.background, now, share)
        ahead = self._ahead(party, now, share)
        if block is None and ahead and (self.windows or room <= ahead):
            block = Block("", now)
        return block and block._replace(first=not ahead)

    def granted(self, identity: str, party: Party, now: float) -> Self:
        """With a permit for this party, which leaves the queue: it will stand at its end when it wants more."""
        permits = {**self.permits, identity: Permit(self.turn + 1, now + PERMIT_SECONDS)}
        return replace(self, turn=self.turn + 1, permits=permits, queue=tuple(self._others(party)))

    def waiting(self, party: Party, at: float) -> Self:
        """With this party in the queue, at its place if it has one."""
        mine = Waiting(party.name, party.background, at)
        if (place := self._place(party)) == len(self.queue):
            return replace(self, queue=(*self.queue, mine))
        sooner = mine._replace(at=max(at, self.queue[place].at))
        return replace(self, queue=(*self.queue[:place], sooner, *self.queue[place + 1 :]))

    def told(self, permit: str, windows: Sequence[Window], retry_after: float | None, now: float) -> Self:
        """After an answer: its permit given back, and what it said of the windows."""
        issued, turn = self.permits.get(permit), self.turn + 1
        rest = self.without([permit])
        known = dict(self.windows)
        for window in windows:
            if window.left is not None:
                old = known.get(window.name)
                known[window.name] = _learnt(old, window, issued, len(rest.permits), turn, now)
            elif window.limit is None:
                known.pop(window.name, None)
        known = {name: each for name, each in known.items() if each.limit is not None or each.resets_at > now}
        if retry_after is not None:
            name = next((name for name in reversed(LENGTHS) if retry_after <= LENGTHS[name]), "day")
            limit = known[name].limit if name in known else None
            known[name] = OpenWindow(limit, 0, now + retry_after, True, turn, now)
        return replace(rest, turn=turn, answered=True, windows=known)

    def _room(self, background: bool, now: float, share: float) -> tuple[int, Block | None]:
        """How many more requests of that kind may leave, and what is in the way when it is none. Never more are in
        flight than is left."""
        flying = len(self.permits)
        most = CONCURRENCY - (reserve(CONCURRENCY, share) if background else 0)
        room = (most if self.answered or self.windows else 1) - flying
        if room <= 0:
            return 0, Block("", now)
        for name in LENGTHS:
            if name in self.windows:
                window = self.windows[name]
                usable, until = _usable(name, window, now, share if background else 0.0)
                if usable <= flying:
                    only_flying = flying and usable > 0
                    return 0, Block("", now) if only_flying else Block(name, until, kept=window.left > 0)
                room = min(room, usable - flying)
        return room, None

    def _ahead(self, party: Party, now: float, share: float) -> int:
        """How many parties before this one are about to ask and could go."""
        before = [w.background for w in self.queue[: self._place(party)] if w.at - SOON_SECONDS <= now]
        can_go = {kind: self._room(kind, now, share)[0] > 0 for kind in set(before)}
        return sum(can_go[kind] for kind in before)

    def _place(self, party: Party) -> int:
        mine = (party.name, party.background)
        places = (place for place, waiting in enumerate(self.queue) if waiting[:2] == mine)
        return next(places, len(self.queue))

    def _others(self, party: Party) -> Iterator[Waiting]:
        return (waiting for waiting in self.queue if waiting[:2] != (party.name, party.background))


def reserve(limit: int | None, share: float) -> int:
    """What background work leaves of a limit: a share, 1 at least, never all; nothing where no limit is known."""
    return min(max(1, int(limit * share)), limit - 1) if limit and share else 0


def _usable(name: str, window: OpenWindow, now: float, share: float) -> tuple[int, float]:
    """How many requests may be in flight, and when that may change if it is none.

    Past a window's end, or where the end is only guessed and nothing is left, one request goes ahead to find out. The
    reserve of a minute shrinks as the minute passes, so that what nobody wanted isn't lost.
    """
    if now >= window.resets_at or (window.left <= 0 and not window.exact):
        return 1, now
    full = reserve(window.limit, share)
    if not full or window.left <= 0:
        return max(0, window.left), window.resets_at
    coming = (window.resets_at - now) / LENGTHS[name]
    kept = round(full * min(1.0, coming)) if name == "minute" else full
    if window.left > kept:
        return window.left - kept, now
    if name == "minute":
        return 0, max(now, window.resets_at - LENGTHS[name] * (window.left - 0.5) / full)
    if window.exact:
        return 0, window.resets_at
    look = window.told_at + LENGTHS[name] / PROBES
    return int(now >= look), min(look, window.resets_at)


def _learnt(
    known: OpenWindow | None, told: Window, issued: Permit | None, flying: int, turn: int, now: float
) -> OpenWindow:
    """Answers may arrive out of order: inside one window the smallest count holds. A higher count means that a new
    window was opened only when its request left after the smaller count was there."""
    left = told.left or 0
    if known is not None and now < known.resets_at:
        later = issued is not None and issued.turn > known.seen
        if left <= known.left or not later:
            seen = turn if left < known.left else known.seen
            return known._replace(limit=told.limit, left=min(left, known.left), seen=seen, told_at=now)
    opened_now = told.limit is not None and left >= told.limit - 1 - flying
    return OpenWindow(told.limit, left, now + LENGTHS[told.name], opened_now, turn, now)
