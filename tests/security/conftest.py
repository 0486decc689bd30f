"""The connector as it is declared, with no network."""

from pathlib import Path

import pytest

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.loading import load_file

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def connector() -> Connector:
    return Connector(load_file(ROOT / "connector.yaml"), QUIRKS, environ={})
