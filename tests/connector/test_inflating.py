"""Compressed bodies: read whole, in small pieces, or refused."""

import gzip

import pytest

from apollo_component.connector.inflating import PIECE, inflated
from apollo_component.contract.errors import UnreadableReplyError

BODY = b"0123456789" * 100_000
PACKED = gzip.compress(BODY)


def parts(data: bytes, size: int = 1000) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("name", ["gzip", "x-gzip", " GZIP "])
@pytest.mark.parametrize("size", [1, 1000, 10_000_000])
def test_a_compressed_body_comes_whole(name: str, size: int) -> None:
    """However it is cut, also with empty parts, and in no piece larger than the limit."""
    pieces = list(inflated([b"", *parts(PACKED, size), b""], name))
    assert b"".join(pieces) == BODY
    assert max(map(len, pieces)) <= PIECE


@pytest.mark.parametrize("name", ["", "identity", "Identity "])
def test_a_plain_body_stays_as_it_is(name: str) -> None:
    """Part by part, whatever it looks like."""
    assert list(inflated([PACKED, b"", b"x"], name)) == [PACKED, b"", b"x"]


def test_nothing_is_nothing() -> None:
    """An answer without a body may still say that it is compressed."""
    assert list(inflated([], "gzip")) == []
    assert b"".join(inflated([b"", b""], "gzip")) == b""


@pytest.mark.parametrize(
    "data",
    [
        [PACKED[:-1]],
        [PACKED[:20]],
        [PACKED[:20], b""],
        [PACKED, b"", b"x"],
        [PACKED + b"x"],
        [PACKED + PACKED],
        [b"no gzip"],
        [PACKED[:40] + b"??" + PACKED[42:]],
    ],
    ids=["last byte", "beginning", "then nothing", "part after it", "byte after it", "twice", "no gzip", "broken"],
)
def test_what_is_not_one_whole_body_is_refused(data: list[bytes]) -> None:
    """Cut off, broken or followed by more: an error says so, and what to do."""
    with pytest.raises(UnreadableReplyError) as caught:
        list(inflated(data, "gzip"))
    assert (caught.value.message, caught.value.hint) == ("The compressed answer is broken or cut off.", "Try again.")


@pytest.mark.parametrize("name", ["br", "deflate", "gzip, gzip", "zstd"])
def test_what_was_not_asked_for_is_refused(name: str) -> None:
    """Another way to compress, or one upon another."""
    with pytest.raises(UnreadableReplyError) as caught:
        list(inflated([PACKED], name))
    assert caught.value.message == "The answer is compressed in a way that was not asked for."
    assert caught.value.hint == "Check any proxy."
