"""Extracts apollo.json from a catalogue of Apollo's endpoints: `python tests/facts/extract.py CATALOGUE.yaml`.

Run once when the catalogue changes; the result is committed with the catalogue's digest. Neither the manifest nor
the sandbox is made from it: tests compare both with it.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).with_name("apollo.json")
PARAMETERS = ("path_params", "query_params", "body_params")


def facts(operation: dict[str, Any]) -> dict[str, Any]:
    """Method, path, parameters by their JSON names, the required ones, scope and key endpoint of one operation."""
    listed = [item for kind in PARAMETERS for item in operation.get(kind, [])]
    return {
        "method": operation["method"],
        "path": operation["path"],
        "parameters": sorted({name(item) for item in listed}),
        "required": sorted({name(item) for item in listed if item.get("required")}),
        "unverified": sorted({name(item) for item in listed if item.get("unverified")}),
        "oauth_scope": operation.get("oauth_scope"),
        "key_endpoint": operation.get("api_key_scope"),
        "master_key": bool(operation.get("master_key_required")),
        "quota_class": operation["rate_limit_class"],
        "deprecated": bool(operation.get("deprecated")),
    }


def name(parameter: dict[str, Any]) -> str:
    """The name in a JSON body: no brackets, a dot for what is nested."""
    return str(parameter.get("json_name") or parameter["name"]).replace("[]", "").removesuffix(".")


def main(catalogue: Path) -> None:
    raw = catalogue.read_bytes()
    data = yaml.safe_load(raw)
    result = {
        "source": {"sha256": hashlib.sha256(raw).hexdigest(), "catalogue": data["meta"]["catalogue_made"]},
        "operations": {item["id"]: facts(item) for item in data["endpoints"]},
    }
    TARGET.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
