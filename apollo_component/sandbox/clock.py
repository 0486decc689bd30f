"""A clock that tests can move: every time, window and expiry of the sandbox goes by it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class Clock:
    """The wall clock plus the seconds it was moved by."""

    offset: float = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def stamp(moment: float) -> str:
    """A time as most records carry it: milliseconds and `Z`."""
    return offset_stamp(moment)[:-6] + "Z"


def offset_stamp(moment: float) -> str:
    """The same time as other fields of the same record carry it: with `+00:00`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
