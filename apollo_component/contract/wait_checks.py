"""What a schema can't say of the ways to wait: names that must exist elsewhere. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from .located import PathParts

Found = Iterator[tuple[PathParts, str]]


def unasked(wait: Mapping[str, Any], fields: set[str] | None) -> Found:
    """The asked action must have the inputs that are filled."""
    for name in wait["input"]:
        if fields is not None and name not in fields:
            yield ("input", name), f"names no input field of {wait['action']}"


def unmerged(item: Mapping[str, Any], wait: Mapping[str, Any] | None) -> Found:
    """What comes later must have a place, unless an action waits for its own last answer."""
    if wait and "merge" not in wait and wait["action"] != item["id"]:
        yield ("wait",), "needs a merge: it asks another action, whose answer has no place here"
    if wait and "callback" in wait and "records" not in wait.get("merge", {}):
        yield ("wait",), "has a callback, so its merge needs records"


def waited_inputs(wait: Mapping[str, Any] | None) -> Iterator[tuple[PathParts, str]]:
    """The inputs of a waiting action that its way to wait names."""
    if wait:
        callback = wait.get("callback", {})
        named = (*wait.get("when", ()), callback.get("url"), callback.get("poll"))
        yield from ((("wait",), name) for name in named if name)
