"""What enrichment cost: every answered lookup is billed, a repeated one too (unverified, the worst case)."""

from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, stamp
from .errors import insufficient_credits
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

    def bill(self, call: Call, *, people: list[str] | None = None, organizations: list[str] | None = None) -> int:
        """Takes one credit per record found, or refuses the whole call when they do not suffice."""
        cost = len(people or ()) + len(organizations or ())
        if cost > self.left:
            raise insufficient_credits()
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
        return cost
