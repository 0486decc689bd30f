"""Records as a table that people can read: their simple fields as columns, the most telling first. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 12
DEPTH = 3
SAMPLE = 200
"""Records by which columns are judged."""
LONG = 80
_TELLING = (
    "name",
    "title",
    "label",
    "email",
    "subject",
    "status",
    "stage",
    "amount",
    "domain",
    "city",
    "country",
    "due_at",
)
_DULL = re.compile(r"(^|[._])(id|ids|uid|key|token|hash|url|photo\w*|logo\w*|image\w*)$|_(id|ids|url|uid|key)$")
_ID = re.compile(r"[0-9a-f]{24,}\Z|[0-9a-f-]{36}\Z")

_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|[+-]00:?00)?\Z")
"""A time in GMT, which is shown by the minute."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    number: bool

    @property
    def title(self) -> str:
        return self.name.replace(".", ": ").replace("_", " ").strip().capitalize()


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is cut where it is long; `whole` is it all."""

    text: str
    whole: str = ""

    @property
    def long(self) -> bool:
        return len(self.text) > LONG // 2


@dataclass(frozen=True, slots=True)
class Sheet:
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    others: tuple[Column, ...] = ()
    """Columns that could be shown, too."""


def sheet(records: Sequence[Any], chosen: Iterable[str] = (), sample: Sequence[Any] | None = None) -> Sheet:
    """`chosen` names columns; without them the most telling ones of `sample` (else the records) are shown."""
    flat = [dict(_flat(record)) for record in records]
    seen = flat if sample is None else [dict(_flat(record)) for record in sample[:SAMPLE]]
    ranked = _ranked(seen)
    wanted = [name for name in chosen if name in ranked] or ranked[:COLUMNS]
    columns = tuple(_column(name, seen) for name in wanted)
    rows = tuple(tuple(_cell(record.get(column.name)) for column in columns) for record in flat)
    return Sheet(columns, rows, tuple(_column(name, seen) for name in ranked if name not in wanted))


def facts(value: Any) -> list[tuple[str, Cell]]:
    """One record, field by field."""
    return [(Column(name, False).title, _cell(found)) for name, found in _flat(value) if found is not None]


def _flat(value: Any, above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Simple values by dotted name; lists of simple values are one, other lists are left to the JSON."""
    if not isinstance(value, Mapping):
        yield above or "value", value
        return
    for key, found in value.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(found, Mapping):
            yield from _flat(found, name, depth + 1) if depth < DEPTH else ()
        elif not isinstance(found, list):
            yield name, found
        elif found and not any(isinstance(item, Mapping | list) for item in found):
            yield name, ", ".join(_text(item) for item in found)


def _ranked(records: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for record in records for name in record)
    return sorted(names, key=lambda name: -_worth(name, [record.get(name) for record in records]))


def _worth(name: str, values: Sequence[Any]) -> float:
    """What often has a value, and different ones, tells most; ids, addresses and long texts tell least."""
    given = [_text(value) for value in values if value not in (None, "")]
    if not given:
        return -2
    last = name.rpartition(".")[2]
    worth = len(given) / len(values) + 0.5 * (len(set(given)) / len(given)) - 0.3 * name.count(".")
    worth += 0.8 * any(last == word or last.endswith(f"_{word}") for word in _TELLING) + 0.4 * (last == "name")
    worth -= 1.2 * bool(_DULL.search(last) or _ID.match(given[0]))
    worth -= 0.5 * (max(map(len, given)) > LONG) + 0.4 * all(text in ("yes", "no") for text in given)
    return worth - 0.5 * (len(given) > 1 and len(set(given)) == 1)


def _column(name: str, records: Sequence[Mapping[str, Any]]) -> Column:
    values = [record.get(name) for record in records]
    return Column(name, any(map(_is_number, values)) and all(value is None or _is_number(value) for value in values))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return _MOMENT.sub(r"\1 \2", text)


def _cell(value: Any) -> Cell:
    text = _text(value)
    return Cell(text) if len(text) <= LONG else Cell(f"{text[:LONG]}…", text)
