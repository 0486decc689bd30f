"""What each test takes: `pytest --times=FILE` writes it to FILE.PID of each process, and `python -m tests.times FILE...`
prints tables of it.

A line of the file is one test: {"test", "wall", "cpu"}, the two in seconds, set-up and tear-down included. CPU is
that of the test's own process and of the processes that it started and that have ended; what a process of the whole
session uses is counted for the test that ends it.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Times:
    """Writes a line for each test that this process runs."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(f"{path.name}.{os.getpid()}").open("w")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        wall, cpu = time.perf_counter(), cpu_seconds()
        answer = yield
        line = {"test": item.nodeid, "wall": time.perf_counter() - wall}
        self._file.write(json.dumps(line | {"cpu": cpu_seconds() - cpu}) + "\n")
        self._file.flush()
        return answer


def read(paths: list[Path]) -> list[dict[str, Any]]:
    """All lines of these files."""
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def table(lines: list[dict[str, Any]], key: Any) -> list[tuple[str, int, float, float]]:
    """Name, tests, wall and CPU seconds of each group, the most expensive first."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[key(line["test"])].append(line)
    rows = [
        (name, len(part), sum(r["wall"] for r in part), sum(r["cpu"] for r in part)) for name, part in groups.items()
    ]
    return sorted(rows, key=lambda row: -row[2])


def main() -> None:
    lines = read([Path(name) for name in sys.argv[1:]])
    for title, key in (
        ("Folder", lambda test: test.split("/")[1]),
        ("File", lambda test: test.split("::")[0].removeprefix("tests/")),
    ):
        print(f"| {title} | Tests | Wall | CPU |\n| --- | --- | --- | --- |")
        for name, count, wall, cpu in table(lines, key):
            print(f"| {name} | {count} | {wall:.1f} | {cpu:.1f} |")
        print()


if __name__ == "__main__":
    main()
