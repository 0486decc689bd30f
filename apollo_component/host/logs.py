"""Structured logs: JSON lines with ids, codes, counts and times; never inputs, records, headers, addresses or texts.

`log(LogEvent.RUN_CHANGED, run=..., to=...)` is all that a call site needs. As a library nothing is configured here: the
loggers are `workflow_host.AREA` and a program that wants them adds its own handler, with `JsonLines` or any other.
"""

import io
import json
import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..contract.errors import InputError, Problem
from .events import FIELDS, LogEvent

NAME = "workflow_host"
FILE, LEVEL = "WORKFLOW_HOST_LOG", "WORKFLOW_HOST_LOG_LEVEL"
LEVELS = ("debug", "info", "warning", "error")
LONGEST = 200
"""Characters of a value."""
_root = logging.getLogger(NAME)
_root.addHandler(logging.NullHandler())
_loggers = {event: logging.getLogger(f"{NAME}.{event.value.name.partition('.')[0]}") for event in LogEvent}
_bound: ContextVar[Mapping[str, Any]] = ContextVar("workflow_host_log", default=MappingProxyType({}))


class Line:
    """A log record's message: the event and its fields, in the order of FIELDS. Unknown fields are left out."""

    __slots__ = ("event", "fields")

    def __init__(self, event: str, fields: Mapping[str, Any]) -> None:
        self.event = event
        self.fields = {name: told for name in FIELDS if (told := _told(fields.get(name))) is not None}

    def __str__(self) -> str:
        """For handlers other than ours: one line, control characters escaped."""
        return " ".join([self.event, *(f"{name}={json.dumps(value)}" for name, value in self.fields.items())])


def log(event: LogEvent, **fields: Any) -> None:
    """Write an event with the ids of what this thread is at, if anybody listens."""
    kind, logger = event.value, _loggers[event]
    if logger.isEnabledFor(kind.level):
        line = Line(kind.name, {**_bound.get(), **fields})
        logger.handle(logging.LogRecord(logger.name, kind.level, "", 0, line, (), None))


def listening() -> bool:
    """Whether anybody hears of requests; where nobody does, nothing is measured."""
    logger: logging.Logger | None = _loggers[LogEvent.REQUEST_SENT]
    while logger:
        if any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Inside, every line of this thread has these fields."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def bind(**fields: Any) -> None:
    """More fields until the `bound` around this ends."""
    _bound.set({**_bound.get(), **fields})


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII: whatever could break a line or steer a terminal is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line = record.msg if isinstance(record.msg, Line) else Line("other", {})
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        named = {"time": time, "level": record.levelname.lower(), "event": line.event}
        return json.dumps({**named, **line.fields}, separators=(",", ":"))


@contextmanager
def written(environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Inside, lines go where WORKFLOW_HOST_LOG says: a file, or `-` for stderr. Raises InputError."""
    level, handler = _level(environ), _handler(environ.get(FILE, ""))
    if handler is None:
        yield
        return
    handler.setFormatter(JsonLines())
    before = _root.level
    _root.addHandler(handler)
    _root.setLevel(level)
    try:
        yield
    finally:
        _root.setLevel(before)
        _root.removeHandler(handler)
        handler.close()


class _Quiet:
    """What can't be written is left out: it is said once on stderr, and the work goes on."""

    said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  # logging's word
        if not self.said:
            self.said = True
            print("The log can't be written; its lines are lost.", file=sys.__stderr__)


class _File(_Quiet, logging.handlers.WatchedFileHandler):
    """Opened anew when it was moved away, so that any tool may rotate it; a new file is its owner's alone."""

    def _open(self) -> io.TextIOWrapper:
        """Without a buffer: a line is written in one piece or not at all, and one that failed is not tried again."""
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return io.TextIOWrapper(io.FileIO(handle, "a"), encoding="ascii", write_through=True)


class _Stream(_Quiet, logging.StreamHandler[Any]):
    pass


def _handler(wanted: str) -> logging.Handler | None:
    if not wanted:
        return None
    if wanted == "-":
        return _Stream(sys.stderr)
    try:
        return _File(Path(wanted).expanduser(), encoding="ascii")
    except OSError:
        raise _unusable("must be a file that can be written, in a folder that exists, or - for stderr", FILE) from None


def _level(environ: Mapping[str, str]) -> int:
    chosen = environ.get(LEVEL, "").lower() or "info"
    if chosen not in LEVELS:
        raise _unusable(f"must be one of {', '.join(LEVELS)}", LEVEL)
    return logging.getLevelNamesMapping()[chosen.upper()]


def _unusable(text: str, variable: str) -> InputError:
    return InputError("The log can't be written; nothing was done.", [Problem(text, path=variable)])


def _told(value: Any) -> Any:
    """Plain values only, and counts by name; anything else is left out."""
    if isinstance(value, str):
        return str(value)[:LONGEST] or None
    if isinstance(value, Mapping):
        return {str(name)[:LONGEST]: count for name, count in value.items() if isinstance(count, int | float)} or None
    return value if isinstance(value, bool | int | float) else None
