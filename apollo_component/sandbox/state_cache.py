"""Answers worth keeping: things that follow from the seed alone, or from a version of the contacts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .state import State

T = TypeVar("T")
MOST = 100_000


def cached(state: "State", key: bytes, make: Callable[[], T]) -> T:
    """The value kept under the key, made on first use; a full cache starts over."""
    found: T | None = state.cache.get(key)
    if found is None:
        if len(state.cache) >= MOST:
            state.cache.clear()
        found = state.cache[key] = make()
    return found
