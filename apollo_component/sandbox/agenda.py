"""What happens later by itself: mails that go out, jobs that progress, results that become ready."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[float], None]


@dataclass(slots=True)
class Agenda:
    """Actions by the sandbox time they are due at; they run before the next request is answered."""

    due: list[tuple[float, int, Action]] = field(default_factory=list)
    made: int = 0

    def at(self, moment: float, action: Action) -> None:
        """Keeps an action, which will be called with the moment it was due at."""
        self.made += 1
        heapq.heappush(self.due, (moment, self.made, action))

    def run(self, now: float) -> None:
        """Does everything that is due, in order; an action may add further ones."""
        while self.due and self.due[0][0] <= now:
            moment, _, action = heapq.heappop(self.due)
            action(moment)
