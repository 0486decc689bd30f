"""The table of faults as values, checked while it is read: every cell is there, and its words are of the closed lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "table.yaml"


@dataclass(frozen=True)
class Fault:
    id: str
    title: str
    rule: str
    cells: dict[str, str]
    chaos: bool = False
    """Whether it takes processes or a database server of its own, and so more time."""


ELSEWHERE = ("n/a", "by_storm")
"""Outcomes of cells that are not run here."""


@dataclass(frozen=True)
class Table:
    """`outcomes`, `rules` and `works` are sentences by their ids; every fault has a cell for every work."""

    outcomes: dict[str, str]
    rules: dict[str, str]
    works: dict[str, str]
    faults: dict[str, Fault]

    def cells(self, *, chaos: bool) -> Iterator[tuple[str, str]]:
        """The cells that are tried here, fault by fault."""
        for fault in self.faults.values():
            if fault.chaos == chaos:
                yield from ((fault.id, work) for work, outcome in fault.cells.items() if outcome not in ELSEWHERE)

    def chosen(self) -> set[tuple[str, str]]:
        """One cell of each outcome of each fault: another work with every fault, so that all works have their turn."""
        found = set()
        for place, fault in enumerate(self.faults.values()):
            for outcome in {*fault.cells.values()} - {*ELSEWHERE}:
                works = [work for work, other in fault.cells.items() if other == outcome]
                found.add((fault.id, works[place % len(works)]))
        return found


def load(file: Path = FILE) -> Table:
    """Raises ValueError for a cell that is missing, or a word that isn't in its list."""
    data = yaml.safe_load(file.read_text("utf-8"))
    faults = {name: Fault(name, **row) for name, row in data["faults"].items()}
    for fault in faults.values():
        if set(fault.cells) != set(data["works"]):
            raise ValueError(f"{fault.id}: cells that are missing or too many")
        if unknown := set(fault.cells.values()) - set(data["outcomes"]):
            raise ValueError(f"{fault.id}: no such outcome: {sorted(unknown)}")
        if fault.rule not in data["rules"]:
            raise ValueError(f"{fault.id}: no such rule: {fault.rule}")
    return Table(data["outcomes"], data["rules"], data["works"], faults)
