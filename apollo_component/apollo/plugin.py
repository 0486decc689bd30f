"""The Apollo plugin: the manifest on the manifest-driven connector, with Apollo's quirks."""

from pathlib import Path

from ..connector.connector import Connector
from ..contract.loading import load
from .quirks import QUIRKS

plugin = Connector(load(Path(__file__).parent.parent), QUIRKS)
