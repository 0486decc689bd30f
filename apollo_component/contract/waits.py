"""How a result that comes after its answer is waited for: what to ask, what the answers mean, where it goes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .digging import dig, number, sentence


class Standing(StrEnum):
    """How late work stands."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Merge:
    """Where a late result goes. With `records`, each record of that list goes into the record of the same `key`;
    without it the whole result goes into the only record.

    `fields` are taken over. `fill` maps a field that is empty afterwards to the `list.key` whose first item fills it.
    """

    fields: tuple[str, ...]
    records: str | None = None
    key: str = "id"
    fill: Mapping[str, str] = field(default_factory=dict)

    def parts(self, result: Any) -> Iterator[Mapping[str, Any]]:
        """The late records that have a key."""
        found = dig(result, self.records) if self.records else None
        for part in found if isinstance(found, list) else ():
            if isinstance(part, Mapping) and part.get(self.key) is not None:
                yield part

    def into(self, records: Sequence[Any], result: Any) -> list[Any]:
        """The records with what came late, in their order; one that nothing came for stays as it is."""
        if self.records is None:
            return [self._one(record, result) for record in records]
        late = {str(part[self.key]): part for part in self.parts(result)}
        return [self._one(record, late.get(self._identity(record))) for record in records]

    def ids(self, records: Sequence[Any]) -> tuple[str, ...]:
        """What a result may be about; empty when records aren't told apart."""
        if self.records is None:
            return ()
        return tuple(dict.fromkeys(identity for record in records if (identity := self._identity(record))))

    def _identity(self, record: Any) -> str:
        value = record.get(self.key) if isinstance(record, Mapping) else None
        return "" if value is None else str(value)

    def _one(self, record: Any, late: Any) -> Any:
        if not isinstance(record, Mapping) or not isinstance(late, Mapping):
            return record
        merged = dict(record) | {name: late[name] for name in self.fields if late.get(name) is not None}
        for name, path in self.fill.items():
            source, _, own = path.partition(".")
            if merged.get(name) in (None, "") and (found := _first(late.get(source), own)) is not None:
                merged[name] = found
        return merged


def _first(items: Any, key: str) -> Any:
    return dig(items[0], key) if isinstance(items, list) and items else None


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How a result can be delivered: the input `url` names the address, `trigger` is what its delivery is parsed as.

    `poll` is the flag that asks for polling instead; it is set when no address is given.
    """

    url: str
    trigger: str
    poll: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """How the result of an action that comes after its answer is waited for.

    `action` is asked with `input` (its fields to dotted keys of the first answer) every `every` seconds until
    `timeout` seconds after the first request. An action that waits for itself gives its last answer as the result.
    """

    action: str
    input: Mapping[str, str]
    every: float
    timeout: float
    when: tuple[str, ...] = ()
    """Flags of the input of which one must be true for something to come; none = always."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Keys of the first answer; when those that are there all have their value, nothing will come."""
    status: str | None = None
    working: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reason: str | None = None
    retry_after: str | None = None
    pending: tuple[str, ...] = ()
    """Codes of errors that mean "not yet", beside `pending`."""
    failure: str = "warning"
    """What a failed result is: `warning` (the record stays as it came) or `error`."""
    result: str | None = None
    """The key of a poll's answer that holds what a callback would bring; None = the whole answer."""
    merge: Merge | None = None
    spent: str | None = None
    """The key of the result that tells its credits."""
    later: str = ""
    callback: CallbackRule | None = None

    def expected(self, values: Mapping[str, Any]) -> bool:
        """Whether this input makes something come later."""
        return not self.when or any(values.get(flag) is True for flag in self.when)

    def comes_to_nothing(self, answer: Any) -> bool:
        told = {key: found for key in self.skipped if (found := dig(answer, key)) is not None}
        return bool(told) and all(found == self.skipped[key] for key, found in told.items())

    def standing(self, answer: Any) -> Standing:
        """What an answer to the waiting says. One that names a time to ask again is still being worked on."""
        status = str(dig(answer, self.status)) if self.status else ""
        if status in self.failed:
            return Standing.FAILED
        waits = self.pause(answer) is not None or status in self.working
        return Standing.WORKING if waits else Standing.DONE

    def pause(self, answer: Any) -> float | None:
        """Seconds until one should ask again, None when the answer doesn't say."""
        return number(dig(answer, self.retry_after)) if self.retry_after else None

    def why(self, answer: Any) -> str:
        """What a failed answer says of the reason, as one line."""
        return sentence(dig(answer, self.reason)) if self.reason else ""

    def part(self, answer: Any) -> Any:
        return dig(answer, self.result) if self.result else answer

    def credits(self, result: Any) -> float | None:
        """What the late part cost, None when it doesn't say."""
        found = number(dig(result, self.spent)) if self.spent else None
        return None if found is None else max(0.0, found)


def wait_from(item: Mapping[str, Any]) -> Wait:
    plain = dict(item)
    merge, callback = plain.pop("merge", None), plain.pop("callback", None)
    lists = {name: tuple(plain.pop(name, ())) for name in ("when", "working", "failed", "pending")}
    return Wait(
        **plain | lists,
        merge=Merge(**dict(merge) | {"fields": tuple(merge["fields"])}) if merge else None,
        callback=CallbackRule(**callback) if callback else None,
    )
