"""How a search that is too large for one query is cut into parts that aren't, by the values of its list filters. Pure.

Which fields can cut a search is told by its input schema: a list marked `x-split`, any of whose values may fit.
"""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..contract.actions import Action
from ..contract.errors import InputError, Problem
from ..contract.manifest import Manifest
from ..contract.models import Page
from ..contract.schemas import Schemas

MARK = "x-split"
MAX_FIELDS = 3
MAX_PARTS = 1000
"""Parts at most: each is asked for its total first, and the page that tells it is kept until its turn."""
PAGES = 100_000
"""Room for the pages of one part in the order of the whole; more than any ceiling has."""


@dataclass(frozen=True, slots=True)
class Field:
    """A list filter and the values that cut the search; `fixed` ones are the schema's own and may be shown."""

    name: str
    values: tuple[Any, ...] = field(repr=False)
    fixed: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One query of a split search. `places` are the numbers of its values; `total` is None until it was told; one that
    is `cut` gave its first page only, the rest comes from its parts."""

    input: Mapping[str, Any] = field(repr=False)
    places: tuple[int, ...] = ()
    label: str = "the search"
    total: int | None = None
    cut: bool = False

    @property
    def item(self) -> str:
        """Its name in a journal: `s2.0` is the first part of the third."""
        return "s" + ".".join(str(place) for place in self.places)

    @property
    def rank(self) -> int:
        """Where its records stand in the order of the whole: before those of later parts, after its parent's."""
        padded = (*(place + 1 for place in self.places), *(0,) * MAX_FIELDS)[:MAX_FIELDS]
        number = 0
        for place in padded:
            number = number * (MAX_PARTS + 1) + place
        return number * PAGES

    def by(self, chosen: Field) -> Iterator["Part"]:
        for place, value in enumerate(chosen.values):
            label = f"{chosen.name} {f'= {value}' if chosen.fixed else f'number {place + 1}'}"
            above = f"{self.label}, " if self.places else ""
            yield Part({**self.input, chosen.name: [value]}, (*self.places, place), above + label)


@dataclass(frozen=True, slots=True)
class Cut:
    """The parts that hold records, in order, and what the person must hear before the first of them."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def vocabularies(schemas: Schemas, action: Action) -> dict[str, tuple[Any, ...]]:
    """The fields that can cut an action's search, each with its fixed values; empty: the input has to give them."""
    if not action.ceiling or not action.reply.total:
        return {}
    marked = {name: found for name, found in schemas.fields(action.input).items() if found.get(MARK)}
    return {name: _vocabulary(found) for name, found in marked.items()}


def _vocabulary(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    own = schema[MARK]
    return tuple(own if isinstance(own, list) else schema.get("items", {}).get("enum", ()))


def chosen_fields(
    manifest: Manifest, schemas: Schemas, action: Action, names: Sequence[str], values: Mapping[str, Any]
) -> tuple[Field, ...]:
    """The fields a search is to be cut by, with their values. Raises InputError naming what can be used instead."""
    problems = [Problem(text, path="split_by") for text in refusals(manifest, schemas, action, names, values)]
    if problems:
        raise InputError("The search can't be split like that; nothing was sent.", problems)
    known = vocabularies(schemas, action)
    return tuple(_field(name, values.get(name), known[name]) for name in names)


def _field(name: str, given: Sequence[Any] | None, known: tuple[Any, ...]) -> Field:
    return Field(name, tuple(dict.fromkeys(given or known)), fixed=not given)


def refusals(
    manifest: Manifest, schemas: Schemas, action: Action, names: Sequence[str], values: Mapping[str, Any]
) -> Iterator[str]:
    """Why a search can't be split by these fields, each reason a sentence without a subject."""
    known = vocabularies(schemas, action)
    if not known:
        others = (item.id for item in manifest.actions.values() if vocabularies(schemas, item))
        yield f"{action.id} can't be split; these can: {', '.join(others) or 'none'}"
        return
    if len(names) > MAX_FIELDS or len(set(names)) < len(names):
        yield f"takes up to {MAX_FIELDS} different fields"
    if action.paging and int(values.get(action.paging.page) or action.paging.first) != action.paging.first:
        yield f"begins at the first page; leave {action.paging.page} out"
    unknown = [name for name in names if name not in known]
    for name in unknown:
        yield f"names {name}; this search can be split by {offer(known)}"
    counts = {name: len(values.get(name) or known[name]) for name in names if name in known}
    for name, count in counts.items():
        if count < 2:
            yield f"needs at least two values of {name} in the input to split by"
    if (parts := math.prod(counts.values())) > MAX_PARTS:
        yield f"would make up to {parts:,} parts; {MAX_PARTS:,} are the most"


def offer(known: Mapping[str, tuple[Any, ...]]) -> str:
    """The fields to choose from, in words."""
    fixed = [name for name, values in known.items() if values]
    given = [name for name, values in known.items() if not values]
    parts = [", ".join(fixed)] if fixed else []
    parts += [f"{', '.join(given)} (with at least two values in the input)"] if given else []
    return ", or ".join(parts)


def out_of_reach(action: Action, first: Page, limit: int | None) -> int:
    """How many of the records that are wanted lie past the ceiling of one query."""
    if not action.ceiling or first.total is None:
        return 0
    return max(0, (first.total if limit is None else min(limit, first.total)) - action.ceiling)


def heads(fields: Sequence[Field]) -> int:
    """How many first pages finding the parts asks for at most, the whole search's own included."""
    count, total = 1, 1
    for chosen in fields:
        count *= len(chosen.values)
        total += count
    return total


def cut(
    values: Mapping[str, Any], total: int, ceiling: int, fields: Sequence[Field]
) -> Generator[list[Part], Sequence[int | None], Cut]:
    """Yields the parts whose total must be asked and is sent their totals (None: not to be had), until all are small
    enough or the fields are used up."""
    large, done = [Part(values, total=total)], list[Part]()
    notes: list[str] = []
    for chosen in fields:
        asked = [part for parent in large for part in parent.by(chosen)]
        totals = yield asked
        told = [replace(part, total=found) for part, found in zip(asked, totals, strict=True)]
        notes += [note for parent in large for note in _compared(parent, told, chosen)]
        done += [replace(part, cut=True) for part in large if part.places]
        done += [part for part in told if part.total and part.total <= ceiling]
        large = [part for part in told if part.total and part.total > ceiling]
        if not large:
            break
    parts = sorted([*done, *large], key=lambda part: part.places)
    count = sum(not part.cut for part in parts)
    return Cut(
        tuple(parts), (f"Cut into {count} parts that hold records.", *notes, *(_beyond(p, ceiling) for p in large))
    )


def _compared(parent: Part, parts: Sequence[Part], chosen: Field) -> Iterator[str]:
    """What the sum of the parts says about the whole."""
    mine = [part for part in parts if part.places[:-1] == parent.places]
    lost = [part for part in mine if part.total is None]
    whole, together = parent.total or 0, sum(part.total or 0 for part in mine)
    name = f"Cut by {chosen.name}, the {len(mine)} parts of {parent.label} hold {together:,} of {whole:,} records"
    if lost:
        yield f"{name}; no total could be had for {len(lost)} of them, which are left out: {_named(lost)}."
    elif together < whole:
        yield f"{name}: {whole - together:,} or more have none of its values and are not covered."
    elif together > whole:
        yield f"{name}: the parts overlap by {together - whole:,} or more; repeated records are dropped."
    else:
        yield f"{name}: all of them."


def _named(parts: Sequence[Part]) -> str:
    return "; ".join(part.label for part in parts[:5]) + ("; ..." if len(parts) > 5 else "")


def _beyond(part: Part, ceiling: int) -> str:
    total = part.total or 0
    return (
        f"{part.label} still has {total:,} records, and one query gives the first {ceiling:,}: "
        f"{total - ceiling:,} are out of reach. Split by one more field."
    )


def ceiling_note(total: int, beyond: int, known: Mapping[str, tuple[Any, ...]]) -> str:
    """Told when a search that isn't split matches more than one query gives; `known` are its `vocabularies`."""
    way = f"split the search (--split-by, in a workflow split_by) by {offer(known)}" if known else ""
    return (
        f"{total:,} records match, but one query gives the first {total - beyond:,} only; "
        f"{beyond:,} are out of reach. Narrow the filters{', or ' + way if way else ''} to get them."
    )
