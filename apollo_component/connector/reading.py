"""JSON from outside, within limits: what is read here can be walked, stored and written again. Pure."""

from typing import Any

import orjson

DEPTH = 200
"""Levels of lists and objects."""
_WRITABLE = 254
"""Levels that `orjson` writes; what lies between is room for whatever a value is stored or shown in."""


class UnreadableError(ValueError):
    """The bytes are no JSON, or are nested deeper than `DEPTH`."""


def loaded(body: bytes) -> Any:
    """The value. Raises UnreadableError."""
    try:
        value = orjson.loads(body)
        if body.count(b"[") + body.count(b"{") > DEPTH:
            orjson.dumps(_wrapped(value, _WRITABLE - DEPTH))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise UnreadableError from None
    return value


def _wrapped(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value
