"""The whole plugin of Tidepool, a service made up for tests."""

from pathlib import Path

from apollo_component.connector.connector import Connector
from apollo_component.contract.loading import load_file

plugin = Connector(load_file(Path(__file__).parent / "connector.yaml"))
