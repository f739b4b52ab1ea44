"""A small plot of lines as SVG, to stand in a page: it takes its colours from the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH, _HEIGHT = 300, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 38
_TICKS: Final = 4
_RADIUS: Final = 3
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a value at each place along the axis, None where there is none. `style` is a class of the page's."""

    label: str
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Plot:
    """What is plotted.

    Attributes:
        title: What the values are.
        along: The labels of the places along the axis.
        axis: What these are.
        lines: At least one.
        reference: A value that a line is drawn at.
        least_span: The vertical axis spans at least these two values.
        say: A value in words.
    """

    title: str
    along: Sequence[str]
    axis: str
    lines: Sequence[Line]
    reference: float
    least_span: tuple[float, float]
    say: Callable[[float], str]


def line_plot(plot: Plot) -> str:
    """The plot as an `svg` element; each point says its value when it is pointed at."""
    values = [value for line in plot.lines for value in line.values if value is not None]
    ticks = _ticks(min(*plot.least_span, plot.reference, *values), max(*plot.least_span, plot.reference, *values))
    low, high = ticks[0], ticks[-1]

    def x(place: int) -> float:
        return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / len(plot.along)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        *(_tick(y(tick), plot.say(tick)) for tick in ticks),
        f'<path class="reference" d="M{_LEFT} {y(plot.reference):.1f}H{_WIDTH - _RIGHT}"/>',
        *(
            f'<text class="along" x="{x(place):.1f}" y="{_HEIGHT - _BOTTOM + 15}">{escape(label)}</text>'
            for place, label in enumerate(plot.along)
        ),
        f'<text class="along" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.1f}" y="{_HEIGHT - 4}">{escape(plot.axis)}</text>',
    ]
    for line in plot.lines:
        points = [
            (x(place), y(value), f"{line.label}, {label}: {plot.say(value)}")
            for place, (label, value) in enumerate(zip(plot.along, line.values, strict=True))
            if value is not None
        ]
        if points:
            way = "L".join(f"{at:.1f} {height:.1f}" for at, height, _ in points)
            parts.append(f'<path class="line {line.style}" d="M{way}"/>')
        parts += [
            f'<circle class="{line.style}" cx="{at:.1f}" cy="{height:.1f}" r="{_RADIUS}"><title>{escape(said)}</title>'
            "</circle>"
            for at, height, said in points
        ]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(plot.title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _tick(height: float, label: str) -> str:
    return (
        f'<path class="grid" d="M{_LEFT} {height:.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{height + 4:.1f}">{escape(label)}</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round values from below the lowest to above the highest."""
    span = max(high - low, 1e-9) / _TICKS
    power = 10.0 ** math.floor(math.log10(span))
    step = next(nice * power for nice in _NICE if nice * power >= span * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, max(last, first + 1) + 1)]
