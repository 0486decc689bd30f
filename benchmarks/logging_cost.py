"""What a line of the structured log costs: `python benchmarks/logging_cost.py`. Nothing is asserted."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from apollo_component.host.events import LogEvent
from apollo_component.host.logs import bound, log, written
from apollo_component.host.watching import watched

TIMES = 20_000


def line() -> None:
    log(LogEvent.REQUEST_ANSWERED, status=200, ms=120, left={"minute": 40, "hour": 200, "day": 1900}, credits=1.0)


def hook() -> None:
    watched("demo", "connector_execute", {"action": "find", "context": None}, lambda arguments: arguments)


def microseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(TIMES):
        work()
    return (time.perf_counter() - begun) / TIMES * 1e6


def main() -> None:
    place = {"run": "20261124-000000-abcdef", "step": "enrich", "item": "12", "connection": "a" * 24, "action": "find"}
    with tempfile.TemporaryDirectory() as folder, bound(**place):
        print(f"a line nobody hears         {microseconds(line):8.2f} µs")
        print(f"a hook nobody watches       {microseconds(hook):8.2f} µs")
        for name, wanted in (("file", str(Path(folder) / "host.log")), ("/dev/null", os.devnull)):
            with written({"WORKFLOW_HOST_LOG": wanted}):
                print(f"a line to {name:<17} {microseconds(line):8.2f} µs")


if __name__ == "__main__":
    main()
