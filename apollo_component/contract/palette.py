"""The palette of the installed connectors, read from their indexes without importing or running any of them.

A host draws its palette with this at every start, so it imports next to nothing: `importlib.metadata` alone would
cost more than all the rest.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

INDEX = "connector.index.json"
ENTRY_POINTS = "workflow_connectors"


def palette() -> dict[str, Any] | None:
    """`{connectors: [...]}`, or None when a connector has no index (a checkout) and must be loaded in full."""
    indexes = [_index(package) for package in _packages()]
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
        "actions": [action_entry(item, manifest) for item in manifest["actions"] if not item.get("deprecated")],
        "triggers": [
            {key: item[key] for key in ("id", "title", "group", "style", "interval")}
            for item in manifest.get("triggers", [])
        ],
    }


def price(item: Mapping[str, Any]) -> str:
    """What an action costs, in short: for each item of a list where that counts, and whether options add to it."""
    text = cost(item["credits"])
    if not item["credits"]:
        return text
    each = " each" if item.get("credits_each") else ""
    return f"{text}{each} or more" if item.get("credits_more") else f"{text}{each}"


def cost(credit: float | None) -> str:
    """What one request (or item) costs before options that add to it."""
    if credit is None:
        return "varies"
    return f"{credit:g} credit{'s'[: credit != 1]}" if credit else "free"


def action_entry(item: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`credits_each` tells that each item of a list costs, `credits_more` that options can add to it."""
    return {
        "id": item["id"],
        "title": item["title"],
        "group": item["group"],
        "credits": _cost(item.get("credits", {})),
        "credits_each": bool(item.get("credits", {}).get("per")),
        "credits_more": any(item.get("credits", {}).get(key) for key in ("flags", "unbounded")),
        "requires": _needs(item["compose"], manifest) if "compose" in item else item.get("requires", {}),
    }


def _needs(compose: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the parts of a composed action need together."""
    names = {compose.get("find"), compose["create"]["action"], compose.get("update", {}).get("action")}
    parts = [item.get("requires", {}) for item in manifest["actions"] if item["id"] in names]
    return {
        "key_endpoints": [part["key_endpoint"] for part in parts if "key_endpoint" in part],
        "oauth_scopes": [part["oauth_scope"] for part in parts if "oauth_scope" in part],
    }


def _cost(credits: Mapping[str, Any]) -> float | None:  # noqa: A002
    """Credits of one request or item before options that add to it; None where the service states no limit, or the
    person states the cost."""
    return None if credits.get("variable") or credits.get("stated_by") else credits.get("base", 0)


def _packages() -> list[str]:
    """The top-level packages that installed distributions name as connectors, each once."""
    found = (package for folder in sys.path for package in _named_in(folder or "."))
    return list(dict.fromkeys(found))


def _named_in(folder: str) -> Iterator[str]:
    try:
        names = sorted(entry for entry in os.listdir(folder) if entry.endswith(".dist-info"))  # noqa: PTH208
    except OSError:
        return
    for name in names:
        yield from _connectors(os.path.join(folder, name, "entry_points.txt"))  # noqa: PTH118


def _connectors(file: str) -> Iterator[str]:
    """The packages in one entry_points.txt: lines such as `name = package.module:object` under our group."""
    try:
        with open(file, encoding="utf-8") as lines:  # noqa: PTH123
            group = ""
            for line in lines:
                text = line.partition("#")[0].strip()
                if text.startswith("["):
                    group = text.strip("[]").strip()
                elif group == ENTRY_POINTS and "=" in text:
                    yield text.partition("=")[2].strip().partition(":")[0].partition(".")[0]
    except (OSError, UnicodeDecodeError):
        return


def _index(package: str) -> dict[str, Any] | None:
    for folder in sys.path:
        try:
            with open(os.path.join(folder or ".", package, INDEX), "rb") as file:  # noqa: PTH118, PTH123
                found: dict[str, Any] = json.load(file)
                return found
        except (OSError, ValueError):
            continue
    return None
