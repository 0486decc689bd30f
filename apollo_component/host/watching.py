"""Tells the log of every request that a connector makes: seen from where its hooks are called, whoever calls them."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..contract.errors import ConnectorError, PendingError
from ..contract.hookspecs import Context
from ..contract.models import Page, Reply, Window
from .events import LogEvent
from .logs import bound, listening, log

Arguments = Mapping[str, Any]
_ASKED = ("action", "trigger", "source")
_ID = re.compile(r"[A-Za-z0-9._:=/+-]{1,100}\Z")


def watched(connector: str, hook: str, arguments: Arguments, call: Callable[[Arguments], Any]) -> Any:
    """What `call` gives for the arguments, told to the log; without anybody who listens, just that."""
    if not listening():
        return call(arguments)
    asked = next((arguments[name] for name in _ASKED if name in arguments), None)
    with bound(connector=connector, **({"action": asked} if asked else {})):
        if hook == "connector_refresh":
            return _refreshed(lambda: call(arguments))
        context: Context | None = arguments.get("context")
        if context is None:
            return call(arguments)
        watch = _Watch(context)
        return watch.over(lambda: call({**arguments, "context": watch}))


def _refreshed(call: Callable[[], Any]) -> Any:
    begun = time.monotonic()
    try:
        found = call()
    except ConnectorError as error:
        log(LogEvent.REFRESH_FAILED, error=error.code, request_id=shown_id(error.request_id), ms=_ms(begun))
        raise
    log(LogEvent.REFRESH_DONE, ms=_ms(begun))
    return found


class _Watch:
    """The contract's Context around another one. One hook may make several requests; each has an id of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._request, self._begun = "", 0.0
        self._answer: dict[str, Any] = {}
        self._played_back = False

    @property
    def deadline(self) -> datetime:
        return self._context.deadline

    def now(self) -> datetime:
        return self._context.now()

    def permit(self, operation: str, quota_class: str) -> None:
        self._context.permit(operation, quota_class)
        self._request, self._begun, self._answer = secrets.token_hex(6), time.monotonic(), {}
        log(LogEvent.REQUEST_SENT, request=self._request)

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        left = {window.name: window.left for window in windows if window.left is not None}
        self._answer = {"ms": _ms(self._begun), "left": left}
        self._context.observed(operation, windows, retry_after)

    def sending(self) -> Reply | None:
        recorded = self._context.sending()
        self._played_back = recorded is not None
        return recorded

    def received(self, reply: Reply) -> None:
        self._answer |= {"status": reply.status, "request_id": shown_id(reply.request_id)}
        self._context.received(reply)

    def over(self, call: Callable[[], Any]) -> Any:
        """The call, and a line for how its last request ended; none for an answer that was played back."""
        try:
            found = call()
        except ConnectorError as error:
            if not self._played_back:
                log(self._event_for(error), request=self._request, error=error.code, **self._answer)
            raise
        if "status" in self._answer:
            log(LogEvent.REQUEST_ANSWERED, request=self._request, **self._answer, credits=_spent(found))
        return found

    def _event_for(self, error: ConnectorError) -> LogEvent:
        if not self._request:
            return LogEvent.REQUEST_HELD
        if isinstance(error, PendingError):
            return LogEvent.REQUEST_ANSWERED
        return LogEvent.REQUEST_REFUSED if self._answer.get("status", 0) >= 400 else LogEvent.REQUEST_FAILED


def shown_id(told: str) -> str:
    """A service's request id as far as it looks like one: what else a header may hold isn't written."""
    return told if _ID.match(told) else ""


def _spent(found: Any) -> float | None:
    return found.spent or None if isinstance(found, Page) else None


def _ms(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
