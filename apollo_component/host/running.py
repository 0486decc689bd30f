"""Runs one action from beginning to end; the run is noted in the store whatever way it ends."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from ..contract.actions import Action
from ..contract.errors import ConnectorError, NotFoundError
from ..contract.manifest import Manifest
from ..contract.models import Effect, Miss, Page
from ..contract.schemas import nearest, schemas_at
from .accounts import MISSES_KEPT, accounts_of
from .connections import Connection
from .host import Host
from .leases import Heartbeat, Lease
from .naming import find_named
from .planning import Plan
from .runner import CONCURRENCY, Job
from .runs import CANCELLED, DONE, FAILED, Run

LEASE_SECONDS = 30.0
WRITING = (Effect.UPSERT, Effect.CREATE, Effect.SEND)
STEP = "run"
"""The step that an action's own run has in the journal and among the records."""
NOTHING_CHANGED = "the answer has no record, so nothing was changed as far as it tells; check the ids that were given"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan with the connection and the way it is run."""

    plan: Plan
    connection: Connection
    on_unknown: str = "repeat"
    concurrency: int = CONCURRENCY
    wait: bool | None = None


@dataclass(slots=True)
class Tally:
    """What has come so far, and how the run ended."""

    pages: int = 0
    records: int = 0
    asked: int = 0
    """How many items the answers had to account for; 0 for a search."""
    not_found: int = 0
    """How many were asked for and came back as null."""
    missed: int = 0
    """How many are named misses."""
    misses: list[Miss] = field(default_factory=list)
    """The first `MISSES_KEPT` of them, parts of records that were not taken included."""
    warnings: list[str] = field(default_factory=list)
    """What the answers said by themselves, and what is to be said of them."""
    last_words: list[str] = field(default_factory=list)
    """Those of the warnings that are about the whole and came with no page."""
    total: int | None = None
    """How many match in all, where the service told."""
    first_page: bool = False
    """Whether one page of several was read, as was wanted."""
    status: str = FAILED
    detail: dict[str, Any] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        self.total = page.total if page.total is not None else self.total
        self.warnings += page.warnings
        self.pages += 1
        self.records += page.given
        self.asked += page.asked or 0
        self.not_found += page.not_found
        self.missed += page.missed
        self.misses += page.misses[: MISSES_KEPT - len(self.misses)]

    def warn(self, text: str) -> None:
        """A warning about the whole."""
        self.warnings.append(text)
        self.last_words.append(text)

    def accounts(self) -> dict[str, Any]:
        """As `accounts_of` gives them."""
        return accounts_of(self.asked, self.records, self.not_found, self.missed, [m.as_dict() for m in self.misses])

    def counts(self) -> dict[str, Any]:
        more: dict[str, Any] = {"not_found": self.not_found, "total": self.total, "first_page": self.first_page}
        more |= {"warnings": self.warnings}
        kept = {key: value for key, value in more.items() if value}
        return {"records": self.records, "pages": self.pages} | kept | self.accounts()


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is noted and held by this process; `drive` sends."""

    host: Host
    chosen: Chosen
    run: Run
    lease: Lease

    def drive(self, take: Callable[[Page], None], ended: Callable[[BaseException], Mapping[str, Any]]) -> Tally:
        """Hand each page to `take` while it arrives. An error isn't raised: `ended` gives what the run says of it,
        `{status, ...}`. Whatever happens, the run's row tells how it ended."""
        tally = Tally()
        with Heartbeat(self.host.leases, self.lease, LEASE_SECONDS):
            try:
                self._pages(tally, take)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the run must be noted
                told = dict(ended(error))
                tally.status, tally.detail = told.pop("status", FAILED), told
            self.host.runs.update(self.run.id, tally.status, tally.counts() | tally.detail)
        return tally

    def _pages(self, tally: Tally, take: Callable[[Page], None]) -> None:
        plan = self.chosen.plan
        with closing(self.host.runner.pages(self._job(), tally.warn)) as pages:
            for page in pages:
                tally.add(page)
                tally.first_page = bool(page.next_cursor) and not plan.every_page
                take(page)
                if self.host.runs.get(self.run.id).status == CANCELLED:
                    tally.status = CANCELLED
                    return
        tally.status = DONE
        in_background = plan.action.job and tally.warnings
        if plan.effect in WRITING and not (tally.records or in_background):
            tally.warn(NOTHING_CHANGED)

    def _job(self) -> Job:
        plan, chosen = self.chosen.plan, self.chosen
        return Job(
            self.run.id,
            chosen.connection.id,
            plan.action,
            plan.values,
            step=STEP,
            every_page=plan.every_page,
            limit=plan.limit,
            split_by=plan.fields(),
            concurrency=chosen.concurrency,
            lease=self.lease,
            on_unknown=chosen.on_unknown,
            max_credits_per_record=plan.max_credits_per_record,
            wait=chosen.wait,
        )


def begin(host: Host, chosen: Chosen) -> Begun:
    """Note the run, so that it has an id before anything is sent."""
    plan = chosen.plan
    asked = {"action": f"{plan.manifest.id}.{plan.action.id}", "connection": chosen.connection.name}
    run = host.runs.create("action", plan.action.title, inputs=asked, budget=plan.budget)
    lease = host.leases.acquire(f"run:{run.id}", LEASE_SECONDS)
    assert lease is not None  # noqa: S101  # the run is new, so nobody else can hold it
    return Begun(host, chosen, run, lease)


def ended(error: BaseException) -> dict[str, Any]:
    """What a run's row says of an error that ended it."""
    if isinstance(error, ConnectorError):
        return {"error": error.as_dict()}
    return {"error": {"code": "bug", "message": type(error).__name__, "exit_code": 1}}


def find(manifests: Mapping[str, Manifest], connector: str, action: str) -> tuple[Manifest, Action]:
    """Raises NotFoundError."""
    manifest = find_named(manifests, connector)
    if action not in manifest.actions:
        close = nearest(action, manifest.actions)
        hint = f"Did you mean {close}?" if close else ""
        raise NotFoundError(f"{manifest.title} has no action {action!r}.", hint=hint)
    return manifest, manifest.actions[action]


def chosen(host: Host, connection: str, action: str, values: Mapping[str, Any], **wanted: Any) -> Chosen:
    """An action of a connection's connector with a checked input; `wanted` are fields of Plan. Names of the
    workspace's own fields are looked up. Raises InputError, NotFoundError, and what a look-up raises."""
    link = host.connections.get(connection)
    manifest, found = find(host.registry.manifests, link.connector, action)
    checked = schemas_at(manifest.root).check(found.input, values)
    plan = Plan(manifest, found, checked, **wanted)
    plan.refuse_pages()
    plan.refuse()
    return Chosen(replace(plan, values=host.fields.resolved(link.id, found, checked)), link)


def run(host: Host, what: Chosen, take: Callable[[Page], None]) -> Tally:
    """Run it and hand each page to `take`. Raises what ended it, after noting that in the run."""
    caught: list[BaseException] = []

    def note(error: BaseException) -> dict[str, Any]:
        caught.append(error)
        return ended(error)

    tally = begin(host, what).drive(take, note)
    if caught:
        raise caught[0]
    return tally
