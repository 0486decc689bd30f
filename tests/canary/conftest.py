"""Puts the checkout on the path, so that the scanner can be imported."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
