"""Bars over time: what they stand for and where they are, drawn by a template."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BELOW, TOP = 720, 180, 44, 24, 8
LABELS = 6
"""How many of the bars are named below the axis at most."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`spent` and `reserved` stand on each other; y and heights are of the drawing."""

    label: str
    spent: float
    reserved: float
    x: float
    width: float
    spent_y: float
    spent_height: float
    reserved_y: float
    reserved_height: float


@dataclass(frozen=True, slots=True)
class Plot:
    bars: Sequence[Bar]
    lines: Sequence[tuple[float, float]]
    """Heights with what they stand for."""
    named: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BELOW


def plotted(labels: Sequence[str], values: Mapping[int, tuple[float, float]]) -> Plot:
    """A bar for each label; `values` by their number, what is missing is nothing."""
    pairs = [values.get(number, (0.0, 0.0)) for number in range(len(labels))]
    top = nice(max((spent + reserved for spent, reserved in pairs), default=0))
    room, scale = (WIDTH - LEFT) / max(len(labels), 1), (HEIGHT - BELOW - TOP) / top
    base = HEIGHT - BELOW
    bars = []
    for number, (spent, reserved) in enumerate(pairs):
        below, above = round(spent * scale, 1), round(reserved * scale, 1)
        x, width = round(LEFT + number * room + room * 0.15, 1), round(room * 0.7, 1)
        bars.append(Bar(labels[number], spent, reserved, x, width, base - below, below, base - below - above, above))
    step = math.ceil(len(labels) / LABELS)
    named = [(round(bar.x + bar.width / 2, 1), bar.label) for bar in bars[step // 2 :: step]]
    return Plot(bars, [(round(base - part * top * scale, 1), part * top) for part in (0, 0.5, 1)], named)


def nice(most: float) -> float:
    """A round number that isn't less, and whose half is round, too."""
    if most <= 0:
        return 2
    power = 10.0 ** math.floor(math.log10(most))
    return max(2.0, next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most))
