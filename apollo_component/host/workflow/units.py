"""A step cut into units: each is one request, with its place in the journal and among the step's records."""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...contract.errors import InputError, Problem
from ...contract.schemas import Schemas
from ..plans import chunks, unique
from ..runs import STRIDE, Runs
from .expressions import evaluate, references, resolve, steps_named
from .file import Step, Workflow


@dataclass(frozen=True, slots=True)
class Unit:
    item: str
    number: int
    input: Mapping[str, Any] = field(repr=False)
    cursor: str | None = None
    late: bool = False
    """Its request has been answered; what comes later is waited for."""

    @property
    def name(self) -> str:
        return f"{self.item}:late" if self.late else self.item

    @property
    def start(self) -> int:
        return self.number * STRIDE


class Planner:
    """Evaluates a step against what earlier steps left in the store. The same store gives the same plan."""

    def __init__(
        self,
        workflow: Workflow,
        runs: Runs,
        run: str,
        inputs: Mapping[str, Any],
        schemas: Schemas,
        event: Mapping[str, Any] | None = None,
    ) -> None:
        self.workflow, self.runs, self.run = workflow, runs, run
        self.inputs, self.schemas, self.event = inputs, schemas, event

    def wanted(self, step: Step) -> bool:
        return step.when is None or bool(evaluate(step.when, self._context(step)))

    def units(self, step: Step, check: Callable[[Mapping[str, Any]], Any] = dict) -> list[Unit]:
        """The units known before the first answer. Raises InputError when an input doesn't fit its schema, or when
        `check` says so of one that fits."""
        found: list[Unit] = []
        problems: list[Problem] = []
        for name, values in self._inputs(step):
            try:
                whole = self.schemas.check(step.action.input, values, f"The input of step {step.id}")
                _check_sendable(step, whole)
                check(whole)
            except InputError as error:
                problems += [Problem(p.text, path=f"{step.id}[{name}].{p.path}".rstrip(".")) for p in error.problems]
                continue
            parts = chunks(step.action, whole)
            for number, part in enumerate(parts):
                found.append(Unit(name if len(parts) == 1 else f"{name}.{number}", len(found), part))
        if problems:
            raise InputError(f"The input of step {step.id} was refused; nothing of it was sent.", problems[:50])
        return found

    def _inputs(self, step: Step) -> Iterator[tuple[str, Any]]:
        context = self._context(step)
        if step.for_each is None:
            yield "0", resolve(step.with_, functools.partial(_evaluated, context))
            return
        items = evaluate(step.for_each, context)
        if not isinstance(items, list):
            problem = Problem("must give a list", path=f"{step.id}.for_each")
            raise InputError(f"Step {step.id} can't run.", [problem])
        size = step.batch or 1
        for start in range(0, len(items), size):
            item = items[start : start + size] if step.batch else items[start]
            inner = {**context, "item": item, "index": start // size}
            yield str(start // size), resolve(step.with_, functools.partial(_evaluated, inner))

    def _context(self, step: Step) -> dict[str, Any]:
        expressions = [text for text in (step.when, step.for_each) if text]
        expressions += [text for _, text in references(step.with_)]
        named = set().union(*(steps_named(text) for text in expressions)) if expressions else set()
        earlier = {other.id: self.result(other) for other in self.workflow.steps if other.id in named}
        started = {} if self.event is None else {"trigger": dict(self.event)}
        return {"inputs": dict(self.inputs), "steps": earlier, **started}

    def result(self, step: Step) -> dict[str, Any]:
        """What expressions see of a step: its records, the first of them, their count, collected errors, what was
        asked for and missed, and how to fetch what came too late or wasn't waited for."""
        records = list(unique(self.runs.records(self.run, step.id), step.action.key if step.all else None))
        records = records[: step.limit] if step.limit else records
        summary = next((item for item in self.runs.steps(self.run) if item["id"] == step.id), {})
        return {
            "records": records,
            "record": records[0] if records else None,
            "count": len(records),
            "errors": summary.get("errors", []),
            "misses": summary.get("misses", []),
            "late": summary.get("late", []),
        }


def _check_sendable(step: Step, values: Mapping[str, Any]) -> None:
    """What expressions made of the input may need a confirmation that the file doesn't hold. Raises InputError."""
    problems = step.action.refusals(values)
    if not step.confirm and (word := step.action.word_for(values)):
        problems.append(Problem(f"the step needs confirm: true, as {word}"))
    if problems:
        raise InputError("Nothing was sent.", problems)


def _evaluated(context: Mapping[str, Any], expression: str) -> Any:
    return evaluate(expression, context)
