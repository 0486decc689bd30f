"""The pages of a step after its first: in their order, or, for a search too large for one query, part by part.

The plan follows from the recorded outcomes alone, so that a replay makes the same one.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...contract.models import Page
from ...contract.schemas import schemas_at
from ..host import Host
from ..plans import further_pages, unique
from ..splitting import (
    Cut,
    Field,
    Part,
    ceiling_note,
    chosen_fields,
    cut,
    out_of_reach,
    shortfall_note,
    vocabularies,
)
from .file import Step
from .units import Unit

HELD = "held"
"""An outcome of no request: one that was held back, or only something to tell."""
Outcome = dict[str, Any]


def split_fields(host: Host, step: Step, units: Sequence[Unit]) -> tuple[Field, ...]:
    """What a step's search is cut by. Raises InputError when the values of the input don't allow it."""
    if not step.split_by or not units:
        return ()
    manifest = host.registry.manifest(step.connector)
    return chosen_fields(manifest, schemas_at(manifest.root), step.action, step.split_by, units[0].input)


@dataclass(frozen=True, slots=True)
class LaterPages:
    """`ask` gives the outcomes of units, `thread` runs what blocks, `say` tells the person."""

    host: Host
    run: str
    step: Step
    ask: Callable[[list[Unit]], Awaitable[list[Outcome]]]
    thread: Callable[..., Awaitable[Any]]
    say: Callable[[str], None]

    async def all(self, first: Unit, outcome: Outcome, fields: tuple[Field, ...]) -> list[Outcome]:
        """The outcomes of all pages after the first."""
        page = Page(next_cursor=outcome["next"], total=outcome["total"])
        beyond = out_of_reach(self.step.action, page, self.step.limit)
        if beyond and fields:
            return await self._split(first, page.total or 0, fields, outcome)
        if beyond:
            schemas = schemas_at(self.host.registry.manifest(self.step.connector).root)
            note = ceiling_note(page.total or 0, beyond, vocabularies(schemas, self.step.action))
            return [self._said(note), *await self._following(first, page)]
        return await self._following(first, page)

    async def _following(self, first: Unit, page: Page) -> list[Outcome]:
        """All at once when their number is known, else each after the other."""
        cursors = further_pages(self.step.action, first.input, page, self.step.limit)
        if cursors is not None:
            return await self.ask([_page_of(first, cursor, n + 1) for n, cursor in enumerate(cursors)])
        found: list[Outcome] = []
        cursor = page.next_cursor
        while cursor is not None:
            found += await self.ask([_page_of(first, cursor, len(found) + 1)])
            cursor = found[-1].get("next")
        return found

    async def _split(self, first: Unit, total: int, fields: Sequence[Field], whole: Outcome) -> list[Outcome]:
        """Every part's first page, then what the parts say of the whole, then all other pages. At last records that
        came twice are taken off the count."""
        heads: dict[str, Outcome] = {}
        flow = cut(first.input, total, self.step.action.ceiling, fields)
        asked = next(flow)
        while True:
            outcomes = await self.ask([_head(first, part) for part in asked])
            heads |= zip((part.item for part in asked), outcomes, strict=True)
            try:
                asked = flow.send([outcome.get("total") for outcome in outcomes])
            except StopIteration as done:
                found: Cut = done.value
                break
        said = [self._said(note) for note in found.notes]
        outcomes = [*heads.values(), *await self.ask(list(self._later(first, found, heads)))]
        given = await self.thread(self._given)
        if self.step.limit is None:
            said.append(self._said(shortfall_note(total, given)))
        twice = sum(item.get("found", 0) for item in (whole, *outcomes)) - given
        return [*outcomes, *said, {HELD: True, "found": -twice}]

    def _later(self, first: Unit, found: Cut, heads: Mapping[str, Outcome]) -> Iterator[Unit]:
        """The pages of each part after its first."""
        for part in found.parts:
            head = Page(next_cursor=heads[part.item].get("next"), total=part.total)
            cursors = () if part.cut else further_pages(self.step.action, part.input, head, None) or ()
            for page, cursor in enumerate(cursors):
                unit = _head(first, part)
                yield replace(_page_of(unit, cursor, unit.number + 1 + page), item=f"{part.item}:{cursor}")

    def _given(self) -> int:
        return sum(1 for _ in unique(self.host.runs.records(self.run, self.step.id), self.step.action.key))

    def _said(self, text: str) -> Outcome:
        """Tell the person, and keep it in the report."""
        self.say(f"{self.step.id}: {text}")
        return {HELD: True, "warnings": [text]}


def _page_of(first: Unit, cursor: str, number: int) -> Unit:
    return replace(first, item=cursor, number=number, cursor=cursor)


def _head(first: Unit, part: Part) -> Unit:
    """A part's first page; its number puts its records where they belong in the order of the whole."""
    return replace(first, item=part.item, number=part.rank, input=part.input)
