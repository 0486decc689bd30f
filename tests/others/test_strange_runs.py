"""A few of the runs against a sandbox with odd answers; `make strange` makes all 500."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.others.strange_orders import BULK, LISTS
from tests.others.strange_runs import Bench, BrokenError, Suite, check_order

FEW = 60


@pytest.mark.full
def test_every_run_accounts_for_what_it_was_asked(tmp_path: Path) -> None:
    """Given, not found and named misses are what was asked in every run, and a list that is short says so."""
    suite = Suite(seed=7)
    suite.whole(FEW, tmp_path)
    sums = suite.sums
    assert set(sums) == {*BULK, *LISTS, "workflow: all", "workflow: bulk"}
    bulk = [sums[name] for name in BULK]
    assert sum(one.withheld for one in bulk) > 0 < sum(one.unknown for one in bulk)
    assert all(one.given + one.not_found + one.missed == one.asked for one in bulk)
    assert all(one.withheld + one.unknown == one.not_found + one.missed for one in bulk)
    lists = [sums[name] for name in LISTS]
    assert all(one.told + one.wrong_total + one.no_total == one.short for one in lists)
    assert sum(one.told for one in lists) > 0


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"not_found": 0}, "given, not found and missed are"),
        ({"asked": 1}, "asked is 1 of"),
        ({"records": []}, "0 records came"),
    ],
)
def test_a_run_that_lies_is_found(tmp_path: Path, changed: dict[str, Any], text: str) -> None:
    """What is neither given nor named ends the runs, as do records and counts that are not the world's."""
    bench = Bench(tmp_path)
    order = BULK["people_bulk_match"](bench.world, Random(3))
    told = bench.run("people_bulk_match", order.values, every_page=False)
    bench.host.close()
    assert told.not_found == check_order(order, told, ()).not_found > 0
    with pytest.raises(BrokenError, match=text):
        check_order(order, replace(told, **changed), ())
    there = next(number for number, record in enumerate(told.records) if record)
    misplaced = [*told.records[there + 1 :], *told.records[: there + 1]]
    with pytest.raises(BrokenError, match="has the record"):
        check_order(order, replace(told, records=misplaced), ())
