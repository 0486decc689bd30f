"""Faults a test asks for: what goes wrong, for which operation, how often; and the requests held back."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

KINDS = (
    "latency", "hold_before", "hold_after", "drop_before", "drop_after", "status", "truncate", "html",
    "wrong_types", "refusal", "duplicate", "fail",
)  # fmt: skip
PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass(slots=True)
class Fault:
    """One fault; `times` None is for ever, `after` lets the first matching requests through."""

    id: int
    operation: str
    kind: str
    times: int | None = None
    probability: float = 1.0
    after: int = 0
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    name: str = ""  # of a documented refusal
    auth: str = ""  # the one credential it strikes, as requests are recorded: "key:scoped"
    seen: int = 0
    hits: int = 0

    def shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def strikes(self, operation: str, rng: Random, *, auth: str = "", exactly: bool = False) -> bool:
        """Whether this request is hit; counts it either way. `exactly`: "*" does not mean this one."""
        named = self.operation == operation or (self.operation == "*" and not exactly)
        if not named or self.auth not in ("", auth) or (self.times is not None and self.hits >= self.times):
            return False
        self.seen += 1
        if self.seen <= self.after or rng.random() >= self.probability:
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class Held:
    """One request that waits for its release."""

    operation: str
    kind: str
    event: asyncio.Event


@dataclass(slots=True)
class Faults:
    """The active faults and the held requests of one sandbox."""

    rng: Random
    active: list[Fault] = field(default_factory=list)
    held: dict[int, Held] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    made: int = 0

    def add(self, order: dict[str, Any]) -> Fault:
        """Makes a fault from a test's order; raises ValueError on one that cannot be read."""
        if order.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        known = set(Fault.__slots__) - {"id", "seen", "hits"}
        if wrong := set(order) - known:
            raise ValueError(f"unknown keys: {', '.join(sorted(wrong))}")
        self.made += 1
        fault = Fault(id=self.made, **{"operation": "*", **order})
        self.active.append(fault)
        return fault

    def pick(self, operation: str, *, auth: str = "", exactly: bool = False) -> Fault | None:
        """The first fault that strikes this request of this credential."""
        struck = (one for one in self.active if one.strikes(operation, self.rng, auth=auth, exactly=exactly))
        return next(struck, None)

    async def pause(self, seconds: float) -> None:
        """Waits, unless the server closes."""
        if seconds > 0 and not self.closing.is_set():
            try:
                await asyncio.wait_for(self.closing.wait(), seconds)
            except TimeoutError:
                return

    async def hold(self, operation: str, kind: str) -> None:
        """Waits until a test releases this request, or the server closes."""
        if self.closing.is_set():
            return
        self.made += 1
        number, held = self.made, Held(operation, kind, asyncio.Event())
        self.held[number] = held
        try:
            await held.event.wait()
        finally:
            self.held.pop(number, None)

    def release(self, number: int | None) -> int:
        """Lets one held request go, or all of them; tells how many."""
        chosen = [number] if number is not None else list(self.held)
        waiting = [held for n in chosen if (held := self.held.pop(n, None))]
        for held in waiting:
            held.event.set()
        return len(waiting)

    def close(self) -> None:
        """Ends every wait, so that the server can stop."""
        self.closing.set()
        self.release(None)


def with_wrong_types(value: Any, key: str = "", place: int = 0) -> Any:
    """The same answer with numbers as texts and every fifth other value null; ids stay."""
    if isinstance(value, dict):
        return {k: with_wrong_types(v, k, n) for n, (k, v) in enumerate(value.items())}
    if isinstance(value, list):
        return [with_wrong_types(item, key) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    kept = key in ("id", "_id", "key") or key.endswith(("_id", "_ids")) or place % 5 != 4
    return value if kept else None
