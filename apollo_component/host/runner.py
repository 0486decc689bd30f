"""Runs one action with everything it needs: all pages in order, long lists cut and rejoined, on threads."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from ..contract.actions import Action
from ..contract.errors import ConnectorError
from ..contract.models import Page
from ..contract.schemas import schemas_at
from .calls import Call, Caller
from .journal import Key
from .late import Waiter
from .leases import Lease
from .plans import (
    SAME_PAGES,
    PageFacts,
    chunks,
    further_pages,
    goes_on_alike,
    last_total,
    list_notes,
    shortfall,
    unique,
)
from .quota import Party
from .splitting import Cut, Field, ceiling_note, cut, out_of_reach, vocabularies

CONCURRENCY = 8
GRACE_SECONDS = 5.0
"""When nobody wants more pages, answers on their way are waited for so long; one that waits for quota is left."""


@dataclass(frozen=True, slots=True)
class Job:
    """One action to run to its end. `every_page` reads all pages; `limit` is in records; `split_by` cuts a search that
    is too large for one query."""

    run: str
    connection: str
    action: Action
    input: Mapping[str, Any] = field(repr=False)
    step: str = "run"
    every_page: bool = False
    limit: int | None = None
    split_by: tuple[Field, ...] = ()
    concurrency: int = CONCURRENCY
    lease: Lease | None = None
    on_unknown: str = "repeat"
    max_credits_per_record: float | None = None
    wait: bool | None = None
    """Whether to wait for what comes late; None = unless it goes to an address of the person's own."""


class Runner:
    """`notice` gets sentences for the person while the work goes on."""

    def __init__(self, caller: Caller, notice: Callable[[str], None], waiter: Waiter) -> None:
        self.caller = caller
        self.waiter = waiter
        self.notice = notice

    def pages(self, job: Job, warn: Callable[[str], None] | None = None) -> Generator[Page, None, None]:
        """The pages of a job in order, each record once. `warn` gets what is to be said of the whole list once it was
        read to its end. Raises any ConnectorError."""
        whole = self.caller.prepare(self._call(job, "", job.input))
        calls = [self._call(job, str(number), values) for number, values in enumerate(chunks(job.action, whole.input))]
        calls[1:] = map(_further, calls[1:])
        facts: list[PageFacts] = []
        pages = self._in_order(job, calls) if len(calls) > 1 else self._paged(job, calls[0], facts)
        pages = self.waiter.finished(calls, pages, job.wait, self.notice)
        yield from self._judged(job, pages, facts, warn or self.notice)

    def _judged(
        self, job: Job, pages: Iterator[Page], facts: list[PageFacts], warn: Callable[[str], None]
    ) -> Iterator[Page]:
        """The pages with each record once; at the end of a whole list, what matched is told against what was given."""
        if not job.every_page:
            yield from limited(pages, job.limit)
            return
        given = 0
        for page in limited(once_each(pages, job.action.key), job.limit):
            given += len(page.records)
            yield page
        if job.limit is not None and given >= job.limit:
            return
        for text in (*list_notes([] if job.split_by else facts), shortfall(last_total(facts), given, job.limit)):
            if text:
                warn(text)

    def _paged(self, job: Job, call: Call, facts: list[PageFacts]) -> Iterator[Page]:
        """The pages of one list as they come; of one that is read to its end, what each was goes into `facts`."""
        pages = self._followed(job, call, facts)
        if not job.every_page:
            yield from pages
            return
        for page in pages:
            facts.append(PageFacts.of(page, job.action.key))
            yield page

    def _followed(self, job: Job, call: Call, facts: Sequence[PageFacts]) -> Iterator[Page]:
        """The first page and, as far as they are wanted, those that follow, until they go on alike."""
        first = self.waiter.page(call, job.wait)
        beyond = out_of_reach(job.action, first, job.limit) if job.every_page else 0
        if beyond and job.split_by:
            yield from self._split(job, call, first)
            return
        if beyond:
            self.notice(ceiling_note(first.total or 0, beyond, self._ways(job)))
        yield first
        if not job.every_page:
            return
        cursors = further_pages(job.action, job.input, first, job.limit) or []
        pages = self._in_order(job, [_page_of(call, cursor, cursor) for cursor in cursors])
        last = first
        for page in pages:
            last = page
            yield page
            if goes_on_alike(_marks(facts)):
                pages.close()
                return
        while last.next_cursor is not None and not goes_on_alike(_marks(facts)):
            last = self.caller.page(_page_of(call, last.next_cursor, last.next_cursor))
            yield last

    def _ways(self, job: Job) -> Mapping[str, tuple[Any, ...]]:
        connector = self.caller.connections.get(job.connection).connector
        return vocabularies(schemas_at(self.caller.registry.manifest(connector).root), job.action)

    def _split(self, job: Job, call: Call, first: Page) -> Iterator[Page]:
        """First every part's first page, which tells how large it is; then all parts as one stream, read ahead. Its
        pages tell the total of the whole."""
        heads: dict[str, Page] = {}
        found = self._cut(job, call, first, heads)
        for note in found.notes:
            self.notice(note)
        for page in self._in_order(job, _stream(job.action, call, first, found, heads)):
            yield replace(page, total=first.total)

    def _cut(self, job: Job, call: Call, first: Page, heads: dict[str, Page]) -> Cut:
        flow = cut(job.input, first.total or 0, job.action.ceiling, job.split_by)
        asked = next(flow)
        while True:
            calls = [_page_of(replace(call, input=part.input), None, part.item) for part in asked]
            heads |= zip((part.item for part in asked), self._in_order(job, calls), strict=True)
            try:
                asked = flow.send([heads[part.item].total for part in asked])
            except StopIteration as done:
                result: Cut = done.value
                return result

    def _in_order(self, job: Job, calls: Iterable[Call | Page]) -> Generator[Page, None, None]:
        """Up to `concurrency` requests ahead of the reader, never more pages held than that. A page that is there
        already keeps its place.

        After a failure nothing more is sent. Where answers cost, those that were on their way are still handed out,
        each in its place (a failed one before it is an empty page), and then the failure is raised: what was paid for
        isn't lost.
        """
        failures: list[ConnectorError] = []
        missing = 0
        for page in self._ahead_of_reader(job, calls, failures):
            if page is None:
                missing += 1
                continue
            yield from [Page()] * missing
            missing = 0
            yield page
        if failures:
            raise failures[0]

    def _ahead_of_reader(
        self, job: Job, calls: Iterable[Call | Page], failures: list[ConnectorError]
    ) -> Iterator[Page | None]:
        """The pages in order, None for one that failed."""
        waiting: deque[Future[Page]] = deque()
        concurrency = self._ahead(job, calls)
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="run")
        try:
            for call in calls:
                if len(waiting) >= concurrency:
                    yield _taken(job, waiting.popleft(), failures)
                if failures:
                    break
                waiting.append(_there(call) if isinstance(call, Page) else pool.submit(self.caller.page, call))
            while waiting:
                yield _taken(job, waiting.popleft(), failures)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            wait(waiting, timeout=GRACE_SECONDS)

    def _ahead(self, job: Job, calls: Iterable[Call | Page]) -> int:
        """One request at a time where the budget may not cover all, so that it is spent from the front."""
        budget = self.caller.journal.budget(job.run) if job.action.credits.costs else None
        if budget is None:
            return job.concurrency
        costs = [call.worst for call in calls if isinstance(call, Call)] if isinstance(calls, list) else [None]
        covered = None not in costs and sum(cost or 0 for cost in costs) <= budget
        return job.concurrency if covered else 1

    def _call(self, job: Job, item: str, values: Mapping[str, Any]) -> Call:
        return Call(
            Key(job.run, job.step, item),
            job.connection,
            job.action,
            values,
            lease=job.lease,
            on_unknown=job.on_unknown,
            max_credits_per_record=job.max_credits_per_record,
        )


def _page_of(call: Call, cursor: str | None, item: str) -> Call:
    return replace(_further(call), cursor=cursor, key=replace(call.key, item=item))


def _further(call: Call) -> Call:
    """A person waits for a run's first answer; what follows is bulk work."""
    return replace(call, party=Party(call.key.run, background=True))


def _taken(job: Job, future: Future[Page], failures: list[ConnectorError]) -> Page | None:
    try:
        return future.result()
    except ConnectorError as error:
        if not job.action.credits.costs:
            raise
        failures.append(error)
        return None


def _there(page: Page) -> Future[Page]:
    found: Future[Page] = Future()
    found.set_result(page)
    return found


def _stream(action: Action, call: Call, first: Page, found: Cut, heads: dict[str, Page]) -> Iterator[Call | Page]:
    """The first page of the whole, then each part's own first page and the pages after it."""
    yield first
    for part in found.parts:
        head = heads.pop(part.item)
        yield head
        own = replace(call, input=part.input)
        for cursor in () if part.cut else further_pages(action, part.input, head, None) or ():
            yield _page_of(own, cursor, f"{part.item}:{cursor}")


def _marks(facts: Sequence[PageFacts]) -> list[str]:
    """Those of the last pages, as many as tell whether they go on alike."""
    return [page.mark for page in facts[-SAME_PAGES - 1 :]]


def once_each(pages: Iterator[Page], key: str | None) -> Iterator[Page]:
    """Drop records that an earlier page brought already: pages are not a snapshot."""
    seen: set[Any] = set()
    for page in pages:
        yield replace(page, records=list(unique(page.records, key, seen))) if key else page


def limited(pages: Iterator[Page], limit: int | None) -> Iterator[Page]:
    left = limit
    for page in pages:
        if left is not None and len(page.records) >= left:
            yield replace(page, records=page.records[:left])
            return
        left = None if left is None else left - len(page.records)
        yield page
