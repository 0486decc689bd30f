"""What a person or a program reads: results on stdout, everything else on stderr, and the exit code of an error."""

import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.errors import ConnectorError

STOPPED = 130
"""The exit code after Ctrl-C, as shells expect it."""
DEBUG = "APOLLO_COMPONENT_DEBUG"
_STEERING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Output:
    """With `as_json` every line is one JSON object, on either stream."""

    as_json: bool

    def say(self, text: str) -> None:
        """A notice, a warning or progress, on stderr."""
        self._aside({"notice": text}, text)

    def warn(self, text: str) -> None:
        self._aside({"warning": text}, f"Warning: {text}")

    def facts(self, data: Mapping[str, Any], text: str) -> None:
        """Something that belongs beside the result, such as a summary."""
        self._aside(data, text)

    def result(self, data: Any, people: Callable[[], None]) -> None:
        """The result: one line of JSON, or what `people` prints."""
        if self.as_json:
            line(data)
        else:
            people()
        sys.stdout.flush()

    def failure(self, error: BaseException) -> int:
        """Tell what went wrong, without any value that was handled; the exit code for it."""
        if isinstance(error, BrokenPipeError):
            _hush()
            return 0
        found, code = _told(error)
        self._aside({"error": found}, f"Error: {_sentence(error, found)}")
        if os.environ.get(DEBUG) == "1":
            traceback.print_exception(error)
        return code

    def _aside(self, data: Any, text: str) -> None:
        print(_dumped(data) if self.as_json else told(text), file=sys.stderr, flush=True)


def line(data: Any) -> None:
    """One line of JSON on stdout."""
    print(_dumped(data))


def pretty(data: Any) -> None:
    print(_escaped(json.dumps(data, ensure_ascii=False, indent=2)))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """A table for people; `empty` is said instead when there are no rows."""
    found = [[plain(cell) for cell in row] for row in rows]
    if not found and empty:
        print(empty)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        drawn.add_column(plain(name), overflow="fold")
    for row in found:
        drawn.add_row(*row)
    width = None if sys.stdout.isatty() else 160
    Console(markup=False, emoji=False, highlight=False, width=width, file=sys.stdout).print(drawn)


def plain(cell: Any) -> str:
    """A cell as text without anything that could steer a terminal."""
    text = "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)
    return "".join(char if char.isprintable() else " " for char in text)


def told(text: str) -> str:
    """The same for text of several lines."""
    return text if text.isprintable() else "\n".join(map(plain, text.split("\n")))


def interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _told(error: BaseException) -> tuple[dict[str, Any], int]:
    if isinstance(error, ConnectorError):
        return error.as_dict(), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return {"code": "stopped", "message": "Stopped."}, STOPPED
    message = f"Something unexpected happened ({type(error).__name__})."
    return {"code": "bug", "message": message, "hint": f"Please report it. {DEBUG}=1 shows where it happened."}, 1


def _sentence(error: BaseException, found: Mapping[str, Any]) -> str:
    text = str(error) if isinstance(error, ConnectorError) else found["message"]
    extra = [found.get("hint", ""), f"Request id: {found['request_id']}" if "request_id" in found else ""]
    return "\n".join([text, *(part for part in extra if part)])


def _hush() -> None:
    """The reader has gone: nothing more is written, and leaving must not complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dumped(data: Any) -> str:
    return _escaped(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _escaped(text: str) -> str:
    """JSON leaves characters as they are that steer a terminal or turn text round; they are escaped, too."""
    return (
        text if text.isascii() and "\x7f" not in text else _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    )
