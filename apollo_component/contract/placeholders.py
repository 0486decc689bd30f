"""Texts that a service gives in place of what it doesn't tell: they stand for nothing. Pure.

A manifest lists them under `placeholders`. Case and outer white space don't count.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .located import PathParts


def told(answer: Any, body: bytes, placeholders: Sequence[str]) -> Any:
    """What an answer tells: itself without placeholders. Only one whose `body` may hold any is copied."""
    lower = body.lower() if placeholders else b""
    held = b"\\u" in lower or any(text.casefold().encode() in lower for text in placeholders)
    return cleared(answer, placeholders) if placeholders and held else answer


def cleared(value: Any, placeholders: Sequence[str]) -> Any:
    """A copy in which every placeholder is null, and is dropped where it stands in a list."""
    if isinstance(value, Mapping):
        return {name: cleared(inner, placeholders) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleared(item, placeholders) for item in value if not _is_one(item, placeholders)]
    return None if _is_one(value, placeholders) else value


def places(value: Any, placeholders: Sequence[str], at: PathParts = ()) -> Iterator[PathParts]:
    """Where in a value placeholders stand."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from places(inner, placeholders, (*at, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, placeholders, (*at, number))
    elif _is_one(value, placeholders):
        yield at


def _is_one(value: Any, placeholders: Sequence[str]) -> bool:
    return isinstance(value, str) and value.strip().casefold() in map(str.casefold, placeholders)
