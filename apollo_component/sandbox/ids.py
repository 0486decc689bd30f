"""Identifiers and secrets that look random and follow from the seed."""

import base64
import hashlib


def object_id(seed: int, kind: str, number: int) -> str:
    """The 24-hex id of one record: always the same for the same seed, kind and number."""
    return hashlib.sha1(f"{seed}/{kind}/{number}".encode(), usedforsecurity=False).hexdigest()[:24]


def secret(seed: int, name: str, length: int = 22) -> str:
    """A random-looking secret of letters and digits, always the same for the same seed and name."""
    digest = hashlib.sha512(f"sandbox/{seed}/{name}".encode()).digest()
    return base64.b64encode(digest, altchars=b"aZ").decode().rstrip("=")[:length]


def signed_int64(seed: int, number: int) -> int:
    """A request id of asynchronous enrichment: a signed 64-bit integer, negative half of the time."""
    digest = hashlib.sha256(f"{seed}/request/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def is_object_id(value: str) -> bool:
    """Whether the text is 24 hexadecimal characters."""
    return len(value) == 24 and all(letter in "0123456789abcdefABCDEF" for letter in value)
