"""Clients that others wrote, in an environment of their own, get along with the sandbox."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import outcomes

pytestmark = [pytest.mark.real, pytest.mark.full]

REFUSED = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text("utf-8"))


@pytest.mark.parametrize("client", ["gtm", "qodev", "leads", "oauth"])
def test_a_client_gets_along_with_the_sandbox(client: str, python: Path, facts: dict[str, Any]) -> None:
    """Each call of a client passes, or fails as refused.yaml says and for the reason it gives."""
    found = outcomes(python, client, facts)
    refused = {call: says for group in REFUSED.get(client, []) for call, says in group["calls"].items()}
    assert set(refused) <= set(found)
    wrong = [
        f"{call}: {error or 'passed'}" for call, error in found.items() if not _as_listed(error, refused.get(call))
    ]
    assert not wrong, "\n".join(wrong)


def _as_listed(error: str, says: str | None) -> bool:
    return says in error if says else not error
