"""Which cases of a matrix are in both tiers of tests."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def tiered(cases: Iterable[tuple[Any, ...]], quick: Collection[tuple[Any, ...]]) -> list[Any]:
    """Parameters for all cases: those in `quick` run in `make test`, too, the others in `make test-all` alone."""
    return [pytest.param(*case, marks=() if case in quick else pytest.mark.full) for case in cases]
