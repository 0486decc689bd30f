"""Quota windows shared by every thread and process on one database, led by what the answers' headers say."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..contract.errors import QuotaError
from ..contract.models import Window
from .events import LogEvent
from .leases import is_dead, new_owner
from .logs import log
from .store import Store, put
from .tables import permits, windows

SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
PERMIT_SECONDS = 120.0
"""A permit whose holder died stops counting after this."""
TOLD_SECONDS = 2.0
"""A wait for quota that is longer is told."""
CONCURRENCY = 16
"""Requests in flight at most for one operation of one team, whatever the quota."""


class Limits:
    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        notice: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.store, self.clock, self.sleep, self.notice = store, clock, sleep, notice
        self._told: set[tuple[str, str, int]] = set()

    def permit(self, scope: str, operation: str, deadline: float) -> str:
        """A permit's id. Waits for a minute window inside `deadline` (epoch seconds).

        Raises QuotaError naming the window and its reset when it is an hour's or a day's, or too far off.
        """
        pause = 0.02
        while True:
            taken = self._try(scope, operation)
            if isinstance(taken, str):
                return taken
            window, resets_at = taken
            wait = max(0.0, resets_at - self.clock()) if window else pause
            if window in ("hour", "day") or self.clock() + wait > deadline:
                raise quota_error(window, resets_at)
            if wait > TOLD_SECONDS:
                self._tell(operation, window, resets_at)
            self.sleep(wait + random_share(pause))
            pause = min(pause * 1.5, 0.5)

    def _tell(self, operation: str, window: str, resets_at: float) -> None:
        """Once for each wait, however many threads wait."""
        place = (operation, window, round(resets_at))
        if place not in self._told:
            self._told.add(place)
            log(LogEvent.QUOTA_WAITED, window=window, pause_s=round(resets_at - self.clock(), 1))
            until = datetime.fromtimestamp(resets_at, UTC)
            self.notice(f"waiting for the {window} quota of {operation} until {until:%H:%M:%S} UTC")

    def _try(self, scope: str, operation: str) -> str | tuple[str, float]:
        """A permit, or (window, reset) of what is in the way; window "" = only requests in flight are."""
        now = self.clock()
        mine = (permits.c.scope == scope, permits.c.operation == operation)
        with self.store.write(f"quota:{scope}:{operation}", durable=False) as connection:
            connection.execute(sa.delete(permits).where(*mine, permits.c.until < now))
            flying = _flying(connection, mine)
            query = sa.select(windows).where(windows.c.scope == scope, windows.c.operation == operation)
            rows = [dict(row) for row in connection.execute(query).mappings()]
            blocked = _blocked(rows, flying, now)
            if blocked and flying and _forget_the_dead(connection, mine):
                blocked = _blocked(rows, _flying(connection, mine), now)
            if blocked:
                return blocked
            identity = new_owner()
            values = {"id": identity, "scope": scope, "operation": operation, "until": now + PERMIT_SECONDS}
            connection.execute(sa.insert(permits).values(**values))
        return identity

    def observed(
        self, permit: str, scope: str, operation: str, told: Sequence[Window], retry_after: float | None
    ) -> None:
        """Give the permit back and keep what the answer told."""
        now = self.clock()
        with self.store.write(f"quota:{scope}:{operation}", durable=False) as connection:
            until = connection.execute(sa.select(permits.c.until).where(permits.c.id == permit)).scalar()
            issued = None if until is None else until - PERMIT_SECONDS
            connection.execute(sa.delete(permits).where(permits.c.id == permit))
            mine = (permits.c.scope == scope, permits.c.operation == operation)
            flying = _flying(connection, mine)
            here = (windows.c.scope == scope, windows.c.operation == operation)
            known = {row["name"]: dict(row) for row in connection.execute(sa.select(windows).where(*here)).mappings()}
            place = {"scope": scope, "operation": operation}
            for window in told:
                if window.left is not None:
                    values = _learnt(known.get(window.name), window, issued, flying, now)
                    put(connection, windows, {**place, "name": window.name}, values)
            unlimited = [window.name for window in told if window.limit is None and window.left is None]
            waited_out = sa.and_(windows.c.quota.is_(None), windows.c.resets_at <= now)
            connection.execute(sa.delete(windows).where(*here, sa.or_(windows.c.name.in_(unlimited), waited_out)))
            if retry_after is not None:
                name = next((name for name, length in SECONDS.items() if retry_after <= length), "day")
                values = {"left": 0, "resets_at": now + retry_after, "exact": True, "seen_at": now}
                values["quota"] = known[name]["quota"] if name in known else None
                put(connection, windows, {**place, "name": name}, values)

    def of(self, scope: str) -> list[dict[str, Any]]:
        """What is known of a team's windows, for people."""
        rows = self.store.rows(sa.select(windows).where(windows.c.scope == scope))
        return [
            {
                "operation": row["operation"],
                "window": row["name"],
                "limit": row["quota"],
                "left": row["left"],
                "resets_at": datetime.fromtimestamp(row["resets_at"], UTC).isoformat(),
            }
            for row in rows
        ]


def _flying(connection: sa.Connection, mine: Sequence[sa.ColumnElement[bool]]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(permits).where(*mine)).scalar() or 0


def _forget_the_dead(connection: sa.Connection, mine: Sequence[sa.ColumnElement[bool]]) -> int:
    """Give back the permits of processes that were killed; how many there were."""
    dead = [identity for identity in connection.scalars(sa.select(permits.c.id).where(*mine)) if is_dead(identity)]
    if dead:
        connection.execute(sa.delete(permits).where(permits.c.id.in_(dead)))
    return len(dead)


def _blocked(rows: Sequence[Mapping[str, Any]], flying: int, now: float) -> tuple[str, float] | None:
    """Never more in flight than is left; past a window's reset, or where the reset is only estimated and nothing
    is left, one request goes ahead to find out."""
    if flying >= CONCURRENCY:
        return "", now
    for row in sorted(rows, key=lambda row: -SECONDS[row["name"]]):
        over = now >= row["resets_at"]
        left = 1 if over or (row["left"] <= 0 and not row["exact"]) else row["left"]
        if flying >= left:
            return ("", now) if flying and left > 0 else (row["name"], row["resets_at"])
    return None


def _learnt(
    known: Mapping[str, Any] | None, told: Window, issued: float | None, flying: int, now: float
) -> dict[str, Any]:
    """Answers may arrive out of order: inside one window the smallest count holds. A higher count means that a new
    window was opened only when its request left (`issued`) after the smaller count was there."""
    left = told.left or 0
    if known is not None and now < known["resets_at"]:
        later = issued is not None and issued > known["seen_at"]
        if left <= known["left"] or not later:
            smaller = left < known["left"]
            return {
                "quota": told.limit,
                "left": min(left, known["left"]),
                "resets_at": known["resets_at"],
                "exact": known["exact"],
                "seen_at": now if smaller else known["seen_at"],
            }
    opened_now = told.limit is not None and left >= told.limit - 1 - flying
    resets_at = now + SECONDS[told.name]
    return {"quota": told.limit, "left": left, "resets_at": resets_at, "exact": opened_now, "seen_at": now}


def quota_error(window: str, resets_at: float) -> QuotaError:
    moment = datetime.fromtimestamp(resets_at, UTC)
    return QuotaError(
        f"The {window or 'request'} quota is used up until {moment:%Y-%m-%d %H:%M:%S} UTC.",
        window=window,
        resets_at=moment,
        hint="Run again after that time; a workflow waits by itself.",
    )


def random_share(seconds: float) -> float:
    """Jitter, so that waiting threads don't wake as one."""
    return secrets.randbelow(1000) / 1000 * seconds
