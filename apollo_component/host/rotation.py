"""Changing the host's key while everything goes on.

The order of steps is such that a kill between any two, or inside one, leaves every secret readable and the rotation to
be taken up again: (1) the new key is in the key file, (2) the database names it current and the old one retiring,
(3) every secret is sealed anew, (4) the database retires the old key once nothing is left under it, (5) the old key
leaves the key file.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..contract.errors import InputError, StoreError
from .connections import Place, app_place, credential_place
from .key_files import OLD_VARIABLE, VARIABLE
from .leases import Leases
from .sealing import FORMAT, Key
from .store import Store, moment
from .tables import apps, connections, keys, leases
from .vault import CURRENT, RETIRED, RETIRING, Vault, register

BATCH = 500
"""So many rows are sealed anew in one transaction, which takes some milliseconds."""
PAUSE_SECONDS = 0.2
NAMED = 10
_MAKE = "Make a new one, such as with: openssl rand -base64 32"


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that is done, in words; while secrets are sealed anew also how many of how many."""

    step: str
    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with a sealed column `secret`, the place each secret is bound to, and what to call a row."""

    table: sa.Table
    place: Place
    named: Callable[[dict[str, Any]], str]


SEALED = (
    Sealed(connections, credential_place, lambda row: f"connection {row['name']!r}"),
    Sealed(apps, app_place, lambda row: f"app {row['name']!r}" if row["name"] else f"app {row['id']}"),
)


class Rotation:
    """`steps()` does the work, one committed step after another; whoever stops between two loses nothing."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        batch: int = BATCH,
    ) -> None:
        self.store, self.vault, self.source = store, vault, vault.source
        self.clock, self.sleep, self.batch = clock, sleep, batch
        self._leases = Leases(store, clock)

    def prepare(self) -> str:
        """Put a new key into the key file, to be used by the next rotation; its id. One that lies ready is taken.

        Raises InputError when the keys come from the environment.
        """
        if not self.source.is_file:
            raise InputError(
                f"The keys come from {VARIABLE}, so there is no key file to prepare.",
                hint=f"Make a key and give it to every machine, the present one in {OLD_VARIABLE}. {_MAKE}",
            )
        with self.store.write() as open_:
            return self._ready(_states(open_)).id

    def steps(self) -> Iterator[Progress]:
        """Finish the rotation that was begun before, or else begin one and finish it.

        Raises StoreError when secrets can't be opened, after all others were sealed anew, and when a key is missing.
        """
        begun = self._begin()
        if begun is not None:
            yield begun
            while True:
                yield from self._seal_anew()
                yield from self._await_refreshes()
                if retired := self._retire():
                    break
            yield retired
        if gone := self._clear_file():
            yield Progress("removed", f"Removed from the key file: {', '.join(gone)}.")

    def _begin(self) -> Progress | None:
        """One transaction that has the database to itself, so that two rotations can't each make a key."""
        with self.store.write() as open_:
            states = _states(open_)
            [current] = [identity for identity, state in states.items() if state == CURRENT]
            if RETIRING in states.values():
                return Progress("resumed", f"Going on with the rotation to key {current}.")
            if self._is_done(open_, current, states):
                return None
            self._refuse_second_database()
            new = self._ready(states)
            open_.execute(sa.update(keys).where(keys.c.id == current).values(state=RETIRING))
            register(open_, new)
        return Progress("began", f"The current key is {new.id} now; {current} is being replaced.")

    def _is_done(self, open_: sa.Connection, current: str, states: Mapping[str, str]) -> bool:
        """Whether there is no new key in sight and the last rotation is at most to be cleared away here."""
        held = self.source.read()
        if not self.source.is_file:
            return held[0].id == current
        return all(key.id in states for key in held) and bool(self._retired(open_))

    def _ready(self, states: Mapping[str, str]) -> Key:
        """The key to rotate to: the first one here that the database doesn't know, or one made now."""
        held = self.source.read()
        unknown = [key for key in held if key.id not in states]
        if self.source.is_file:
            if not unknown:
                unknown = [Key.new()]
                self.source.write([*held, *unknown])
            return unknown[0]
        if held[0].id in states:
            raise InputError(
                f"The keys come from {VARIABLE}, and the database knows that one already.",
                hint=f"Put a new key there and the present one into {OLD_VARIABLE}. {_MAKE}",
            )
        return held[0]

    def _refuse_second_database(self) -> None:
        """A key file serves one database: the key that leaves the file may be all that opens another one."""
        other = self.source.file.with_name("host.db")
        own = self.store.file is not None and self.store.file.resolve() == other.resolve()
        if self.source.is_file and not own and other.exists():
            raise InputError(
                f"The key file serves another database too: {other}.",
                hint="Give each database a home of its own with a copy of the key file, or remove that one.",
            )

    def _seal_anew(self) -> Iterator[Progress]:
        with self.store.read() as open_:
            header = FORMAT + _current_id(open_).encode()
            total = sum(open_.execute(_count(kind.table, header)).scalar_one() for kind in SEALED)
        done, broken = 0, []
        for kind in SEALED:
            for rows in self._batches(kind.table, header):
                broken += self._swap(kind, rows)
                done += len(rows)
                yield Progress("sealed", f"Sealed anew: {done:,} of {max(done, total):,}.", done, max(done, total))
        if broken:
            raise _unreadable(broken)

    def _batches(self, table: sa.Table, header: bytes) -> Iterator[list[dict[str, Any]]]:
        last = ""
        query = sa.select(table).where(_begins(table) != header).order_by(table.c.id).limit(self.batch)
        while rows := self.store.rows(query.where(table.c.id > last)):
            yield rows
            last = rows[-1]["id"]

    def _swap(self, kind: Sealed, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Compare and swap on version and secret, so that a refresh in between stays; names of what can't be opened."""
        opened, broken = [], []
        for row in rows:
            try:
                opened.append((row, self.vault.open(row["secret"], *kind.place(row))))
            except StoreError:
                broken.append(kind.named(row))
        if opened:
            with self.store.write("keys") as open_:
                key = self.vault.current(open_)
                open_.execute(
                    _swapping(kind.table),
                    [
                        {
                            "of": row["id"],
                            "at": row["version"],
                            "was": row["secret"],
                            "now": key.seal(text, *kind.place(row)),
                        }
                        for row, text in opened
                    ],
                )
        return broken

    def _await_refreshes(self) -> Iterator[Progress]:
        """A refresh that opened its token before the row was sealed anew may know the old key alone. Its new pair must
        still find that key, so the old one isn't retired under it."""
        seen, told = self._refreshes(), 0
        while left := len(seen & self._refreshes()):
            if left != told:
                yield Progress("waiting", f"Waiting for refreshes under way: {left}.", len(seen) - left, len(seen))
            told = left
            self.sleep(PAUSE_SECONDS)

    def _refreshes(self) -> set[tuple[str, int]]:
        query = sa.select(leases).where(leases.c.name.like("connection:%"), leases.c.owner != "")
        return {(row["name"], row["version"]) for row in self.store.rows(query) if self._leases.held(row["name"])}

    def _retire(self) -> Progress | None:
        """None while something is left under another key than the current one."""
        with self.store.write() as open_:
            current = _current_id(open_)
            if any(open_.execute(_count(kind.table, FORMAT + current.encode())).scalar_one() for kind in SEALED):
                return None
            old = [identity for identity, state in _states(open_).items() if state == RETIRING]
            values = {"state": RETIRED, "retired_at": self.clock()}
            open_.execute(sa.update(keys).where(keys.c.state == RETIRING).values(**values))
        return Progress("retired", f"Every secret is under key {current}; {', '.join(old)} is retired.")

    def _clear_file(self) -> list[str]:
        """Take the retired keys out of the key file; their ids. Not while anything is sealed with them."""
        if not self.source.is_file:
            return []
        with self.store.write() as open_:
            self.vault.current(open_)
            gone = self._retired(open_)
            if gone:
                self.source.write(key for key in self.source.read() if key not in gone)
        return [key.id for key in gone]

    def _retired(self, open_: sa.Connection) -> list[Key]:
        """The keys here that are retired and that nothing is sealed with."""
        states, used = _states(open_), _counts(open_)
        return [key for key in self.source.read() if states.get(key.id) == RETIRED and key.id not in used]


def listed(store: Store, vault: Vault) -> list[dict[str, Any]]:
    """Every key that the database, this host or a secret names, with its state and how many secrets it seals.

    `prepared`: here for the next rotation. `unknown`: nothing but secrets name it.
    """
    with store.read() as open_:
        rows = {row["id"]: dict(row) for row in open_.execute(sa.select(keys).order_by(keys.c.created_at)).mappings()}
        used = _counts(open_)
    here = {key.id for key in vault.source.read()}
    unnamed = sorted((here | set(used)) - set(rows))
    return [
        {
            "id": identity,
            "state": row["state"] if row else "prepared" if identity in here else "unknown",
            "here": identity in here,
            "secrets": used.get(identity, 0),
            **{name: _iso(row.get(name)) for name in ("created_at", "retired_at")},
        }
        for identity, row in [*rows.items(), *((identity, {}) for identity in unnamed)]
    ]


def _iso(value: float | None) -> str | None:
    at = moment(value)
    return at.isoformat() if at else None


def _states(open_: sa.Connection) -> dict[str, str]:
    return {row.id: row.state for row in open_.execute(sa.select(keys.c.id, keys.c.state))}


def _current_id(open_: sa.Connection) -> str:
    return str(open_.execute(sa.select(keys.c.id).where(keys.c.state == CURRENT)).scalar_one())


def _begins(table: sa.Table) -> sa.ColumnElement[bytes]:
    """The format and key id that a secret names."""
    return sa.func.substr(table.c.secret, 1, len(FORMAT) + 8, type_=sa.LargeBinary)


def _count(table: sa.Table, header: bytes) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(table).where(_begins(table) != header)


def _counts(open_: sa.Connection) -> dict[str, int]:
    """How many secrets name each key."""
    found: dict[str, int] = {}
    for kind in SEALED:
        begins = _begins(kind.table)
        for begin, count in open_.execute(sa.select(begins, sa.func.count()).group_by(begins)):
            identity = bytes(begin)[len(FORMAT) :].decode("ascii", "replace")
            found[identity] = found.get(identity, 0) + count
    return found


def _swapping(table: sa.Table) -> sa.Update:
    same = (table.c.id == sa.bindparam("of"), table.c.version == sa.bindparam("at"))
    return sa.update(table).where(*same, table.c.secret == sa.bindparam("was")).values(secret=sa.bindparam("now"))


def _unreadable(names: Sequence[str]) -> StoreError:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return StoreError(
        f"The old key stays, since some secrets can't be opened: {', '.join(sorted(names)[:NAMED])}{rest}.",
        hint="Put their key back or link them again (or remove them); then run `keys rotate` again to end it.",
    )
