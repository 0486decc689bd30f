"""What enrichment cost: every answered lookup is billed, a repeated one too (unverified, the worst case)."""

from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, stamp
from .errors import Refusal, insufficient_credits
from .operation import Call

PLENTY = 1_000_000


@dataclass(slots=True)
class Ledger:
    """The team's credits and the entries that used them."""

    clock: Clock
    left: int = PLENTY
    limit: int = PLENTY
    total: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)

    def bill(
        self,
        call: Call,
        *,
        people: list[str] | None = None,
        organizations: list[str] | None = None,
        more: int = 0,
        refusal: Refusal | None = None,
    ) -> int:
        """Takes one credit per record found and what comes on top, or refuses the whole call."""
        cost = len(people or ()) + len(organizations or ()) + more
        if cost > self.left:
            raise refusal or insufficient_credits()
        self._book(call, cost, people, organizations)
        return cost

    def bill_later(self, call: Call, cost: int, people: list[str]) -> None:
        """Books what an accepted request turned out to cost; it may overdraw (unverified)."""
        if cost:
            self._book(call, cost, people, None)

    def _book(self, call: Call, cost: int, people: list[str] | None, organizations: list[str] | None) -> None:
        self.left -= cost
        self.total += cost
        entry = {
            "at": stamp(self.clock.now()),
            "operation": call.operation.id,
            "credits": cost,
            "people": people or [],
            "organizations": organizations or [],
            "request_id": call.request_id,
            "auth": call.caller.name,
        }
        self.entries.append(entry)
