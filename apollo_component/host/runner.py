"""Runs one action with everything it needs: all pages in order, long lists cut and rejoined, on threads."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from ..contract.actions import Action
from ..contract.models import Page
from .calls import Call, Caller
from .journal import Key
from .leases import Lease
from .plans import chunks, further_pages, shortfall, unique

CONCURRENCY = 8
GRACE_SECONDS = 5.0
"""When nobody wants more pages, answers on their way are waited for so long; one that waits for quota is left."""


@dataclass(frozen=True, slots=True)
class Job:
    """One action to run to its end. `every_page` reads all pages; `limit` is in records."""

    run: str
    connection: str
    action: Action
    input: Mapping[str, Any] = field(repr=False)
    step: str = "run"
    every_page: bool = False
    limit: int | None = None
    concurrency: int = CONCURRENCY
    lease: Lease | None = None
    on_unknown: str = "repeat"
    max_credits_per_record: float | None = None


class Runner:
    """`notice` gets sentences for the person while the work goes on."""

    def __init__(self, caller: Caller, notice: Callable[[str], None] = lambda _text: None) -> None:
        self.caller = caller
        self.notice = notice

    def pages(self, job: Job) -> Generator[Page, None, None]:
        """The pages of a job in order, each record once. Raises any ConnectorError."""
        whole = self.caller.prepare(self._call(job, "", job.input))
        calls = [self._call(job, str(number), values) for number, values in enumerate(chunks(job.action, whole.input))]
        pages = self._in_order(calls, job.concurrency) if len(calls) > 1 else self._paged(job, calls[0])
        yield from limited(once_each(pages, job.action.key if job.every_page else None), job.limit)

    def _paged(self, job: Job, call: Call) -> Iterator[Page]:
        first = self.caller.page(call)
        if job.every_page and (beyond := shortfall(job.action, first)):
            self.notice(
                f"{first.total:,} records match, but one query gives the first {(first.total or 0) - beyond:,} only; "
                f"{beyond:,} are out of reach. Narrow the filters to get them."
            )
        yield first
        if not job.every_page:
            return
        cursors = further_pages(job.action, job.input, first, job.limit)
        if cursors is None:
            yield from self._one_by_one(call, first)
        else:
            later = [replace(call, cursor=cursor, key=replace(call.key, item=cursor)) for cursor in cursors]
            yield from self._in_order(later, job.concurrency)

    def _one_by_one(self, call: Call, page: Page) -> Iterator[Page]:
        while page.next_cursor is not None:
            key = replace(call.key, item=page.next_cursor)
            page = self.caller.page(replace(call, cursor=page.next_cursor, key=key))
            yield page

    def _in_order(self, calls: list[Call], concurrency: int) -> Iterator[Page]:
        """Up to `concurrency` requests ahead of the reader, never more pages held than that."""
        waiting: deque[Future[Page]] = deque()
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="run")
        try:
            for call in calls:
                if len(waiting) >= concurrency:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(self.caller.page, call))
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            wait(waiting, timeout=GRACE_SECONDS)

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
