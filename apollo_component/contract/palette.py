"""The palette of the installed connectors, read from their indexes without importing or running any of them.

Standard library only, and little of it: a host draws its palette with this at every start.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

INDEX = "connector.index.json"
ENTRY_POINTS = "workflow_connectors"


def palette() -> dict[str, Any] | None:
    """`{connectors: [...]}`, or None when a connector has no index (a checkout) and must be loaded in full."""
    indexes = list(_indexes())
    if not indexes or None in indexes:
        return None
    return {"connectors": [palette_entry(index["manifest"]) for index in indexes if index]}


def palette_entry(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a node palette shows of one connector; deprecated actions are left out."""
    return {
        "id": manifest["id"],
        "version": manifest["version"],
        "title": manifest["title"],
        "groups": [{"id": item["id"], "title": item["title"]} for item in manifest["groups"]],
        "connection_types": [{"id": kind["id"], "title": kind["title"]} for kind in manifest["connection_types"]],
        "actions": [_action(item) for item in manifest["actions"] if not item.get("deprecated")],
        "triggers": [{"id": item["id"], "title": item["title"]} for item in manifest.get("triggers", [])],
    }


def _action(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "title": item["title"],
        "group": item["group"],
        "credits": item.get("credits", {}).get("base", 0),
        "requires": item.get("requires", {}),
    }


def _indexes() -> Iterator[dict[str, Any] | None]:
    for entry in entry_points(group=ENTRY_POINTS):
        spec = importlib.util.find_spec(entry.module.partition(".")[0])
        folder = Path(spec.origin).parent if spec and spec.origin else None
        yield _read(folder / INDEX) if folder else None


def _read(file: Path) -> dict[str, Any] | None:
    try:
        index: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return index
