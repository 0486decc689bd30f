"""The soak of workers on one PostgreSQL, small: the whole of it is `make soak`."""

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.soak import Plan, soak
from tests.postgres import Postgres

pytestmark = [pytest.mark.chaos, pytest.mark.full]


def test_killed_workers_lose_nothing_and_repeat_nothing_recorded(
    registered: None, postgres: Postgres, tmp_path: Path, record_property: Any
) -> None:
    """Two workers, killed and replaced, against a faulty service: every run done, nothing recorded sent twice, every
    lost answer listed, quotas kept, no secret told."""
    found = soak(Plan(seconds=12, workers=2, every=5, ahead=8), postgres, tmp_path)
    record_property("figures", found.told().replace("\n", "; "))
    assert found.kills == 2
    assert found.problems(actions=60) == []
