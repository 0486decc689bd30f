"""The toy service and its app, for a host that other plugins try to listen to."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.toy.conftest import app, pool  # noqa: E402, F401
