"""Workflow files: read, checked against everything that is known before a run, and all mistakes told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...contract.actions import Action
from ...contract.errors import ManifestError, Problem
from ...contract.loading import root_of
from ...contract.located import Located, PathParts, parse, read
from ...contract.manifest import Manifest
from ...contract.models import Effect
from ...contract.schemas import Schemas, guess
from .expressions import is_reference, problem, references

SCHEMA = "schemas/workflow.schema.json"


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    action: Action
    connection: str
    connector: str
    position: int
    with_: Mapping[str, Any] = field(default_factory=dict, repr=False)
    when: str | None = None
    for_each: str | None = None
    batch: int | None = None
    concurrency: int = 4
    all: bool = False
    limit: int | None = None
    on_error: str = "stop"
    on_unknown: str = "repeat"
    max_credits_per_record: float | None = None
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """`connections` maps the file's names to (connector, stored name or ""); `inputs` to their declarations."""

    name: str
    description: str
    connections: Mapping[str, tuple[str, str]]
    inputs: Mapping[str, Mapping[str, Any]]
    budget: float | None
    steps: tuple[Step, ...]
    text: str = field(repr=False)

    def actions(self, connector: str) -> list[str]:
        """The ids of a connector's actions that the steps run, each once."""
        return list(dict.fromkeys(step.action.id for step in self.steps if step.connector == connector))


def load_workflow(file: Path, manifests: Mapping[str, Manifest]) -> Workflow:
    """A checked workflow. Raises ManifestError with every problem at its line."""
    return _checked(read(file), file.read_text("utf-8") if file.is_file() else "", manifests)


def parse_workflow(text: str, manifests: Mapping[str, Manifest], name: str = "workflow") -> Workflow:
    return _checked(parse(text, name), text, manifests)


def _checked(located: Located, text: str, manifests: Mapping[str, Manifest]) -> Workflow:
    problems = list(located.problems)
    if located.data is not None or not problems:
        found = [*_schema_problems(located.data), *_cross_checks(located.data, manifests)]
        problems += [located.problem(path, said) for path, said in dict.fromkeys(found)]
    if problems:
        problems.sort(key=lambda item: item.line)
        count = f"{len(problems)} problem{'s'[: len(problems) > 1]}"
        raise ManifestError(f"{located.file} has {count}; nothing was run.", problems)
    return _built(located.data, text, manifests)


def _schema_problems(data: Any) -> list[tuple[PathParts, str]]:
    return Schemas(root_of(Path(__file__).parent.parent.parent)).problems(SCHEMA, data)


def _built(data: Mapping[str, Any], text: str, manifests: Mapping[str, Manifest]) -> Workflow:
    connections = {name: (item["connector"], item.get("use", "")) for name, item in data["connections"].items()}
    steps = tuple(_step(item, number, connections, manifests) for number, item in enumerate(data["steps"]))
    return Workflow(
        name=data["name"],
        description=data.get("description", ""),
        connections=connections,
        inputs=data.get("inputs", {}),
        budget=data.get("budget"),
        steps=steps,
        text=text,
    )


def _step(
    item: Mapping[str, Any], number: int, connections: Mapping[str, tuple[str, str]], manifests: Mapping[str, Manifest]
) -> Step:
    alias = item.get("connection") or next(iter(connections))
    connector = connections[alias][0]
    rest = {key: value for key, value in item.items() if key not in ("id", "action", "connection", "with")}
    action = manifests[connector].actions[item["action"]]
    return Step(item["id"], action, alias, connector, number, item.get("with", {}), **rest)


def _cross_checks(data: Any, manifests: Mapping[str, Manifest]) -> Iterator[tuple[PathParts, str]]:
    """What the schema can't say. Parts that have the wrong type are left to the schema."""
    if not isinstance(data, dict):
        return
    connections = _mapping(data.get("connections"))
    for alias, item in connections.items():
        if isinstance(item, dict) and isinstance(item.get("connector"), str) and item["connector"] not in manifests:
            known = ", ".join(manifests) or "none"
            yield ("connections", alias, "connector"), f"is not installed here; installed: {known}"
    earlier: dict[str, None] = {}
    steps = data.get("steps")
    for number, item in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(item, dict):
            continue
        names = {"inputs": set(_mapping(data.get("inputs"))), "steps": set(earlier)}
        for path, text in _step_checks(item, connections, names, manifests, data):
            yield ("steps", number, *path), text
        if isinstance(item.get("id"), str):
            if item["id"] in earlier:
                yield ("steps", number, "id"), "stands twice"
            earlier[item["id"]] = None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _step_checks(
    item: dict[str, Any],
    connections: dict[str, Any],
    names: dict[str, set[str]],
    manifests: Mapping[str, Manifest],
    data: dict[str, Any],
) -> Iterator[tuple[PathParts, str]]:
    yield from _expression_checks(item, names)
    if "batch" in item and "for_each" not in item:
        yield ("batch",), "goes with for_each"
    if "limit" in item and item.get("all") is not True:
        yield ("limit",), "goes with all: true"
    if item.get("all") is True and "for_each" in item:
        yield ("all",), "can't be combined with for_each"
    alias = item.get("connection") or next(iter(connections), "")
    if "connection" not in item and len(connections) > 1:
        yield ("connection",), f"is required when there are several connections ({', '.join(connections)})"
        return
    if not isinstance(alias, str):
        return
    if alias not in connections:
        yield ("connection",), f"is none of this file's connections ({', '.join(connections) or 'none'})"
        return
    manifest = manifests.get(str(_mapping(connections.get(alias)).get("connector")))
    if manifest is None or not isinstance(item.get("action"), str):
        return
    if item["action"] not in manifest.actions:
        yield ("action",), _unknown_action(item["action"], manifest)
        return
    yield from _action_checks(item, manifest.actions[item["action"]], manifest, data)


def _unknown_action(name: str, manifest: Manifest) -> str:
    return f"is no action of {manifest.id}" + (guess(name, manifest.actions) or "; see `palette`")


def _action_checks(
    item: dict[str, Any], action: Action, manifest: Manifest, data: dict[str, Any]
) -> Iterator[tuple[PathParts, str]]:
    values = item.get("with", {})
    if not isinstance(values, dict):
        return
    if action.effect.of(values) is Effect.SEND and item.get("confirm") is not True:
        yield ("confirm",), "must be true: this action sends to real people"
    if is_reference(values):
        return
    schemas = Schemas(manifest.root)
    for path, text in schemas.problems(action.input, values, known=lambda value: not is_reference(value)):
        yield ("with", *path), text
    if item.get("all") is True and action.paging is None:
        yield ("all",), "this action has no pages"
    given = {flag: values.get(flag) for flag in action.credits.unbounded}
    unbounded = [flag for flag, value in given.items() if value is True or is_reference(value)]
    if unbounded and "budget" in data and "max_credits_per_record" not in item:
        yield ("max_credits_per_record",), f"is required with a budget: {unbounded[0]} has no stated limit of cost"


def _expression_checks(item: dict[str, Any], names: dict[str, set[str]]) -> Iterator[tuple[PathParts, str]]:
    outside: dict[str, Any] = dict(names)
    inside = outside | ({"item": None, "index": None} if "for_each" in item else {})
    for key in ("when", "for_each"):
        if isinstance(item.get(key), str) and (text := problem(item[key], outside)):
            yield (key,), text
    for path, expression in references(item.get("with")):
        if text := problem(expression, inside):
            yield ("with", *path), text


def problems_of(file: Path, manifests: Mapping[str, Manifest]) -> list[Problem]:
    """The same as a list; empty when the file is fine."""
    try:
        load_workflow(file, manifests)
    except ManifestError as error:
        return error.problems
    return []
