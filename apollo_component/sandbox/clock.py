"""A clock that tests can move: every time, window and expiry of the sandbox goes by it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MAX_RATE = 1000


@dataclass(slots=True)
class Clock:
    """The wall clock plus the seconds it was moved by; it may run `rate` times as fast since `since`."""

    offset: float = 0.0
    rate: float = 1.0
    since: float = 0.0

    def now(self) -> float:
        now = time.time()
        return now + self.offset + (now - self.since) * (self.rate - 1)

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def run(self, rate: float) -> None:
        """From now on so many times as fast; raises ValueError for a clock that would stand or run back."""
        if not 0 < rate <= MAX_RATE:
            raise ValueError(f"rate must be above 0 and at most {MAX_RATE}")
        now, real = self.now(), time.time()
        self.offset, self.rate, self.since = now - real, rate, real


def stamp(moment: float) -> str:
    """A time as most records carry it: milliseconds and `Z`."""
    return offset_stamp(moment)[:-6] + "Z"


def offset_stamp(moment: float) -> str:
    """The same time as other fields of the same record carry it: with `+00:00`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def parsed(value: str) -> float:
    """The moment of a stamp."""
    return datetime.fromisoformat(value).timestamp()


def touch(record: dict[str, Any], moment: float) -> None:
    """Moves a record's time of change on, by a millisecond at least: two changes of a record never look alike.

    Which changes move it at Apollo is unverified beyond those of the record's own fields; here all do.
    """
    before = datetime.fromisoformat(record["updated_at"]) + timedelta(milliseconds=1)
    record["updated_at"] = stamp(max(datetime.fromtimestamp(moment, UTC), before).timestamp())
