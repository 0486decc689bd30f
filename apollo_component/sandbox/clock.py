"""A clock that tests can move: every time, window and expiry of the sandbox goes by it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


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


def parsed(value: str) -> float:
    """The moment of a stamp."""
    return datetime.fromisoformat(value).timestamp()


def touch(record: dict[str, Any], moment: float) -> None:
    """Moves a record's time of change on, by a millisecond at least: two changes of a record never look alike.

    Which changes move it at Apollo is unverified beyond those of the record's own fields; here all do.
    """
    before = datetime.fromisoformat(record["updated_at"]) + timedelta(milliseconds=1)
    record["updated_at"] = stamp(max(datetime.fromtimestamp(moment, UTC), before).timestamp())
