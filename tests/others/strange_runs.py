"""Seeded runs against a sandbox with odd answers: `python -m tests.others.strange_runs [--runs 500] [--seed 1]`.

The host, its store and the connector are real, the sandbox is in this process, and nothing goes over a socket. What
each run gave is held against the sandbox's world and its log of what it withheld. The sums are printed, one line for
each action; the same seed gives the same runs.
"""

import argparse
import contextlib
import operator
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import orjson

from apollo_component.contract.models import Credential, Reply
from apollo_component.host import running
from apollo_component.host.clocks import Clock
from apollo_component.host.host import Host
from apollo_component.host.settings import Settings
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow
from tests.host.apollo_at_hand import Apollo
from tests.host.conftest import Clock as StillClock
from tests.others.strange_orders import BULK, LISTS, Listing, Order, Record, question

SHARE = 0.5
"""How often each oddity is drawn."""
BULK_KINDS: tuple[tuple[str, ...], ...] = ((), (), ("reordered",), ("dropped",))
LIST_KINDS: tuple[tuple[str, ...], ...] = ((), (), ("clamped",), ("total",), ("repeated",))
"""What a run draws from; nothing named is everything."""
WORKFLOW_EVERY = 50
"""Of so many runs, one is a workflow's."""
NAME = "mine"


class BrokenError(Exception):
    """A run whose answer doesn't account for what was asked."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What came of the runs of one action."""

    runs: int = 0
    odd: int = 0
    """Runs in which the sandbox's log has an entry."""
    asked: int = 0
    given: int = 0
    not_found: int = 0
    missed: int = 0
    withheld: int = 0
    """Items that are not found or missed, by the sandbox's log."""
    unknown: int = 0
    """Those that are so as the world has nothing for them, or nothing sure enough."""
    matched: int = 0
    """Records that truly match a search."""
    short: int = 0
    """Lists in which records are missing."""
    told: int = 0
    """Those of them whose run says that something is odd or missing."""
    wrong_total: int = 0
    """Those where nothing is said: as many came as the service says match."""
    no_total: int = 0
    """Those where nothing is said: the service tells no total, and a short page that costs is taken for the last."""

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*map(operator.add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Told:
    """What a run gave and said."""

    records: Sequence[Any]
    asked: int
    not_found: int
    missed: int
    misses: Sequence[Mapping[str, str]]
    warnings: Sequence[str]

    @property
    def given(self) -> list[Any]:
        return [record for record in self.records if record is not None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer."""

    operation: str
    values: Mapping[str, Any]
    answer: Record


class OddApollo(Apollo):
    """A sandbox that answers one request at a time, so that a seed gives the same runs, and keeps its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = threading.Lock()
        self.asked: list[Asked] = []

    def send(self, request: Any, **more: Any) -> Reply:
        with self.turn:
            reply = super().send(request, **more)
            values = dict(request.query) | dict(request.json or {})
            self.asked.append(Asked(request.operation, values, orjson.loads(reply.body)))
            return reply

    @contextlib.contextmanager
    def odd(self, seed: int, kinds: tuple[str, ...]) -> Iterator[None]:
        """Draws oddities while it lasts."""
        settings = self.sandbox.state.settings
        settings.strange, settings.strange_share, settings.strange_kinds = seed, SHARE, kinds
        yield
        settings.strange = 0


class Bench:
    """A host with a connection to a sandbox. `clock` is real for workflows, which wait on it."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.apollo = OddApollo()
        self.world = self.apollo.sandbox.state.world
        self.log = self.apollo.sandbox.state.oddities.log
        still = StillClock(self.apollo.now)
        registry = self.apollo.registry(still.moment)
        settings = Settings(folder, f"sqlite:///{folder / 'host.db'}")
        self.host = Host.open(settings, registry, clock=clock or still, sleep=still.sleep)
        self.host.connections.add(NAME, "apollo", Credential("api_key", api_key=self.apollo.key))

    def run(self, action: str, values: Mapping[str, Any], *, every_page: bool) -> Told:
        """As the command line runs it."""
        what = running.chosen(self.host, NAME, action, values, every_page=every_page)
        records: list[Any] = []
        tally = running.run(self.host, what, lambda page: records.extend(page.records))
        misses = [miss.as_dict() for miss in tally.misses]
        return Told(records, tally.asked, tally.not_found, tally.missed, misses, tally.warnings)

    def workflow(self, steps: Mapping[str, tuple[str, Mapping[str, Any], bool]]) -> dict[str, Told]:
        """Steps by their ids: the action, its input, whether all pages are read."""
        listed = [
            {"id": own, "action": action, "with": dict(values)} | ({"all": True} if all_pages else {})
            for own, (action, values, all_pages) in steps.items()
        ]
        data = {"name": "odd", "connections": {"apollo": {"connector": "apollo", "use": NAME}}, "steps": listed}
        workflow = parse_workflow(orjson.dumps(data).decode(), self.host.registry.manifests)
        run = engine.start(self.host, workflow, {}, {}, None).id
        report = engine.drive(self.host, run)
        if report["status"] != "done":
            raise BrokenError(f"the workflow is {report['status']}: {report['detail']}")
        return {step["id"]: self._of_step(run, step) for step in report["steps"]}

    def _of_step(self, run: str, step: Mapping[str, Any]) -> Told:
        records = list(self.host.runs.records(run, step["id"]))
        asked, not_found, missed = (step.get(name, 0) for name in ("asked", "not_found", "missed"))
        told = Told(records, asked, not_found, missed, step.get("misses", []), step["warnings"])
        wanted = step["given"] if told.asked else step["records"]
        came = len({record["id"] for record in told.given} if step["action"] in LISTS else told.given)
        expect(wanted == came, f"step {step['id']} says that {wanted} came; {came} are stored")
        return told


def expect(holds: bool, text: str) -> None:
    if not holds:
        raise BrokenError(text)


# Bulk actions


def check_order(order: Order, told: Told, log: Sequence[Record]) -> Sums:
    """Raises BrokenError unless every item is given, not found or a named miss, as the world and the log say."""
    withheld = _withheld(order, log)
    there = [mean in order.known() and number not in withheld for number, mean in enumerate(order.means)]
    given = [mean is not None and there[number] and mean not in order.low for number, mean in enumerate(order.means)]
    expect(told.asked == len(order.items), f"asked is {told.asked} of {len(order.items)} items")
    expect(len(told.given) == sum(given), f"{len(told.given)} records came, {sum(given)} should have")
    total = len(told.given) + told.not_found + told.missed
    expect(total == told.asked, f"given, not found and missed are {total}, asked {told.asked}")
    if order.in_place:
        _check_places(order, told, given)
        expect(told.missed == sum(there) - sum(given), f"{told.missed} are missed, {sum(there) - sum(given)} are low")
    else:
        _check_names(order, told, given)
        _check_reasons(told, log)
    expect(bool(told.warnings) == bool(told.missed) or told.not_found > 0, f"{told.missed} missed, {told.warnings}")
    return Sums(
        runs=1,
        odd=bool(log),
        asked=told.asked,
        given=len(told.given),
        not_found=told.not_found,
        missed=told.missed,
        withheld=len(withheld),
        unknown=sum(not came and number not in withheld for number, came in enumerate(given)),
    )


def _withheld(order: Order, log: Sequence[Record]) -> set[int]:
    """The numbers of the items whose record was withheld; of an item that was asked for twice, all copies."""
    found: set[int] = set()
    for entry in log:
        chunk = next(chunk for chunk in order.chunks() if _same(entry["asked"], [order.items[n] for n in chunk]))
        gone = Counter(order.meaning(order.own(one["id"])) for one in entry["withheld"] if one["id"])
        for mean, times in gone.items():
            numbers = [number for number in chunk if order.means[number] == mean]
            expect(bool(numbers), "the log withholds what was not asked for")
            found |= set(numbers) if times >= (1 if order.once else len(numbers)) else set()
    return found


def _same(asked: Sequence[Any], items: Sequence[Any]) -> bool:
    return orjson.dumps(list(asked), option=orjson.OPT_SORT_KEYS) == orjson.dumps(items, option=orjson.OPT_SORT_KEYS)


def _check_places(order: Order, told: Told, given: Sequence[bool]) -> None:
    expect(len(told.records) == len(order.items), f"{len(told.records)} entries for {len(order.items)} items")
    for number, record in enumerate(told.records):
        meant = order.means[number] if given[number] else None
        came = order.meaning(record) if record is not None else None
        expect(came == meant, f"item {number} {order.items[number]} has the record {came}, not {meant}")


def _check_names(order: Order, told: Told, given: Sequence[bool]) -> None:
    came = Counter(order.meaning(record) for record in told.given)
    wanted = Counter(mean for mean, there in zip(order.means, given, strict=True) if mean and there)
    expect(came == wanted, f"{came - wanted} came, {wanted - came} didn't")
    names = Counter(miss["item"] for miss in told.misses if not miss.get("field"))
    lost = Counter(_name_of(item) for item, there in zip(order.items, given, strict=True) if not there)
    expect(names == lost, f"{names - lost} are missed, {lost - names} aren't")


def _check_reasons(told: Told, log: Sequence[Record]) -> None:
    """What the service says of an item it leaves out is the reason of the miss."""
    reasons = {miss["item"]: miss["reason"] for miss in told.misses}
    for one in (one for entry in log for one in entry["withheld"] if one["reason"] and one["id"] in reasons):
        expect(reasons[one["id"]] == one["reason"], f"the reason is {reasons[one['id']]}, not {one['reason']}")


def _name_of(item: Any) -> str:
    """How a person knows an item."""
    if not isinstance(item, Mapping):
        return str(item)
    whole = f"{item['first_name']} {item.get('last_name')}" if "first_name" in item else item.get("name")
    return str(item.get("email") or item.get("linkedin_url") or item.get("domain") or whole)


# Lists


def check_list(listing: Listing, told: Told, true: set[str], answers: Sequence[Asked], log: Sequence[Record]) -> Sums:
    """Raises BrokenError unless the run gave all that the sandbox did, once, and says where something is amiss."""
    came = [record["id"] for record in told.given]
    expect(len(came) == len(set(came)), f"{len(came) - len(set(came))} records came twice")
    rows = {row["id"] for each in answers for name in listing.rows for row in each.answer.get(name, ())}
    expect(set(came) == rows, f"the service gave {len(rows)} records, the run {len(came)}")
    expect(rows <= true, "the service gave what doesn't match")
    totals = [_total(each.answer) for each in sorted(answers, key=lambda each: _place(listing, each))]
    _check_end(listing, answers, len(true), totals)
    kinds = {kind for entry in log for kind in entry["kinds"]}
    last = next((total for total in reversed(totals) if total is not None), None)
    expect(last in (None, len(came)) or _says(told, last, len(came)), f"{last} matched, {len(came)} came, not told")
    expect(last != len(came) or not _says(told), f"{last} matched and came, and yet {told.warnings}")
    short = len(came) < len(true)
    if not kinds:
        expect(not short and not told.warnings, f"{len(came)} of {len(true)} came, {told.warnings}; nothing was odd")
    silent = short and not told.warnings
    if silent and last is None:
        expect("clamped" in kinds and answers[0].operation == "organizations_job_postings", "a list is short untold")
    elif silent:
        expect(last == len(came), f"{len(came)} of {len(true)} came, the service says {last}, and nothing is told")
    if kinds == {"clamped"} and not (silent and last is None):
        expect(not short and not told.warnings, f"{len(came)} of {len(true)} came on small pages, {told.warnings}")
    return Sums(
        runs=1,
        odd=bool(log),
        given=len(came),
        matched=len(true),
        short=short,
        told=short and not silent,
        wrong_total=silent and last is not None,
        no_total=silent and last is None,
    )


def _says(told: Told, *numbers: int) -> bool:
    """Whether a run tells that what came isn't what matched, with these numbers."""
    start = f"{numbers[0]:,} records matched, {numbers[1]:,} were given" if numbers else ""
    return any("records matched," in text and text.startswith(start) for text in told.warnings)


def _total(answer: Record) -> int | None:
    found: int | None = answer.get("pagination", answer).get("total_entries")
    return found


def _place(listing: Listing, asked: Asked) -> int:
    return int(asked.values.get("skip" if listing.size == "limit" else "page") or 0)


def _check_end(listing: Listing, answers: Sequence[Asked], true: int, totals: Sequence[int | None]) -> None:
    """Reading ends: no more requests than there may be pages by any total that was told, and a few."""
    sizes = [sum(len(each.answer.get(name, ())) for name in listing.rows) for each in answers]
    most = max(true, *(total or 0 for total in totals))
    allowed = most // max(1, *sizes) + 4
    expect(len(answers) <= allowed, f"{len(answers)} requests, {allowed} would do")


# All of them


@dataclass(slots=True)
class Suite:
    """The runs of a seed, and their sums by action."""

    seed: int
    sums: dict[str, Sums] = field(default_factory=dict)

    def whole(self, count: int, folder: Path) -> None:
        """`count` runs, each action in its turn, and workflows among them. Raises BrokenError."""
        bench = Bench(folder)
        slow = list(range(WORKFLOW_EVERY - 1, count, WORKFLOW_EVERY))
        turns = cycle([*BULK, *LISTS])
        for number in (number for number in range(count) if number not in slow):
            self._noted(number, bench, next(turns))
        bench.host.close()
        if slow:
            (folder / "workflows").mkdir()
            bench = Bench(folder / "workflows", time.time)
            for number in slow:
                self._noted(number, bench, "")
            bench.host.close()

    def _noted(self, number: int, bench: Bench, action: str) -> None:
        try:
            for name, sums in self._one(number, bench, action):
                self.sums[name] = self.sums.get(name, Sums()) + sums
        except BrokenError as error:
            raise BrokenError(f"seed {self.seed}, run {number}, {action or 'a workflow'}: {error}") from error

    def _one(self, number: int, bench: Bench, action: str) -> Iterator[tuple[str, Sums]]:
        rng = Random(f"{self.seed}/{number}")
        kinds = rng.choice(BULK_KINDS if action in BULK else LIST_KINDS) if action else ()
        odd = bench.apollo.odd(rng.randrange(1, 10**6), kinds)
        del bench.log[:], bench.apollo.asked[:]
        if not action:
            yield from self._workflow(bench, rng, odd)
        elif action in BULK:
            order = BULK[action](bench.world, rng)
            with odd:
                told = bench.run(action, order.values, every_page=False)
            yield action, check_order(order, told, bench.log)
        else:
            values = question(action, bench.world, rng)
            true = self._true(bench, action, values)
            with odd:
                told = bench.run(action, values, every_page=True)
            yield action, check_list(LISTS[action], told, true, bench.apollo.asked, bench.log)

    def _true(self, bench: Bench, action: str, values: Mapping[str, Any]) -> set[str]:
        """What matches, asked for while nothing is odd, of which the run must say nothing."""
        told = bench.run(action, values, every_page=True)
        true = {record["id"] for record in told.given}
        answers = bench.apollo.asked
        check_list(LISTS[action], told, true, answers, ())
        expect(_total(answers[0].answer) in (None, len(true)), "a whole list isn't as long as the service says")
        del answers[:]
        return true

    def _workflow(
        self, bench: Bench, rng: Random, odd: contextlib.AbstractContextManager[None]
    ) -> Iterator[tuple[str, Sums]]:
        """A list that is read to its end, and a bulk step; no mail is sent."""
        listed = rng.choice(list(LISTS))
        bulk = rng.choice([name for name in BULK if name != "emailer_campaigns_add_contact_ids"])
        order, values = BULK[bulk](bench.world, rng), question(listed, bench.world, rng)
        true = self._true(bench, listed, values)
        with odd:
            told = bench.workflow({"listed": (listed, values, True), "bulk": (bulk, order.values, False)})
        logs = {name: [entry for entry in bench.log if entry["operation"] == name] for name in (listed, bulk)}
        answers = [each for each in bench.apollo.asked if each.operation == listed]
        yield "workflow: all", check_list(LISTS[listed], _once(told["listed"]), true, answers, logs[listed])
        yield "workflow: bulk", check_order(order, told["bulk"], logs[bulk])

    def report(self) -> str:
        """The sums, a line for each action."""
        lines = [self._lines([*BULK, "workflow: bulk"], _BULK_COLUMNS), self._lines([*LISTS, "workflow: all"], _LISTED)]
        runs = sum(sums.runs for name, sums in self.sums.items() if name != "workflow: all")
        return "\n\n".join([*lines, f"seed {self.seed}: {runs} runs, every one accounts for what it was asked"])

    def _lines(self, names: Sequence[str], columns: Sequence[str]) -> str:
        rows = {name: self.sums[name] for name in names if name in self.sums}
        rows["in all"] = sum(rows.values(), Sums())
        lines = [f"{'':34}" + "".join(f"{name.replace('_', ' '):>12}" for name in columns)]
        for name, sums in rows.items():
            lines.append(f"{name:34}" + "".join(f"{getattr(sums, column):>12,}" for column in columns))
        return "\n".join(lines)


_BULK_COLUMNS = ("runs", "odd", "asked", "given", "not_found", "missed", "withheld", "unknown")
_LISTED = ("runs", "odd", "matched", "given", "short", "told", "wrong_total", "no_total")


def _once(told: Told) -> Told:
    """Each record once: a step keeps what came on each page, and hands on each record once."""
    return replace(told, records=list({record["id"]: record for record in told.given}.values()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.others.strange_runs")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    suite, begun = Suite(given.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="strange-") as folder:
        try:
            suite.whole(given.runs, Path(folder))
        except BrokenError as broken:
            print(broken, file=sys.stderr)
            return 1
    print(suite.report(), f"in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
