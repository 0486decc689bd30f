"""The made-up world: people and companies that never change, and a team's own records, which do."""

from ..world.build import build_world
from ..world.model import World

__all__ = ["World", "build_world"]
