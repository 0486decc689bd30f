"""Makes the compact index that a wheel carries, from connector.yaml and the schemas, with every check."""

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IndexHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install reads connector.yaml itself, so that it is never stale."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        loading = importlib.import_module("apollo_component.contract.loading")
        self.folder = tempfile.TemporaryDirectory()
        target = Path(self.folder.name) / loading.INDEX
        target.write_text(json.dumps(loading.index_of(root), ensure_ascii=False, separators=(",", ":")), "utf-8")
        build_data["force_include"][str(target)] = f"apollo_component/{loading.INDEX}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if version != "editable":
            self.folder.cleanup()
