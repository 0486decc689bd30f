"""The palette as text. Standard library only: a host asks for it at every start."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.palette import price


def shown(palette: Mapping[str, Any], *, as_json: bool) -> str:
    """One line of JSON, or aligned text grouped by group."""
    if as_json:
        return json.dumps(palette, ensure_ascii=False, separators=(",", ":")) + "\n"
    return "\n".join(line for connector in palette["connectors"] for line in _lines(connector)) + "\n"


def _lines(connector: Mapping[str, Any]) -> Iterator[str]:
    actions = connector["actions"]
    titles = {group["id"]: group["title"] for group in connector.get("groups", [])}
    wide = max((len(item["id"]) for item in actions), default=0)
    long = max((len(item["title"]) for item in actions), default=0)
    types = ", ".join(kind["id"] for kind in connector["connection_types"])
    yield f"{connector['title']} {connector['version']} (connector {connector['id']}; connection types: {types})"
    for group in dict.fromkeys(item["group"] for item in actions):
        yield ""
        yield titles.get(group, group.replace("_", " ").capitalize())
        for item in actions:
            if item["group"] == group:
                yield f"  {item['id']:<{wide}}  {item['title']:<{long}}  {price(item)}"
    if triggers := connector["triggers"]:
        yield ""
        yield "Triggers"
        yield from (f"  {item['id']:<{wide}}  {item['title']}" for item in triggers)
