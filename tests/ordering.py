"""In which order tests run, and which of them stay together on one worker.

What waits (processes, browsers) begins first, so that the processor has something to do meanwhile. The tests of a file
run on one worker, since they share its fixtures; those of the files in `SPREAD` share nothing that is dear. `--shuffle
SEED` mixes files, and tests within their files: nothing may depend on either.
"""

import random

import pytest
from xdist.scheduler import LoadScopeScheduling

SPREAD = (
    "tests/chaos/test_", "tests/cli/test_cli_bad_input", "tests/cli/test_cli_run", "tests/cli/test_cli_workflows",
    "tests/host/test_fleet", "tests/host/test_triggers_live", "tests/host/test_worker",
)  # fmt: skip
WAITING = ("browser", "chaos", "real")


class ByFile(LoadScopeScheduling):
    """One unit of work for each file, or for each test of the files in `SPREAD`, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(SPREAD) else nodeid.partition("::")[0]


def ordered(items: list[pytest.Item], seed: int | None) -> list[pytest.Item]:
    """The tests file by file: those that wait first, or all in the order of a seed."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    if seed is None:
        groups = sorted(files.values(), key=lambda file: not any(map(file[0].get_closest_marker, WAITING)))
    else:
        chance = random.Random(seed)
        groups = [chance.sample(file, len(file)) for file in files.values()]
        chance.shuffle(groups)
    return [item for group in groups for item in group]
