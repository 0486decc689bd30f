"""What a run or a step was asked for and what came of it, counted in items and said in words."""

from collections.abc import Mapping
from typing import Any

MISSES_KEPT = 1000
"""Named misses that a run or a step keeps; the count goes on."""


def accounts_of(asked: int, records: int, not_found: int, missed: int, misses: list[dict[str, str]]) -> dict[str, Any]:
    """`{asked, given, not_found, missed, misses}` of a run or a step, in items; empty for a search."""
    if not (asked or missed or misses):
        return {}
    given = max(0, asked - not_found - missed) if asked else records
    told = {"asked": asked, "given": given, "not_found": not_found, "missed": missed}
    return told | ({"misses": misses[:MISSES_KEPT]} if misses else {})


def accounts_line(told: Mapping[str, Any]) -> str:
    """What was asked for and what came of it, in words; empty where everything came."""
    missed, lost = told.get("missed", 0), told.get("not_found", 0)
    if not missed:
        return ""
    parts = [f"asked {told['asked']:,}", f"given {told['given']:,}"] if told.get("asked") else []
    parts += [f"{lost:,} not found"] if lost and parts else []
    return ", ".join([*parts, f"{missed:,} missed"])
