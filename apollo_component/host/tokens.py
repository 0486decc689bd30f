"""Random tokens that let somebody in: only their hashes are kept, and they are found by these."""

import hashlib


def hashed(token: str) -> str:
    """SHA-256 in hex; fit for random tokens only, not for passwords."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
