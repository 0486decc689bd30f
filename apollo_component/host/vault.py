"""Secrets at rest: the keys of this host together with what the database says of each.

The database alone says which key is current. So a new key can lie ready on every machine before it is used, and every
process seals with the same one from the moment the database names it.
"""

import time
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

import sqlalchemy as sa

from ..contract.errors import StoreError
from .key_files import VARIABLE, KeySource
from .sealing import Key, Part, key_id_of
from .settings import Settings
from .store import Store, moment
from .tables import keys

CURRENT, RETIRING, RETIRED = "current", "retiring", "retired"
"""Seals; still opens and is being replaced; opens nothing any more, and is remembered for its name alone."""
STATES_SECONDS = 10.0
"""How long a key that was here before may go on opening after it was retired, until this process looks again."""
_RIGHT_KEY = "Put the right key back (WORKFLOW_HOST_KEY or the key file)"


class Vault:
    """Seals under the current key and opens under any key that this host has and that isn't retired."""

    def __init__(self, store: Store, source: KeySource, held: Iterable[Key] = ()) -> None:
        self.store, self.source = store, source
        self._held = {key.id: key for key in held}
        self._look_at = monotonic() + STATES_SECONDS

    @property
    def key_id(self) -> str:
        """The id of the current key, as the database has it now."""
        return str(self.store.rows(sa.select(keys.c.id).where(keys.c.state == CURRENT))[0]["id"])

    def open(self, sealed: bytes, *place: Part) -> bytes:
        """A key that came into use while this process ran is found in the key file. A retired one isn't, even if it is
        still there, and one that was retired while this process ran is forgotten, so that no old copy of a row comes
        back.

        Raises StoreError when the value was tampered with, moved from another row, or its key isn't here.
        """
        identity = key_id_of(sealed)
        self._forget_retired()
        key = self._held.get(identity)
        if key is None:
            row = self.store.row(sa.select(keys).where(keys.c.id == identity))
            if row and row["state"] == RETIRED:
                raise _outdated(identity, row["retired_at"])
            key = self._learnt(identity)
        if key is None:
            raise StoreError(
                f"A stored secret was sealed with key {identity}, but here is only {_names(self._held)}.",
                hint=f"{_RIGHT_KEY}.",
            )
        return key.open(sealed, *place)

    def _forget_retired(self) -> None:
        if monotonic() >= self._look_at:
            retired = {row["id"] for row in self.store.rows(sa.select(keys.c.id).where(keys.c.state == RETIRED))}
            self._held = {identity: key for identity, key in self._held.items() if identity not in retired}
            self._look_at = monotonic() + STATES_SECONDS

    def _learnt(self, identity: str) -> Key | None:
        """A key that this process hasn't met yet, from where it reads its keys."""
        if identity not in self._held:
            found = {key.id: key for key in self.source.read() if key.id == identity}
            self._held = {**self._held, **found}
        return self._held.get(identity)

    def current(self, connection: sa.Connection) -> Key:
        """The current key inside a transaction, before whose end nobody can retire it. Raises StoreError when it is not
        here."""
        row = self._rows(connection, CURRENT)[0]
        key = self._learnt(row["id"])
        if key is None:
            raise StoreError(
                f"New secrets are sealed with key {row['id']}, but here is only {_names(self._held)}.",
                hint=f"{_RIGHT_KEY}.",
            )
        if not key.proves(row["check_value"]):
            raise _unproved(key)
        return key

    def to_seal(self, connection: sa.Connection) -> Key:
        """The current key, or one that is being replaced while only that is here: new tokens must not be lost for want
        of a key, and the rotation looks at the row again."""
        try:
            return self.current(connection)
        except StoreError:
            for row in self._rows(connection, RETIRING):
                key = self._held.get(row["id"])
                if key is not None and key.proves(row["check_value"]):
                    return key
            raise

    def _rows(self, connection: sa.Connection, state: str) -> Sequence[sa.RowMapping]:
        return connection.execute(sa.select(keys).where(keys.c.state == state)).mappings().all()


def _outdated(identity: str, retired_at: float | None) -> StoreError:
    day = moment(retired_at)
    when = f" on {day:%Y-%m-%d}" if day else ""
    return StoreError(
        f"A stored secret is older than the last change of keys: its key {identity} was retired{when}.",
        hint="It was put back from an old copy. Link the account again, and find out who did that.",
    )


def _unproved(key: Key) -> StoreError:
    return StoreError(
        f"The database's check value of key {key.id} is not that of the key with this name here.",
        hint="Put the database back from your backup, and find out who can write to it.",
    )


def open_vault(settings: Settings, store: Store) -> Vault:
    """The vault of a database. Makes a key only when the database has none yet.

    Raises StoreError when the current key is lost, malformed, or not the one that the database names.
    """
    source = KeySource(settings)
    known = _current(store)
    held = source.read()
    if not held and known:
        raise StoreError(
            f"The host's key is missing: the database was made with key {_names(known)}, "
            f"and there is none in {VARIABLE} or in {source.file}.",
            hint="Put the key back from your backup. Without it every account must be linked again in a new home.",
        )
    held = held or [source.create()]
    known = known or _registered(held[0], store)
    named = [key for key in held if key.id in known]
    if not named:
        raise StoreError(
            f"The host's key is {_names(key.id for key in held)}, but the database's is {_names(known)}.",
            hint=f"{_RIGHT_KEY}, or choose another WORKFLOW_HOST_HOME.",
        )
    if not named[0].proves(known[named[0].id]):
        raise _unproved(named[0])
    return Vault(store, source, named)


def _current(store: Store) -> dict[str, str]:
    rows = store.rows(sa.select(keys.c.id, keys.c.check_value).where(keys.c.state == CURRENT))
    return {row["id"]: row["check_value"] for row in rows}


def _registered(key: Key, store: Store) -> dict[str, str]:
    """Note the first key's id and check value, once; of two processes that start together one wins."""
    with store.write() as connection:
        found = connection.execute(sa.select(keys.c.id, keys.c.check_value)).all()
        if not found:
            register(connection, key)
    return {row.id: row.check_value for row in found} or {key.id: key.check_value}


def register(connection: sa.Connection, key: Key) -> None:
    """From the end of this transaction on, `key` is the current one."""
    values: dict[str, Any] = {"id": key.id, "check_value": key.check_value, "created_at": time.time()}
    connection.execute(sa.insert(keys).values(**values, state=CURRENT))


def _names(ids: Iterable[str]) -> str:
    return ", ".join(ids)
