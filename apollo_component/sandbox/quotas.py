"""Rate limits: fixed windows per team and operation, opened by their first request."""

import math
from dataclasses import dataclass, field

from .clock import Clock
from .errors import throttled
from .operation import Operation

Limits = tuple[int | None, int | None, int | None]

# minute, hour, day; None is unlimited (Apollo's documentation of August 2026)
PLANS: dict[str, dict[str, Limits]] = {
    "free": {
        "default": (50, 200, 600), "enrichment": (50, 200, 600), "enrichment_bulk": (20, 100, 600),
        "search": (50, 200, 600), "sync_report": (200, 5, 6000), "conversations_export": (1, 20, 480),
    },
    "basic": {
        "default": (200, 400, 2000), "enrichment": (1000, None, None), "enrichment_bulk": (1000, None, None),
        "search": (200, 6000, 50000), "sync_report": (200, 5, 6000), "conversations_export": (1, 20, 480),
    },
}  # fmt: skip
PLANS["professional"] = PLANS["basic"]
PLANS["organization"] = {**PLANS["basic"], "default": (200, 600, 6000)}


@dataclass(frozen=True, slots=True)
class Span:
    """One kind of window and the words headers and texts use for it."""

    seconds: int
    word: str
    limit: str
    usage: str
    left: str


SPANS = (
    Span(60, "minute", "x-rate-limit-minute", "x-minute-usage", "x-minute-requests-left"),
    Span(3600, "hour", "x-rate-limit-hourly", "x-hourly-usage", "x-hourly-requests-left"),
    Span(86400, "day", "x-rate-limit-24-hour", "x-24-hour-usage", "x-24-hour-requests-left"),
)


@dataclass(slots=True)
class Window:
    """How many requests one open window has seen."""

    opened: float
    used: int = 0


@dataclass(slots=True)
class Quotas:
    """Counts requests and refuses those over the limit."""

    clock: Clock
    overrides: dict[str, Limits] = field(default_factory=dict)
    windows: dict[tuple[str, str, int], Window] = field(default_factory=dict)

    def limits(self, operation: Operation, plan: str) -> Limits:
        """The limits of one operation: set for it, set for its class, or those of the plan."""
        own = self.overrides.get(operation.id) or self.overrides.get(operation.quota_class)
        return own or PLANS[plan][operation.quota_class]

    def spend(self, team: str, plan: str, operation: Operation) -> list[tuple[str, str]]:
        """Counts one request and gives the nine headers; a refused request is not counted (unverified)."""
        now, limits = self.clock.now(), self.limits(operation, plan)
        open_windows = [self._window(team, operation.id, span, now) for span in SPANS]
        for span, window, limit in reversed(list(zip(SPANS, open_windows, limits, strict=True))):
            if limit is not None and window.used >= limit:
                wait = max(1, math.ceil(window.opened + span.seconds - now))
                raise throttled(operation.endpoint, limit, span.word, wait)
        for window in open_windows:
            window.used += 1
        return headers(open_windows, limits)

    def used(self, team: str, operation_id: str) -> dict[str, int]:
        """How many requests each open window of an operation has seen."""
        now = self.clock.now()
        found = {span.word: self.windows.get((team, operation_id, span.seconds)) for span in SPANS}
        return {
            span.word: window.used if (window := found[span.word]) and now < window.opened + span.seconds else 0
            for span in SPANS
        }

    def _window(self, team: str, operation_id: str, span: Span, now: float) -> Window:
        key = (team, operation_id, span.seconds)
        window = self.windows.get(key)
        if window is None or now >= window.opened + span.seconds:
            window = self.windows[key] = Window(now)
        return window


def key_of(operation: Operation) -> tuple[str, str]:
    """Controller and action of an operation; those that have no endpoint of a key get one like the others."""
    endpoint = operation.key_endpoint or f"api/v1{operation.path.replace('/{id}', '')}"
    if operation.key_endpoint is None and endpoint.endswith("/phone_calls"):
        endpoint += "/create" if operation.method == "POST" else "/update"
    controller, _, action = endpoint.rpartition("/")
    return controller, action


def headers(windows: list[Window], limits: Limits) -> list[tuple[str, str]]:
    """The rate headers: an unlimited window has an empty limit and no usage."""
    found: list[tuple[str, str]] = []
    for span, window, limit in zip(SPANS, windows, limits, strict=True):
        if limit is None:
            found.append((span.limit, ""))
            continue
        found.append((span.limit, str(limit)))
        found.append((span.usage, str(window.used)))
        found.append((span.left, str(max(0, limit - window.used))))
    return found
