"""Secrets at rest: AES-256-GCM under the host's key, each bound to the very row and version it belongs to."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..contract.errors import StoreError
from .settings import Settings
from .store import Store
from .tables import keys

FORMAT = b"wh1"
KEY_FILE = "host.key"
_NONCE = 12
_ID = 8


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens values. The key never leaves it; `key_id` is safe to show."""

    _key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"workflow host key id\0" + self._key).hexdigest()[:_ID]

    @property
    def check_value(self) -> str:
        """Proves that a key is the one a database was made with."""
        return hmac.new(self._key, b"workflow host key check", hashlib.sha256).hexdigest()

    def seal(self, value: bytes, *place: str | int) -> bytes:
        """Encrypt `value` for one place, such as (connection id, type, field, version)."""
        nonce = secrets.token_bytes(_NONCE)
        header = FORMAT + self.key_id.encode()
        return header + nonce + AESGCM(self._key).encrypt(nonce, value, _bound(header, place))

    def open(self, sealed: bytes, *place: str | int) -> bytes:
        """Raises StoreError when the value was tampered with, moved from another row or sealed by another key."""
        header, rest = sealed[: len(FORMAT) + _ID], sealed[len(FORMAT) + _ID :]
        key_id = header[len(FORMAT) :].decode("ascii", "replace")
        if not header.startswith(FORMAT):
            raise StoreError("A stored secret has an unknown format.", hint="Link the account again.")
        if key_id != self.key_id:
            raise StoreError(
                f"A stored secret was sealed with key {key_id}, but the host's key is {self.key_id}.",
                hint="Put the right key back (WORKFLOW_HOST_KEY or the key file).",
            )
        try:
            return AESGCM(self._key).decrypt(rest[:_NONCE], rest[_NONCE:], _bound(header, place))
        except (InvalidTag, ValueError):
            raise StoreError(
                "A stored secret was changed or moved from another record, so it is not used.",
                hint="Link the account again, and find out who can write to the database.",
            ) from None


def _bound(header: bytes, place: tuple[str | int, ...]) -> bytes:
    return b"\0".join([header, *(str(part).encode() for part in place)])


def open_vault(settings: Settings, store: Store) -> Vault:
    """The vault of a database. Makes a key only when the database has none yet.

    Raises StoreError when the key is lost, malformed, or not the one the database was made with.
    """
    known = {row["id"]: row["check_value"] for row in store.rows(sa.select(keys))}
    key = _key_from(settings)
    if key is None and known:
        raise StoreError(
            f"The host's key is missing: the database was made with key {', '.join(known)}, "
            f"and there is none in WORKFLOW_HOST_KEY or in {settings.home / KEY_FILE}.",
            hint="Put the key back from your backup. Without it every account must be linked again in a new home.",
        )
    vault = Vault(key if key is not None else _make_key(settings.home / KEY_FILE))
    known = known or _registered(vault, store)
    if not hmac.compare_digest(known.get(vault.key_id, ""), vault.check_value):
        raise StoreError(
            f"The host's key is {vault.key_id}, but the database was made with key {', '.join(known)}.",
            hint="Put the right key back (WORKFLOW_HOST_KEY or the key file), or choose another WORKFLOW_HOST_HOME.",
        )
    return vault


def _registered(vault: Vault, store: Store) -> dict[str, str]:
    """Note the key's id and check value, once; of two processes that start together one wins."""
    with store.write() as connection:
        found = connection.execute(sa.select(keys.c.id, keys.c.check_value)).all()
        if not found:
            values = {"id": vault.key_id, "check_value": vault.check_value, "created_at": time.time()}
            connection.execute(sa.insert(keys).values(**values))
    return {row.id: row.check_value for row in found} or {vault.key_id: vault.check_value}


def _key_from(settings: Settings) -> bytes | None:
    if settings.key:
        return _decoded(settings.key, "WORKFLOW_HOST_KEY")
    file = settings.home / KEY_FILE
    try:
        return _decoded(file.read_text("ascii"), str(file))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise StoreError(f"The key file {file} can't be read.", hint="Check its owner and mode (0600).") from None


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise StoreError(
            f"{where} is not a key: base64 of exactly 32 bytes is expected.", hint="Put the right key back."
        )
    return key


def _make_key(file: Path) -> bytes:
    """A new key, owner-only, complete before it has its name; a key that another process just made is taken."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_bytes(32)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as output:
        output.write(base64.b64encode(key) + b"\n")
        output.flush()
        os.fsync(output.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        return _decoded(file.read_text("ascii"), str(file))
    finally:
        draft.unlink()
    return key
