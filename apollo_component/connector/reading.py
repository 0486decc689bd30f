"""JSON from outside, within limits: what is read here can be walked, stored and written again. Pure."""

from typing import Any

import orjson

DEPTH = 254
"""Levels of lists and objects; the writer of `orjson` goes no deeper, and Python's own reader not much."""


class UnreadableError(ValueError):
    """The bytes are no JSON, or are nested deeper than `DEPTH`."""


def loaded(body: bytes) -> Any:
    """The value. Raises UnreadableError."""
    try:
        value = orjson.loads(body)
        if body.count(b"[") + body.count(b"{") > DEPTH:
            orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise UnreadableError from None
    return value
