"""How the steps of a workflow hang together: which need what of which, and where each stands in a drawing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .expressions import references, steps_named
from .file import Step, Workflow

START = "trigger"
"""Stands for what starts the runs, where a step reads of it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A step's place: `layer` from the top, `column` from the left. `needs` are the steps it reads of."""

    step: Step
    layer: int
    column: int
    needs: tuple[str, ...]


def needs(step: Step, earlier: Sequence[str]) -> Iterator[str]:
    """The earlier steps that a step's expressions read of, in the file's order."""
    expressions = [text for text in (step.when, step.for_each) if text]
    expressions += [text for _, text in references(step.with_)]
    named = set().union(*(steps_named(text) for text in expressions)) if expressions else set()
    return (name for name in earlier if name in named)


def shape(workflow: Workflow) -> list[Spot]:
    """A step stands below all that it needs, and near the column of what it needs."""
    placed: dict[str, Spot] = {}
    taken: set[tuple[int, int]] = set()
    for step in workflow.steps:
        wanted = tuple(needs(step, [*placed]))
        layer = 1 + max((placed[name].layer for name in wanted), default=-1)
        column = _column(wanted, placed, layer, taken)
        taken.add((layer, column))
        placed[step.id] = Spot(step, layer, column, wanted)
    return list(placed.values())


def _column(wanted: Sequence[str], placed: Mapping[str, Spot], layer: int, taken: set[tuple[int, int]]) -> int:
    """The free column that is nearest to the middle of what is needed."""
    middle = sum(placed[name].column for name in wanted) / len(wanted) if wanted else 0
    free = (column for column in range(len(placed) + 1) if (layer, column) not in taken)
    return min(free, key=lambda column: (abs(column - middle), column))
