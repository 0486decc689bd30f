"""Workflow files: read, checked against everything that is known before a run, and all mistakes told at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...contract.actions import MAILS, Action
from ...contract.errors import ManifestError, Problem
from ...contract.loading import root_of
from ...contract.located import Located, PathParts, parse, read
from ...contract.manifest import Manifest
from ...contract.schemas import Schemas, guess, schemas_at
from ...contract.triggers import Trigger
from ..splitting import refusals
from .expressions import is_reference, problem, references
from .schedules import schedule_problem

SCHEMA = "schemas/workflow.schema.json"
TRIGGER_NAMES = ("record", "id", "version", "at")
"""What expressions see of the event that started a run."""


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
    split_by: Sequence[str] = ()
    on_error: str = "stop"
    on_unknown: str = "repeat"
    max_credits_per_record: float | None = None
    confirm: bool = False
    wait: bool | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of the actions it may run: its own, and the one that is asked for what comes later."""
        wait = self.action.wait
        flags = [self.with_.get(flag) for flag in wait.when] if wait else []
        comes = wait is not None and (not flags or any(flag is True or is_reference(flag) for flag in flags))
        return (self.action.id, wait.action) if wait and comes and self.wait is not False else (self.action.id,)


@dataclass(frozen=True, slots=True)
class Start:
    """What starts runs by itself: a trigger of a connection, or a time (`cron` in `timezone`)."""

    trigger: Trigger | None = None
    connection: str = ""
    connector: str = ""
    with_: Mapping[str, Any] = field(default_factory=dict, repr=False)
    when: str | None = None
    every: int = 60
    cron: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Workflow:
    """`connections` maps the file's names to (connector, stored name or ""); `inputs` to their declarations."""

    name: str
    description: str
    connections: Mapping[str, tuple[str, str]]
    inputs: Mapping[str, Mapping[str, Any]]
    budget: float | None
    budget_per_day: float | None
    steps: tuple[Step, ...]
    text: str = field(repr=False)
    start: Start | None = None

    @property
    def mailing(self) -> list[str]:
        """The steps from which real people may get mail."""
        return [step.id for step in self.steps if _word(step.action, step.with_) == MAILS]

    @property
    def connectors(self) -> tuple[str, ...]:
        """The ids of the connectors whose accounts it uses."""
        return tuple(dict.fromkeys(connector for connector, _ in self.connections.values()))

    def actions(self, connector: str) -> list[str]:
        """The ids of a connector's trigger and of its actions that the steps run, each once."""
        first = [self.start.trigger.id] if self.start and self.start.trigger else []
        own = first if self.start and self.start.connector == connector else []
        return list(
            dict.fromkeys([*own, *(name for step in self.steps if step.connector == connector for name in step.runs)])
        )


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
    return schemas_at(root_of(Path(__file__).parent.parent.parent)).problems(SCHEMA, data)


def _built(data: Mapping[str, Any], text: str, manifests: Mapping[str, Manifest]) -> Workflow:
    connections = {name: (item["connector"], item.get("use", "")) for name, item in data["connections"].items()}
    steps = tuple(_step(item, number, connections, manifests) for number, item in enumerate(data["steps"]))
    return Workflow(
        name=data["name"],
        description=data.get("description", ""),
        connections=connections,
        inputs=data.get("inputs", {}),
        budget=data.get("budget"),
        budget_per_day=data.get("budget_per_day"),
        steps=steps,
        text=text,
        start=_start(data, connections, manifests),
    )


def _start(
    data: Mapping[str, Any], connections: Mapping[str, tuple[str, str]], manifests: Mapping[str, Manifest]
) -> Start | None:
    if "schedule" in data:
        return Start(cron=data["schedule"]["cron"], timezone=data["schedule"].get("timezone", "UTC"))
    if "trigger" not in data:
        return None
    item = data["trigger"]
    alias = _alias(item, connections)
    trigger = manifests[connections[alias][0]].triggers[item["on"]]
    every = item.get("every", trigger.interval)
    return Start(trigger, alias, connections[alias][0], item.get("with", {}), item.get("when"), every)


def _step(
    item: Mapping[str, Any], number: int, connections: Mapping[str, tuple[str, str]], manifests: Mapping[str, Manifest]
) -> Step:
    alias = _alias(item, connections)
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
    for path, text in _start_checks(data, connections, manifests):
        yield path, text
    told = TRIGGER_NAMES if "trigger" in data else ("at",) if "schedule" in data else ()
    started = {"trigger": set(told)} if told else {}
    earlier: dict[str, None] = {}
    steps = data.get("steps")
    for number, item in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(item, dict):
            continue
        names = {"inputs": set(_mapping(data.get("inputs"))), "steps": set(earlier), **started}
        for path, text in _step_checks(item, connections, names, manifests, data):
            yield ("steps", number, *path), text
        if isinstance(item.get("id"), str):
            if item["id"] in earlier:
                yield ("steps", number, "id"), "stands twice"
            earlier[item["id"]] = None


def _start_checks(
    data: dict[str, Any], connections: dict[str, Any], manifests: Mapping[str, Manifest]
) -> Iterator[tuple[PathParts, str]]:
    """The trigger or the schedule of a file."""
    schedule, item = _mapping(data.get("schedule")), _mapping(data.get("trigger"))
    for key, text in schedule_problem(schedule):
        yield ("schedule", key), text
    if not item:
        return
    if text := _connection_problem(item, connections):
        yield ("trigger", "connection"), text
        return
    manifest = _manifest_of(item, connections, manifests)
    if manifest is None or not isinstance(item.get("on"), str):
        return
    if item["on"] not in manifest.triggers:
        yield ("trigger", "on"), _unknown(item["on"], "trigger", manifest.id, list(manifest.triggers))
        return
    for path, text in schemas_at(manifest.root).problems(manifest.triggers[item["on"]].input, item.get("with", {})):
        yield ("trigger", "with", *path), text
    if isinstance(item.get("when"), str) and (text := problem(item["when"], dict.fromkeys(TRIGGER_NAMES))):
        yield ("trigger", "when"), text


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
    if "split_by" in item and item.get("all") is not True:
        yield ("split_by",), "goes with all: true"
    if item.get("all") is True and "for_each" in item:
        yield ("all",), "can't be combined with for_each"
    if text := _connection_problem(item, connections):
        yield ("connection",), text
        return
    manifest = _manifest_of(item, connections, manifests)
    if manifest is None or not isinstance(item.get("action"), str):
        return
    if item["action"] not in manifest.actions:
        yield ("action",), _unknown(item["action"], "action", manifest.id, list(manifest.actions))
        return
    yield from _action_checks(item, manifest.actions[item["action"]], manifest, data)


def _connection_problem(item: dict[str, Any], connections: dict[str, Any]) -> str:
    """What is wrong with the connection that a trigger or a step names, or leaves out; empty when nothing is."""
    if "connection" not in item and len(connections) > 1:
        return f"is required when there are several connections ({', '.join(connections)})"
    alias = _alias(item, connections)
    if isinstance(alias, str) and alias not in connections:
        return f"is none of this file's connections ({', '.join(connections) or 'none'})"
    return ""


def _manifest_of(
    item: dict[str, Any], connections: dict[str, Any], manifests: Mapping[str, Manifest]
) -> Manifest | None:
    """The manifest behind a trigger's or a step's connection; None where the schema or another check tells why."""
    alias = _alias(item, connections)
    link = _mapping(connections.get(alias)) if isinstance(alias, str) else {}
    return manifests.get(str(link.get("connector")))


def _alias(item: Mapping[str, Any], connections: Mapping[str, Any]) -> Any:
    """The name of the connection that is used: the one given, or the file's first."""
    return item.get("connection") or next(iter(connections), "")


def _unknown(name: str, what: str, connector: str, known: Iterable[str]) -> str:
    return f"is no {what} of {connector}" + (guess(name, known) or "; see `palette`")


def _action_checks(
    item: dict[str, Any], action: Action, manifest: Manifest, data: dict[str, Any]
) -> Iterator[tuple[PathParts, str]]:
    values = item.get("with", {})
    if not isinstance(values, dict):
        return
    if (word := _word(action, values)) and item.get("confirm") is not True:
        yield ("confirm",), f"must be true: {word}"
    if is_reference(values):
        return
    schemas = schemas_at(manifest.root)
    for path, text in _input_checks(action, schemas, values):
        yield ("with", *path), text
    if item.get("all") is True and action.paging is None:
        yield ("all",), "this action has no pages"
    if "wait" in item and action.wait is None:
        yield ("wait",), "this action has nothing to wait for"
    if names := _texts(item.get("split_by")):
        for text in refusals(manifest, schemas, action, names, _shown(values)):
            yield ("split_by",), text
    given = {flag: values.get(flag) for flag in action.credits.unbounded}
    unbounded = [flag for flag, value in given.items() if value is True or is_reference(value)]
    if unbounded and {"budget", "budget_per_day"} & set(data) and "max_credits_per_record" not in item:
        yield ("max_credits_per_record",), f"is required with a budget: {unbounded[0]} has no stated limit of cost"


def _input_checks(action: Action, schemas: Schemas, values: Mapping[str, Any]) -> Iterator[tuple[PathParts, str]]:
    """What is wrong with a step's input, as far as the file tells its values."""
    problems = list(schemas.problems(action.input, values, known=lambda value: not is_reference(value)))
    yield from problems
    if not problems and not any(references(values)):
        yield from (((found.path,), found.text) for found in action.refusals(values))


def _word(action: Action, values: Mapping[str, Any]) -> str:
    """Why the step must be confirmed. An input that expressions give as a whole may hold whatever makes it mail."""
    unseen = is_reference(values) or any(is_reference(values.get(name)) for name in ("query", "body") if action.raw)
    return action.word_for(values) or (MAILS if unseen and action.may_mail(values) else "")


def _texts(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as far as they can be counted before a run: what an expression gives counts as a list of two."""
    lists = {name: [0, 1] if is_reference(value) else value for name, value in values.items()}
    return {name: value for name, value in lists.items() if isinstance(value, list)}


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
