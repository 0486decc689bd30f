"""Every cell of the table of faults: what is promised is what happens, by the host's word and by the service's own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Postgres
from tests.tiers import tiered

from ..conftest import Sandbox
from .bench import Bench
from .outcomes import CHECKS, anywhere
from .processes import ON_SERVER, PROCESSES
from .strikes import ARMS
from .table import ELSEWHERE, load
from .works import WORKS, Work, public_url

pytestmark = pytest.mark.real
TABLE = load()


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    sandbox = Sandbox()
    sandbox.reset()
    made = Bench(sandbox, tmp_path_factory.mktemp("bench"))
    yield made
    made.stop()
    sandbox.stop()


def test_the_table_is_whole() -> None:
    """Every outcome that is tried has its check, every fault its strike, every column its work."""
    assert {*CHECKS, *ELSEWHERE} == set(TABLE.outcomes)
    assert set(WORKS) == set(TABLE.works)
    assert set(ARMS) == {name for name, fault in TABLE.faults.items() if not fault.chaos}
    assert set(PROCESSES) == {name for name, fault in TABLE.faults.items() if fault.chaos}
    assert {fault.rule for fault in TABLE.faults.values()} == set(TABLE.rules)


def proved(
    bench: Bench, home: Path, fault: str, work: str, happen: Callable[[Work], Any], server: Postgres | None = None
) -> float:
    """Build the cell, let it happen, and check all that is promised; the seconds it took."""
    begun = time.perf_counter()
    database = server.database() if server else ""
    world = bench.world(home, database, public_url() if work == "delivery" else "")
    world.server = server
    try:
        cell = WORKS[work](world, fault)
        happen(cell)
        anywhere(cell)
        CHECKS[TABLE.faults[fault].cells[work]](cell)
    finally:
        world.stop()
        if server:
            server.drop(database)
    return time.perf_counter() - begun


CHOSEN = TABLE.chosen()
"""Every outcome of every fault has a cell in `make test`."""


@pytest.mark.parametrize(("fault", "work"), tiered(TABLE.cells(chaos=False), CHOSEN))
def test_the_promise_of_a_cell_holds(bench: Bench, tmp_path: Path, record_property: Any, fault: str, work: str) -> None:
    """The outcome is the promised one, each repeat is listed, no error is unclassified, and nothing is lost."""
    record_property("fault", proved(bench, tmp_path / "home", fault, work, lambda cell: cell.run(ARMS[fault])))


@pytest.mark.chaos
@pytest.mark.parametrize(("fault", "work"), tiered(TABLE.cells(chaos=True), CHOSEN))
def test_the_promise_holds_for_processes(
    bench: Bench, tmp_path: Path, record_property: Any, request: pytest.FixtureRequest, fault: str, work: str
) -> None:
    """The same, where the process itself dies or stands still, or the database's server restarts."""
    server = request.getfixturevalue("postgres") if fault in ON_SERVER else None
    record_property("fault", proved(bench, tmp_path / "home", fault, work, PROCESSES[fault], server))
