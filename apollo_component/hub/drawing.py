"""A workflow as a drawing: boxes in layers and the lines between them, measured here and drawn by a template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.actions import MAILS
from ..host.workflow.file import Step, Workflow
from ..host.workflow.forecast import forecast
from ..host.workflow.shape import Spot, shape

WIDTH, HEIGHT, BESIDE, BELOW, EDGE = 224, 84, 28, 40, 4
LETTERS, SMALL_LETTERS = 23, 30
"""How many fit into a box, of its name and of what stands below."""


@dataclass(frozen=True, slots=True)
class Box:
    """`kind` is the effect, or `start`; `marks` are short words such as `for each`."""

    id: str
    number: str
    name: str
    text: str
    kind: str
    marks: tuple[str, ...]
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[str]
    """Paths, each from the lower edge of a box to the upper edge of another."""


def drawn(workflow: Workflow, manifests: Mapping[str, Any], texts: Any) -> Drawing:
    spots = shape(workflow)
    first = 1 if workflow.start else 0
    effects = {row["step"]: row["effect"] for row in forecast(workflow, manifests)}
    boxes = [_start(workflow, texts)] if first else []
    boxes += [_box(spot, effects[spot.step.id], first, texts) for spot in spots]
    columns, layers = max(spot.column for spot in spots) + 1, max(spot.layer for spot in spots) + 1 + first
    return Drawing(
        columns * (WIDTH + BESIDE) - BESIDE + 2 * EDGE,
        layers * (HEIGHT + BELOW) - BELOW + 2 * EDGE,
        boxes,
        list(_lines(spots, first)),
    )


def marks(step: Step, texts: Any) -> tuple[str, ...]:
    """What is special about how a step runs, in words."""
    found = {"for_each": step.for_each, "batch": step.batch, "all": step.all, "when": step.when, "wait": step.wait}
    return tuple(texts(f"workflow.marks.{name}") for name, value in found.items() if value)


def _start(workflow: Workflow, texts: Any) -> Box:
    start = workflow.start
    trigger = start.trigger if start else None
    name = trigger.title if trigger else texts("workflow.schedule")
    text = trigger.id if trigger else f"{start.cron} {start.timezone}" if start else ""
    when = (texts("workflow.marks.when"),) if start and start.when else ()
    return Box("", "", _short(name, LETTERS), _short(text, SMALL_LETTERS), "start", when, EDGE, EDGE)


def _box(spot: Spot, effect: str, first: int, texts: Any) -> Box:
    step = spot.step
    return Box(
        step.id,
        str(step.position + 1),
        _short(step.id, LETTERS),
        _short(step.action.title, SMALL_LETTERS),
        "send" if step.action.word_for(step.with_) == MAILS else effect,
        marks(step, texts),
        _x(spot.column),
        _y(spot.layer + first),
    )


def _x(column: int) -> int:
    return EDGE + column * (WIDTH + BESIDE)


def _y(layer: int) -> int:
    return EDGE + layer * (HEIGHT + BELOW)


def _lines(spots: Sequence[Spot], first: int) -> Iterator[str]:
    at = {spot.step.id: spot for spot in spots}
    taken = {(spot.layer, spot.column) for spot in spots}
    if first:
        yield from (_line(0, 0, spot.column, spot.layer + 1, detour=False) for spot in spots if not spot.needs)
    for spot in spots:
        for name in spot.needs:
            upper = at[name]
            between = range(upper.layer + 1, spot.layer)
            detour = any((layer, upper.column) in taken for layer in between)
            yield _line(upper.column, upper.layer + first, spot.column, spot.layer + first, detour=detour)


def _line(column: int, layer: int, to_column: int, to_layer: int, *, detour: bool) -> str:
    """Straight down below its own box, or beside the boxes that stand there, and over to the other one at the end."""
    x, y = _x(column) + WIDTH // 2, _y(layer) + HEIGHT
    to_x, to_y = _x(to_column) + WIDTH // 2, _y(to_layer)
    if not detour:
        turn = to_y - BELOW
        return f"M{x} {y}V{turn}C{x} {turn + BELOW // 2} {to_x} {to_y - BELOW // 2} {to_x} {to_y}"
    side = _x(column) + WIDTH + BESIDE // 2
    down, turn = y + BELOW, to_y - BELOW
    over = f"C{x} {y + BELOW // 2} {side} {down - BELOW // 2} {side} {down}"
    return f"M{x} {y}{over}V{turn}C{side} {turn + BELOW // 2} {to_x} {to_y - BELOW // 2} {to_x} {to_y}"


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
