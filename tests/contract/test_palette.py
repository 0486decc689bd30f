"""The palette: what a host draws at every start, from indexes alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from apollo_component.contract.loading import load_file
from apollo_component.contract.palette import palette_entry

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("httpx", "jsonschema", "yaml", "pluggy", "sqlalchemy", "acme")


def test_an_entry_shows_what_a_palette_needs() -> None:
    """Groups, titles, costs and needs of every action, and the ways to connect, are in the entry."""
    entry = palette_entry(load_file(ROOT / "connector.yaml").data)
    match = next(item for item in entry["actions"] if item["id"] == "people_match")
    assert match["credits"] == 1
    assert match["requires"] == {"key_endpoint": "api/v1/people/match", "oauth_scope": "people_match"}
    assert [kind["id"] for kind in entry["connection_types"]] == ["api_key", "oauth2"]
    assert json.loads(json.dumps(entry)) == entry


def declared(**more: Any) -> dict[str, Any]:
    action = {"id": "a", "title": "A", "group": "g"}
    top = {"id": "acme", "version": "1.0.0", "title": "Acme", "connection_types": [{"id": "k", "title": "K"}]}
    top["groups"] = [{"id": "g", "title": "G"}]
    return top | {"actions": [action, action | {"id": "old", "deprecated": "Use a."}]} | more


def test_deprecated_actions_are_not_offered() -> None:
    """A deprecated action is left out; missing sections and costs count as none."""
    entry = palette_entry(declared())
    free = {"credits": 0, "credits_each": False, "credits_more": False}
    assert entry["actions"] == [{"id": "a", "title": "A", "group": "g", **free, "requires": {}}]
    assert entry["groups"] == [{"id": "g", "title": "G"}]
    assert entry["triggers"] == []


@pytest.mark.parametrize("index", ["good", "broken", "absent"])
def test_an_installed_palette_imports_nothing_heavy(tmp_path: Path, index: str) -> None:
    """The palette of installed connectors comes from their indexes, without running them or importing a library;
    a connector without a readable index makes the whole palette unknown."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").write_text("raise RuntimeError('was imported')")
    info = tmp_path / "acme-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[workflow_connectors]\nacme = acme.plugin:plugin\n")
    if index != "absent":
        text = json.dumps({"format": 1, "manifest": declared()}) if index == "good" else "{"
        (tmp_path / "acme" / "connector.index.json").write_text(text)
    code = (
        "import sys, json; sys.path[:0] = sys.argv[1:3]\n"
        "from apollo_component.contract.palette import palette\n"
        f"print(json.dumps([palette(), [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path), str(ROOT)], capture_output=True, text=True, check=True
    )
    found, heavy = json.loads(done.stdout)
    assert heavy == []
    assert found == ({"connectors": [palette_entry(declared())]} if index == "good" else None)
