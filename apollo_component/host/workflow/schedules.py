"""Times at which runs start: cron expressions in a time zone."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIELDS = 5
LONGEST = 100
_CHOSEN = re.compile(r"(?<![a-z])[hr](?![a-z])", re.IGNORECASE)
"""What `croniter` would choose by itself: a random time is another one each time it is asked for."""


def schedule_problem(schedule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a schedule, by its key."""
    cron, zone = schedule.get("cron"), schedule.get("timezone", "UTC")
    if isinstance(cron, str) and not _sound(cron):
        yield "cron", 'is no time that ever comes, in five fields such as "0 7 * * 1-5"'
    if isinstance(zone, str) and not _known(zone):
        yield "timezone", "is no time zone; such as Europe/Berlin"


def following(cron: str, timezone: str, after: float) -> float:
    """The next time after `after`, both in seconds since 1970."""
    found: datetime = _times(cron, timezone, after).get_next(datetime)
    return found.timestamp()


def latest(cron: str, timezone: str, until: float) -> float:
    """The last time up to the whole second of `until`."""
    found: datetime = _times(cron, timezone, int(until) + 1).get_prev(datetime)
    return found.timestamp()


def _times(cron: str, timezone: str, moment: float) -> Any:
    from croniter import croniter

    return croniter(cron, datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(timezone)))


def _sound(cron: str) -> bool:
    from croniter import croniter
    from croniter.croniter import CroniterBadDateError

    if len(cron) > LONGEST or len(cron.split()) != FIELDS or _CHOSEN.search(cron) or not croniter.is_valid(cron):
        return False
    try:
        return following(cron, "UTC", 0) > 0
    except CroniterBadDateError:
        return False


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
