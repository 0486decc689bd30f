"""Actions made of others: find a record by its natural key, create it when there is none, change what differs.

Each part is an ordinary call with a journal row of its own, so the promises about repeats hold. A create is named after
the natural key, too: whichever item of a run has made a record, the others use what it got, found by a search or not.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..contract.actions import Action, Compose, NaturalKey
from ..contract.errors import InputError, Problem, RejectedError
from ..contract.models import Miss, Page
from ..contract.schemas import Schemas, schemas_at
from .journal import Key
from .plans import unique

if TYPE_CHECKING:
    from .calls import Call, Caller

FIND_PAGES = 60
"""Pages of a search that are looked through for one natural key: a workspace of 5,000 records and some more, should
the service ignore what it was asked and give all."""
OUTCOME = "outcome"
"""The key of the result record that tells what happened: found, created, updated or unchanged."""
_LOCKS = [threading.Lock() for _ in range(256)]
"""Items with the same natural key wait for each other; others rarely do."""


def most_requests(compose: Compose) -> int:
    """How many requests one run of the action makes at most, repeats not counted: what is created isn't updated, unless
    creating only told that the record was there."""
    return (FIND_PAGES if compose.find else 0) + 1 + bool(compose.update and compose.existed)


def composed_page(caller: "Caller", call: "Call", compose: Compose) -> Page:
    """The record with its outcome. Raises RejectedError when several records have the natural key, InputError when
    the input has none, and whatever a part raises."""
    work = _Work(caller, call, compose)
    with _LOCKS[int(work.digest, 16) % len(_LOCKS)]:
        return work.page()


@dataclass(frozen=True)
class _Work:
    caller: "Caller"
    call: "Call"
    compose: Compose
    way: NaturalKey = field(init=False)
    digest: str = field(init=False)
    actions: Mapping[str, Action] = field(init=False)
    schemas: Schemas = field(init=False)

    def __post_init__(self) -> None:
        connection = self.caller.connections.get(self.call.connection)
        manifest = self.caller.registry.manifest(connection.connector)
        object.__setattr__(self, "actions", manifest.actions)
        object.__setattr__(self, "schemas", schemas_at(manifest.root))
        object.__setattr__(self, "way", self._chosen())
        object.__setattr__(self, "digest", _digest(connection.id, self.compose.create, self._key()))

    def _chosen(self) -> NaturalKey:
        found = next((way for way in self.compose.by if way.given(self.call.input)), None)
        if found is None:
            ways = ", or ".join(" with ".join(way.match.values()) for way in self.compose.by)
            raise InputError("The input was refused; nothing was sent.", [Problem(f"needs {ways} to find it by")])
        return found

    def _key(self) -> list[Any]:
        return sorted((name, plain(self.call.input[given])) for name, given in self.way.match.items())

    def page(self) -> Page:
        """What this run made before goes before a search: a new record may not be found yet."""
        made = self._made("create")
        if made is not None:
            return self._created(made)
        found = list(unique(self._found(), "id"))
        if len(found) > 1:
            ids = ", ".join(str(record.get("id")) for record in found[:10])
            raise RejectedError(
                f"{len(found)} records have this natural key, so none was chosen: {ids}.",
                hint="Merge them, or use the id of the right one with the updating action.",
            )
        return self._known(found[0], fresh=True) if found else self._created(self._own("create"))

    def _created(self, key: Key) -> Page:
        page = self._part(self.compose.create, self._creating(), key)
        record = next((item for item in page.records if isinstance(item, Mapping)), None)
        if record is None:
            return self._missed(page)
        mine, existed = key == self._own("create"), self.compose.existed and record.get(self.compose.existed)
        if existed and not self._fits(record):
            raise RejectedError(
                f"The service takes {record.get('id')} for the same record, though its natural key is another.",
                hint="Look at it; then update it by its id, or create another one with the creating action.",
            )
        if existed or not mine:
            return self._known(record, fresh=mine)
        return _told(record, "created", page.warnings, page.misses)

    def _missed(self, page: Page) -> Page:
        """A part answered without the record: it is a named miss, whatever else the answer holds."""
        name = next((str(self.call.input[given]) for given in self.way.match.values()), "")
        warnings = page.warnings or ("1 missed: the answer has no record, so nothing was changed as far as it tells",)
        return Page(total=0, warnings=warnings, asked=1, missing=0, misses=page.misses or (Miss(name),))

    def _creating(self) -> dict[str, Any]:
        """What the creating part is asked. Where another item has asked, its answer counts, not this."""
        values = dict(self.call.input)
        return {**({self.compose.list: [values]} if self.compose.list else values), **self.compose.with_}

    def _known(self, record: Mapping[str, Any], *, fresh: bool) -> Page:
        """A record that was there. `fresh` tells whether it shows what is stored now."""
        if not self.compose.update:
            return _told(record, "found")
        allowed = {*self.schemas.fields(self.actions[self.compose.update].input)} - {self.compose.id}
        other = {
            name: value
            for name, value in self.call.input.items()
            if value is not None and name not in self.way.match.values()
        }
        differing = {name: value for name, value in other.items() if not same(value, record.get(name, _MISSING))}
        trusted = fresh and self._made("update") is None
        changes = {name: value for name, value in (differing if trusted else other).items() if name in allowed}
        kept = [name for name in differing if name not in allowed]
        warnings = (f"{', '.join(kept)} can't be changed by an update and stayed as before",) if kept else ()
        if not changes:
            return _told(record, "unchanged", warnings)
        page = self._part(self.compose.update, {self.compose.id: record.get("id"), **changes}, self._own("update"))
        now = page.value if isinstance(page.value, Mapping) else {}
        return _told({**record, **now}, "updated", (*warnings, *page.warnings), page.misses)

    def _found(self) -> Iterator[Mapping[str, Any]]:
        """Every record with the natural key. Raises RejectedError when there are too many to look through."""
        if self.compose.find is None or self.way.input is None:
            return
        asked = {name: " ".join(str(self.call.input[each]) for each in given) for name, given in self.way.input.items()}
        cursor: str | None = None
        for number in range(FIND_PAGES):
            page = self._part(self.compose.find, asked, self._item(f"find{number}"), cursor)
            yield from (record for record in page.records if isinstance(record, Mapping) and self._fits(record))
            cursor = page.next_cursor
            if cursor is None and (page.ceiling is None or (page.total or 0) <= page.ceiling):
                return
            if cursor is None:
                break
        raise RejectedError(
            f"The search found {page.total or 'too many'} candidates, more than are looked through.",
            hint="Give a surer natural key, or the id with the updating action.",
        )

    def _fits(self, record: Mapping[str, Any]) -> bool:
        return all(plain(record.get(there)) == plain(self.call.input[here]) for there, here in self.way.match.items())

    def _part(self, action: str, values: Mapping[str, Any], key: Key, cursor: str | None = None) -> Page:
        from .calls import Call

        call = self.call
        return self.caller.page(
            Call(
                key,
                call.connection,
                self.actions[action],
                values,
                cursor,
                call.lease,
                call.on_unknown,
                party=call.party,
            )
        )

    def _item(self, part: str) -> Key:
        return Key(self.call.key.run, self.call.key.step, f"{self.call.key.item}:{part}")

    def _own(self, part: str) -> Key:
        return self._item(f"{part}:{self.digest}")

    def _made(self, part: str) -> Key | None:
        """The request of this run that created (or changed) the record with this natural key, whichever item's."""
        return self.caller.journal.of_run(self.call.key.run, f":{part}:{self.digest}")


def _told(
    record: Mapping[str, Any], outcome: str, warnings: tuple[str, ...] = (), misses: tuple[Miss, ...] = ()
) -> Page:
    value = {**record, OUTCOME: outcome}
    return Page(records=[value], value=value, total=1, warnings=warnings, asked=1, misses=misses)


def _digest(connection: str, action: str, key: list[Any]) -> str:
    """The natural key in a journal's item: 80 bits are enough within a run."""
    text = json.dumps([connection, action, key], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


_MISSING = object()


def plain(value: Any) -> Any:
    """A value for comparison: case and outer spaces of a text don't count."""
    return value.strip().casefold() if isinstance(value, str) else value


def same(given: Any, kept: Any) -> bool:
    """Whether a record already has what was given; a field that isn't shown counts as different."""
    if kept is _MISSING:
        return False
    if isinstance(given, Mapping):
        return isinstance(kept, Mapping) and all(same(value, kept.get(name, _MISSING)) for name, value in given.items())
    if isinstance(given, list | bool) or isinstance(kept, list | bool | Mapping):
        return bool(given == kept)
    if given in (None, "") or kept in (None, ""):
        return (given or None) == (kept or None)
    if isinstance(given, str) != isinstance(kept, str):
        return _number(given) == _number(kept)
    return bool(given == kept) or _is_day_of(str(given), str(kept))


def _number(value: Any) -> float | None:
    """Services answer some numbers as text and take others as text."""
    try:
        return float(value)
    except ValueError:
        return None


def _is_day_of(day: str, moment: str) -> bool:
    """A date that was given equals the same day at midnight, as services answer dates."""
    return len(day) == 10 and moment.startswith(f"{day}T00:00:00")
