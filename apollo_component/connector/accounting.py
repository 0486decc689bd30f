"""What an answer accounts for: every item that was asked for is a record, null or a named miss. Pure.

Services answer 200 and drop, reorder or skip items, and put what failed beside the records. Answers are put back to
their questions by the keys that the manifest declares; where no key tells, that is said and nothing is guessed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ..contract.actions import Accounting, Action, ItemKey
from ..contract.digging import count, dig, sentence, whole
from ..contract.models import Miss, Page

NAMED = 10
"""How many items a warning names; the misses of a page name them all."""
UNTOLD = "not in the answer, and nothing tells which of the list it is"
_SCHEME = re.compile(r"^(https?://)?(www\.)?|/+$")
_REASONS = ("reason", "message", "error_message", "error", "errors", "error_code", "code", "status")


@dataclass(frozen=True, slots=True)
class _Told:
    """A failure that an answer tells: of which items (their numbers), how it names them, and why."""

    numbers: tuple[int, ...]
    text: str
    reason: str
    under: str
    """The key of the answer that tells it."""


def accounted(
    action: Action, values: Mapping[str, Any], answer: Any, page: Page, failures: Mapping[str, Sequence[str]]
) -> Page:
    """The page with its records put back to what was asked, and a named miss for each item that is not among them.

    Work that goes on in the background accounts for nothing yet.
    """
    rule = action.accounts_for
    if rule is None or (action.job and dig(answer, action.job.id) is not None):
        return page
    items = _Items(rule, rule.given(values))
    left_out = list(_failures(answer, failures.get("left_out", ()), items))
    errors = list(_failures(answer, failures.get("errors", ()), items))
    if not rule.items:
        page = _single(items, page, values, (*left_out, *errors))
    elif rule.in_place:
        page = _in_place(items, page, (*left_out, *errors), values)
    else:
        page = _listed(items, page, left_out, errors, sentence(dig(answer, "message")))
    parts = (*_beside(rule, values, answer), *_unkept(items, page.records, failures))
    page = replace(page, misses=(*page.misses, *parts))
    return replace(page, warnings=(*page.warnings, *_uncounted(rule, answer, page), *_sentences(page.misses)))


def names_failures(answer: Any, failures: Mapping[str, Sequence[str]]) -> bool:
    """Whether an answer names items that it leaves out, or what is wrong with them."""
    patterns = [*failures.get("left_out", ()), *failures.get("errors", ())]
    named = (name for name, value in answer.items() if value) if isinstance(answer, Mapping) else ()
    return any(fnmatchcase(name, pattern) for name in named for pattern in patterns)


class _Items:
    """The asked items by their keys."""

    def __init__(self, rule: Accounting, given: Sequence[Any]) -> None:
        self.rule = rule
        once = not rule.in_place and all(isinstance(item, str) for item in given)
        self.all = list(dict.fromkeys(given)) if once else list(given)
        self._numbers: list[dict[str, list[int]]] = [{} for _ in rule.keys]
        for number, item in enumerate(self.all):
            for place, key in enumerate(rule.keys):
                if text := _asked(item, key):
                    self._numbers[place].setdefault(text, []).append(number)

    def __len__(self) -> int:
        return len(self.all)

    def named(self, number: int) -> str:
        """How a person knows the item: by its first key, else by the first text in it, else by its place."""
        item = self.all[number]
        keys = (_text(item, key.item) for key in self.rule.keys)
        texts = (value for value in item.values() if isinstance(value, str)) if isinstance(item, Mapping) else ()
        return next((text for text in (*keys, *texts) if text), f"item {number + 1}")

    def answered_by(self, record: Any) -> tuple[int, ...]:
        """The items that a record answers: one, or several that ask the same. Empty where no key of its own tells."""
        for place, key in enumerate(self.rule.keys):
            for text in _shown(record, key):
                numbers = self._numbers[place].get(text, [])
                same = all(self.all[number] == self.all[numbers[0]] for number in numbers)
                fitting = [number for number in numbers if not self._contradicts(number, record)]
                if fitting and same:
                    return tuple(fitting)
        return ()

    def _contradicts(self, number: int, record: Any) -> bool:
        """Whether the surest key says that the record is another thing."""
        key = self.rule.keys[0]
        asked, shown = _asked(self.all[number], key), _shown(record, key)
        return bool(asked and shown and asked not in shown)

    def could_be(self, number: int, record: Any) -> bool:
        """Whether no key can tell if the record answers the item."""
        return not any(_asked(self.all[number], key) and _shown(record, key) for key in self.rule.keys)

    def called(self, texts: Iterable[Any]) -> tuple[int, ...]:
        """The items that have one of these texts as a key."""
        for text in map(_plain, texts):
            for numbers in self._numbers:
                if found := numbers.get(text):
                    return tuple(found)
        return ()


def _text(item: Any, name: str) -> str:
    """What stands in a field of an item; the parts of a joined name with a space between."""
    if name == ".":
        return str(item) if isinstance(item, str | int) else ""
    parts = [dig(item, part) for part in name.split()]
    return " ".join(map(str, parts)) if all(part not in (None, "") for part in parts) else ""


def _asked(item: Any, key: ItemKey) -> str:
    return _plain(_text(item, key.item))


def _shown(record: Any, key: ItemKey) -> list[str]:
    """What a record shows under a key, in every field that counts."""
    found = (dig(record, name) for name in key.record)
    every = (each for value in found for each in (value if isinstance(value, list) else [value]))
    return [text for each in every if isinstance(each, str | int) and (text := _plain(each))]


def _plain(value: Any) -> str:
    """For comparison: case, outer spaces, the scheme, `www.` and the last slash of an address don't count."""
    return _SCHEME.sub("", str(value).strip().casefold())


def _in_place(items: _Items, page: Page, told: Sequence[_Told], values: Mapping[str, Any]) -> Page:
    """One entry for each item, in the order of the list. Where that can't be done, the records as they came."""
    answers = [(record, items.answered_by(record)) for record in page.records if record is not None]
    placed, loose = _placed(items, page.records, answers)
    if loose:
        text = "the answer isn't in the order of the list, and nothing tells which item some of its records answer"
        lost = len(items) - len(answers)
        misses = tuple(Miss("", UNTOLD) for _ in range(max(0, lost)))
        records = [record for record, _ in answers]
        warnings = (*page.warnings, f"{text}; they come as the service gave them")
        return replace(page, records=records, warnings=warnings, asked=len(items), missing=0, misses=misses)
    reasons = {number: entry for entry in told for number in entry.numbers}
    misses = tuple(
        Miss(items.named(number), entry.reason, "" if placed[number] is None else entry.under)
        for number, entry in sorted(reasons.items())
    )
    low = _below(items, placed, values)
    kept = [None if number in low else record for number, record in enumerate(placed)]
    misses += tuple(Miss(items.named(number), reason) for number, reason in low.items())
    lost = sum(record is None for record in kept) - sum(not miss.field for miss in misses)
    return replace(page, records=kept, asked=len(items), missing=lost, misses=misses)


def _placed(
    items: _Items, records: Sequence[Any], answers: Sequence[tuple[Any, tuple[int, ...]]]
) -> tuple[list[Any], list[Any]]:
    """The entries in the order of the list, and the records that no key puts there."""
    if len(records) == len(items):
        found = iter(numbers for _, numbers in answers)
        kept = [record is None or _fits(next(found), place) for place, record in enumerate(records)]
        if all(kept):
            return list(records), []
    placed: list[Any] = [None] * len(items)
    loose = []
    for record, numbers in answers:
        free = [number for number in numbers if placed[number] is None]
        for number in free:
            placed[number] = record
        if not free and not any(_same(items, record, placed[number]) for number in numbers):
            loose.append(record)
    return placed, loose


def _same(items: _Items, one: Any, other: Any) -> bool:
    """Whether two records are one thing: an item that is asked twice may be answered twice."""
    shown = _shown(one, items.rule.keys[0])
    return shown == _shown(other, items.rule.keys[0]) if shown else one == other


def _fits(numbers: tuple[int, ...], place: int) -> bool:
    return not numbers or place in numbers


def _below(items: _Items, placed: Sequence[Any], values: Mapping[str, Any]) -> dict[int, str]:
    """The entries that are worth less than what was asked for, each with what it is worth."""
    least = items.rule.minimum
    if least is None:
        return {}
    return {
        number: f"{least.field} is {sentence(record.get(least.field) or least.untold)}, below {values[least.input]}"
        for number, record in enumerate(placed)
        if isinstance(record, Mapping) and not least.keeps(record, values.get(least.input))
    }


def _single(items: _Items, page: Page, values: Mapping[str, Any], told: Sequence[_Told]) -> Page:
    """The one thing that was asked for: there, or not found."""
    name = items.named(0) if items.rule.keys else ""
    misses = tuple(Miss(name, entry.reason, entry.text or entry.under) for entry in told if page.records)
    low = _below(items, page.records, values)
    if low:
        misses = (*misses, Miss(name, low[0]))
        return replace(page, records=[], value=None, asked=1, missing=0, misses=misses)
    return replace(page, asked=1, missing=0 if page.records else 1, misses=misses)


def _listed(items: _Items, page: Page, left_out: Sequence[_Told], errors: Sequence[_Told], said: str) -> Page:
    """The records that were taken, and a miss for each item that wasn't. An answer to a write has no order to keep.
    `said` is the answer's own sentence, the reason where it gives no record and no other."""
    refused = {number for entry in left_out for number in entry.numbers}
    records, answered, extra = [], set[int](), []
    for record in page.records:
        numbers = items.answered_by(record)
        if numbers and refused.issuperset(numbers):
            continue
        records.append(record)
        answered.update(numbers)
        if not numbers:
            extra.append(record)
    answered -= refused
    told: dict[int, _Told] = {}
    for entry in (*left_out, *errors):
        for number in entry.numbers:
            told[number] = told[number] if number in told and told[number].reason else entry
    lost = [number for number in range(len(items)) if number not in answered and number not in told]
    standing = sum(any(items.could_be(number, record) for number in lost) for record in extra)
    reasons = {number: entry.reason for number, entry in told.items() if number not in answered}
    reasons |= dict.fromkeys(lost, "" if records else said) if not standing else {}
    misses = [Miss(items.named(number), reason) for number, reason in sorted(reasons.items())]
    misses += [Miss("", UNTOLD) for _ in range(max(0, len(lost) - standing) if standing else 0)]
    misses += [
        Miss(items.named(number), entry.reason, entry.under) for number, entry in told.items() if number in answered
    ]
    misses += [Miss(entry.text, entry.reason, entry.under) for entry in (*left_out, *errors) if not entry.numbers]
    unasked, asked = len(extra) - standing, len(items) or None
    notes = (f"{unasked} of the answer's records were not asked for",) if unasked and asked else ()
    warnings = (*page.warnings, *notes)
    return replace(page, records=records, asked=asked, missing=0, misses=tuple(misses), warnings=warnings)


def _failures(answer: Any, patterns: Sequence[str], items: _Items) -> Iterator[_Told]:
    for name, value in answer.items() if isinstance(answer, Mapping) else ():
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        if isinstance(value, Mapping):
            yield from (
                _Told(items.called([key]) or _numbered(key, items), sentence(key), _reason(told), name)
                for key, told in value.items()
            )
        elif isinstance(value, list):
            yield from (_entry(entry, name, items) for entry in value)
        elif isinstance(value, str) and value:
            yield _Told((), "", sentence(value), name)


def _entry(entry: Any, under: str, items: _Items) -> _Told:
    if not isinstance(entry, Mapping):
        text = sentence(entry)
        numbers = items.called([entry]) if isinstance(entry, str | int) else ()
        return _Told(numbers, text, "", under) if numbers else _Told((), "", text, under)
    names = [value for key, value in entry.items() if isinstance(value, str | int) and key not in _REASONS]
    numbers = items.called(names) or _numbered(entry.get("index"), items)
    return _Told(numbers, sentence(names[0]) if names else "", _reason(entry), under)


def _numbered(value: Any, items: _Items) -> tuple[int, ...]:
    """The item of that number, counted from 0."""
    number = whole(value) if items.rule.items and not isinstance(value, bool) else None
    return (number,) if number is not None and 0 <= number < len(items) else ()


def _reason(told: Any) -> str:
    """Why, in the service's words."""
    if isinstance(told, Mapping):
        return next((text for name in _REASONS if (text := _reason(told.get(name)))), "")
    if isinstance(told, list):
        return "; ".join(text for each in told if (text := _reason(each)))
    return sentence(told)


def _unkept(items: _Items, records: Sequence[Any], failures: Mapping[str, Sequence[str]]) -> Iterator[Miss]:
    """Parts of maps, such as custom fields, that a record tells an error of or doesn't show."""
    rule = items.rule
    if not rule.maps:
        return
    for record in (record for record in records if isinstance(record, Mapping)):
        numbers = items.answered_by(record) if rule.items else (0,)
        name = items.named(numbers[0]) if numbers and rule.keys else sentence(record.get("id"))
        told = {entry.text or entry.under: entry for entry in _failures(record, failures.get("errors", ()), _NOTHING)}
        yield from (Miss(name, entry.reason, text) for text, entry in told.items())
        for number in numbers:
            for field in rule.maps:
                sent, shown = dig(items.all[number], field), record.get(field)
                if isinstance(sent, Mapping) and isinstance(shown, Mapping):
                    lost = (key for key, value in sent.items() if value is not None and key not in {*shown, *told})
                    yield from (Miss(name, "", f"{field}.{key}") for key in lost)


_NOTHING = _Items(Accounting(), [])


def _beside(rule: Accounting, values: Mapping[str, Any], answer: Any) -> Iterator[Miss]:
    """What was named beside the items and isn't in the answer's list of it."""
    for name, path in rule.beside.items():
        found, asked = dig(answer, path), values.get(name)
        if isinstance(found, list) and isinstance(asked, list):
            there = {str(dig(each, "id")) for each in found}
            yield from (Miss(str(each), "", name) for each in asked if str(each) not in there)


def _uncounted(rule: Accounting, answer: Any, page: Page) -> Iterator[str]:
    """What the service counts as left out, where that is more than what is missing."""
    told = count(dig(answer, rule.counted)) if rule.counted else None
    missing = page.not_found + page.missed
    if told is not None and told > missing:
        yield f"the service says that {told} were not found; {missing} are missing in its answer"


def _sentences(misses: Sequence[Miss]) -> Iterator[str]:
    """The misses in words: those of one reason together."""
    whole_items = [miss for miss in misses if not miss.field]
    for reason in sorted({miss.reason for miss in whole_items}):
        names = [miss.item for miss in whole_items if miss.reason == reason]
        known = [name for name in names if name]
        more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
        which = f" ({', '.join(known[:NAMED])}{more})" if known else ""
        yield f"{len(names)} missed: {reason or 'no reason given'}{which}"
    parts = Counter((miss.field, miss.reason) for miss in misses if miss.field)
    for (field, reason), number in parts.items():
        times = f" in {number} records" if number > 1 else ""
        yield f"{field} was not taken{times}: {reason or 'no reason given'}"
