"""A dry run: the request that would be sent first, how many there are, and what they cost. Nothing is sent."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .output import plain, table

LINES = 60
"""How much of a body is shown to people; --json has the whole."""


def show(found: Mapping[str, Any], *, looked_up: bool) -> None:
    for line in _lines(found):
        print(plain(line))
    if "request" not in found:
        table(("input", "goes into"), found["inputs"].items(), empty="No inputs.")
    print("At most the custom fields were looked up." if looked_up else "Nothing was sent.")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for part in found.get("parts", [found | found.get("request", {})]):
        when = f"; {part['when']}" if "when" in part else ""
        yield f"{part['method']} {part['path']}  ({part['action']}, effect: {part['effect']}{when})"
    yield from _content(found.get("request", {}))
    yield f"Requests: {_number(found)}"
    worst = found["worst_credits"]
    yield f"Credits at most: {_credits(worst)}"
    if found.get("covered") is False:
        yield f"The budget of {found['budget']:g} won't cover that: a request that it doesn't cover isn't sent."
    if split := found.get("split"):
        worst = split["worst_credits"]
        dear = "" if worst == 0 else f", {'no known limit of' if worst is None else f'{worst:g}'} credits for them"
        yield f"When it is too large for one query: up to {split['first_pages']:,} first pages to plan the parts{dear}"


def _content(request: Mapping[str, Any]) -> Iterator[str]:
    if query := request.get("query"):
        yield "Query:"
        yield from (f"  {name}={value}" for name, value in query)
    if request.get("body") is None:
        return
    yield "Body:"
    lines = json.dumps(request["body"], ensure_ascii=False, indent=2).splitlines()
    yield from (f"  {line}" for line in lines[:LINES])
    if lines[LINES:]:
        yield f"  ({len(lines) - LINES:,} lines more; --json shows all)"


def _number(found: Mapping[str, Any]) -> str:
    count = found["requests"]
    if count is None:
        return "1 or more; the first answer tells"
    if "parts" in found:
        return f"{count} at most, as the search tells"
    return f"{count:,}; this is the first" if count > 1 else str(count)


def _credits(worst: float | None) -> str:
    return "no limit is known" if worst is None else f"{worst:g}"
