"""The pages of a step after its first: in their order, or, for a search too large for one query, part by part.

The plan follows from the recorded outcomes alone, so that a replay makes the same one.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...contract.models import Page
from ...contract.schemas import schemas_at
from ..host import Host
from ..plans import PageFacts, further_pages, goes_on_alike, last_total, list_notes, shortfall, unique
from ..splitting import (
    Cut,
    Field,
    Part,
    ceiling_note,
    chosen_fields,
    cut,
    out_of_reach,
    vocabularies,
)
from .file import Step
from .units import Unit

HELD = "held"
"""An outcome of no request: one that was held back, or only something to tell."""
PAGES_AHEAD = 50
"""Pages that a step asks for in one round."""
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
        """The outcomes of all pages after the first, and what is to be said of the whole list."""
        page = _page(outcome)
        beyond = out_of_reach(self.step.action, page, self.step.limit)
        if beyond and fields:
            return await self._split(first, page.total or 0, fields, outcome)
        if beyond:
            schemas = schemas_at(self.host.registry.manifest(self.step.connector).root)
            note = ceiling_note(page.total or 0, beyond, vocabularies(schemas, self.step.action))
            return [self._said(note), *await self._whole(first, outcome, page)]
        return await self._whole(first, outcome, page)

    async def _whole(self, first: Unit, outcome: Outcome, page: Page) -> list[Outcome]:
        """The pages that follow, and at last what was odd about them and what is missing."""
        following = await self._following(first, page, outcome.get("mark", ""))
        told = (outcome, *following)
        facts = [PageFacts(item.get("rows", 0), item.get("total"), item.get("mark", "")) for item in told]
        given = await self.thread(self._given)
        limit = self.step.limit
        if limit is not None and given >= limit:
            return following
        notes = [*list_notes(facts), shortfall(last_total(facts), given, limit)]
        twice = sum(item.get("found", 0) for item in told) - given
        return [*following, *(self._said(note) for note in notes if note), {HELD: True, "found": -twice}]

    async def _following(self, first: Unit, page: Page, mark: str) -> list[Outcome]:
        """Many at once when their number is known, else each after the other; none more once they go on alike."""
        cursors = further_pages(self.step.action, first.input, page, self.step.limit) or []
        found: list[Outcome] = []
        marks = [mark]
        while len(found) < len(cursors) and not goes_on_alike(marks):
            ahead = list(enumerate(cursors))[len(found) : len(found) + PAGES_AHEAD]
            found += await self.ask([_page_of(first, cursor, n + 1) for n, cursor in ahead])
            marks = [mark, *(item.get("mark", "") for item in found)]
        cursor = found[-1].get("next") if found else page.next_cursor
        while cursor is not None and not goes_on_alike(marks) and not await self.thread(self._enough):
            found += await self.ask([_page_of(first, cursor, len(found) + 1)])
            marks.append(found[-1].get("mark", ""))
            cursor = found[-1].get("next")
        return found

    def _enough(self) -> bool:
        """Whether the records that the step wants at most are there."""
        return self.step.limit is not None and self._given() >= self.step.limit

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
            said += [self._said(note) for note in [shortfall(total, given, None)] if note]
        twice = sum(item.get("found", 0) for item in (whole, *outcomes)) - given
        return [*outcomes, *said, {HELD: True, "found": -twice}]

    def _later(self, first: Unit, found: Cut, heads: Mapping[str, Outcome]) -> Iterator[Unit]:
        """The pages of each part after its first."""
        for part in found.parts:
            head = _page(heads[part.item])
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


def _page(outcome: Outcome) -> Page:
    """What an outcome tells of its page, without the records."""
    total, size, pages = (outcome.get(name) for name in ("total", "size", "pages"))
    return Page(next_cursor=outcome.get("next"), total=total, size=size, pages=pages)


def _page_of(first: Unit, cursor: str, number: int) -> Unit:
    return replace(first, item=cursor, number=number, cursor=cursor)


def _head(first: Unit, part: Part) -> Unit:
    """A part's first page; its number puts its records where they belong in the order of the whole."""
    return replace(first, item=part.item, number=part.rank, input=part.input)
