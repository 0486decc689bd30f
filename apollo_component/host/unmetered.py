"""The context of the few free calls that link and test a connection."""

import time
from datetime import datetime, timedelta

from ..contract.models import Reply, Window


class Unmetered:
    """A context for the few free calls that belong to linking and testing, not to a run."""

    def __init__(self, start: datetime, seconds: float = 30) -> None:
        self.deadline = start + timedelta(seconds=seconds)
        self._start, self._begun = start, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._begun)

    def permit(self, operation: str, quota_class: str) -> None:
        pass

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        pass

    def sending(self) -> Reply | None:
        return None

    def received(self, reply: Reply) -> None:
        pass
