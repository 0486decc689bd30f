"""One key: AES-256-GCM, each value bound to the very row and version it belongs to."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..contract.errors import StoreError
from .store import dumps

FORMAT = b"wh2"
_FIRST = b"wh1"
"""The first format bound the first four parts of a place alone. It is still opened; nothing is sealed in it."""
_FIRST_PARTS = 4
_NONCE = 12
_KEY = 32
_ID = 8
_HEADER = re.compile(rb"(wh[12])([0-9a-f]{8})", re.DOTALL)

Part = str | int
"""A place is a row's id, type, field and version, then whatever else decides where its secret goes."""


@dataclass(frozen=True, slots=True)
class Key:
    """Seals and opens values. `id` is safe to show; the key itself leaves it as the text of a key file only."""

    _bytes: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        return cls(secrets.token_bytes(_KEY))

    @classmethod
    def parsed(cls, text: str, where: str) -> Self:
        """From base64. Raises StoreError that names `where` and never shows the text."""
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY:
            raise StoreError(
                f"{where} is not a key: base64 of exactly 32 bytes is expected.", hint="Put the right key back."
            )
        return cls(key)

    def text(self) -> str:
        """What stands in a key file: base64 of the 32 bytes."""
        return base64.b64encode(self._bytes).decode()

    @property
    def id(self) -> str:
        return hashlib.sha256(b"workflow host key id\0" + self._bytes).hexdigest()[:_ID]

    @property
    def check_value(self) -> str:
        """Proves that a key is the one a database was made with."""
        return hmac.new(self._bytes, b"workflow host key check", hashlib.sha256).hexdigest()

    @property
    def header(self) -> bytes:
        """What every value begins with that this key seals."""
        return FORMAT + self.id.encode()

    def proves(self, check_value: str) -> bool:
        return hmac.compare_digest(check_value.encode(), self.check_value.encode())

    def seal(self, value: bytes, *place: Part) -> bytes:
        """Encrypt `value` for one place, such as (connection id, type, field, version, connector, app)."""
        nonce, header = secrets.token_bytes(_NONCE), self.header
        return header + nonce + AESGCM(self._bytes).encrypt(nonce, value, _bound(header, place))

    def open(self, sealed: bytes, *place: Part) -> bytes:
        """Raises StoreError when the value was tampered with, moved from another place, or is of another key."""
        header, rest = sealed[: len(FORMAT) + _ID], sealed[len(FORMAT) + _ID :]
        try:
            return AESGCM(self._bytes).decrypt(rest[:_NONCE], rest[_NONCE:], _bound(header, place))
        except (InvalidTag, ValueError):
            raise StoreError(
                "A stored secret was changed or moved from another record, so it is not used.",
                hint="Link the account again, and find out who can write to the database.",
            ) from None


def key_id_of(sealed: bytes) -> str:
    """The id of the key that a value names. Raises StoreError for what no key of ours begins with."""
    found = _HEADER.match(sealed)
    if found is None:
        raise StoreError("A stored secret has an unknown format.", hint="Link the account again.")
    return found[2].decode()


def _bound(header: bytes, place: tuple[Part, ...]) -> bytes:
    if header.startswith(_FIRST):
        return b"\0".join([header, *(str(part).encode() for part in place[:_FIRST_PARTS])])
    return header + dumps([str(part) for part in place]).encode()
