"""Bodies as they come over the wire, decompressed within a limit: a few bytes must not become gigabytes. Pure."""

import zlib
from collections.abc import Iterable, Iterator

from ..contract.errors import UnreadableReplyError

PLAIN = ("", "identity")
GZIP = ("gzip", "x-gzip")
PIECE = 256 * 1024
"""Bytes that are decompressed at a time."""
_AUTOMATIC = zlib.MAX_WBITS | 16


def inflated(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body in pieces of at most `PIECE` bytes, so that who reads can stop at any size.

    `encoding` is the Content-Encoding header. Only gzip is asked for, so only gzip, once, is understood; chains of
    encodings multiply. Raises UnreadableReplyError for another, and for data that is broken, cut off or followed by
    more.
    """
    name = encoding.strip().lower()
    if name in PLAIN:
        yield from parts
    elif name in GZIP:
        yield from _unzipped(parts)
    else:
        raise UnreadableReplyError("The answer is compressed in a way that was not asked for.", hint="Check any proxy.")


def _unzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    machine, begun = zlib.decompressobj(_AUTOMATIC), False
    try:
        for part in parts:
            if part and machine.eof:
                raise _broken()
            begun = begun or bool(part)
            rest = part
            while rest and not machine.eof:
                yield machine.decompress(rest, PIECE)
                rest = machine.unconsumed_tail
    except zlib.error:
        raise _broken() from None
    if begun and (not machine.eof or machine.unused_data):
        raise _broken()


def _broken() -> UnreadableReplyError:
    return UnreadableReplyError("The compressed answer is broken or cut off.", hint="Try again.")
