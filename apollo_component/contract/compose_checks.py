"""What must hold of a composed action beyond its form: its parts exist, are free, and have the inputs it names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .actions import names
from .located import PathParts

Found = Iterator[tuple[PathParts, str]]
Fields = Callable[[Mapping[str, Any]], set[str]]
"""The input fields of a declared action, empty when they can't be read."""


def compose_checks(item: Mapping[str, Any], actions: Mapping[str, Mapping[str, Any]], fields: Fields) -> Found:
    """Problems with their paths below the action. `actions` are the sound ones of the manifest."""
    compose = item.get("compose")
    if not isinstance(compose, Mapping):
        return
    for path, name in _parts(compose):
        yield from ((("compose", *path), text) for text in _part_problems(name, actions))
    search = actions.get(compose.get("find", ""))
    if search is not None and "records" not in search.get("reply", {}):
        yield ("compose", "find"), "must be an action that gives a list of records"
    for path, name, known in _named(compose, fields(item), actions, fields):
        if known and name not in known:
            yield ("compose", *path), f"names no input field ({name})"
    if "find" not in compose and any("input" in way for way in compose["by"]):
        yield ("compose", "find"), "is required when a natural key is searched for"


def _parts(compose: Mapping[str, Any]) -> Iterator[tuple[PathParts, str]]:
    if "find" in compose:
        yield ("find",), compose["find"]
    for key in ("create", "update"):
        if key in compose:
            yield (key, "action"), compose[key]["action"]


def _part_problems(name: str, actions: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    part = actions.get(name)
    if part is None:
        yield "names no action of this manifest"
    elif "path" not in part:
        yield "must be an action with a route of its own"
    elif "credits" in part or part.get("effect") in ("bill", "send"):
        yield "must be an action that is free and sends to nobody"


def _named(
    compose: Mapping[str, Any], own: set[str], actions: Mapping[str, Mapping[str, Any]], fields: Fields
) -> Iterator[tuple[PathParts, str, set[str]]]:
    """Every name with its place and the fields it must be one of."""
    there = {key: fields(actions[name]) if name in actions else set[str]() for (key, *_), name in _parts(compose)}
    for number, way in enumerate(compose["by"]):
        for name in way["match"].values():
            yield ("by", number, "match"), name, own
        for name, values in way.get("input", {}).items():
            yield ("by", number, "input"), name, there.get("find", set())
            yield from ((("by", number, "input"), value, own) for value in names(values))
    create = compose["create"]
    for name in (*names(create.get("list")), *create.get("with", {})):
        yield ("create",), name, there["create"]
    if "update" in compose:
        yield ("update", "id"), compose["update"]["id"], there["update"]
