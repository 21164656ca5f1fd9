"""A photo's curve as a drawing that a browser shows and a screen reader can tell."""

from __future__ import annotations

import math
from html import escape

from bigans.demo.curve import Curve, Place

_WIDTH, _HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 22, 20, 44
# Of an axis whose places are all the same.
_LEAST_RANGE = 0.1
_MARGIN = 0.22


def curve_svg(curve: Curve, xi: float | None) -> str:
    """Draws a curve.

    Args:
        curve: Of a photo.
        xi: What is chosen now, in [0, 1]; None: nothing is marked.

    Returns:
        An SVG element. Its colours are those of the text around it.
    """
    across = _Axis([place.distortion for place in curve.places], _LEFT, _WIDTH - _RIGHT)
    up = _Axis([place.perception for place in curve.places], _HEIGHT - _BOTTOM, _TOP)
    points = " ".join(
        f"{across(place.distortion):.1f},{up(place.perception):.1f}" for place in curve.places
    )
    now = curve.at(xi) if xi is not None else None
    parts = [
        f'<svg class="bg-curve" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(in_words(curve, now))}">',
        *_grid(across, up),
        f'<polyline points="{points}" class="bg-path"/>',
        *(
            f'<circle cx="{across(place.distortion):.1f}" cy="{up(place.perception):.1f}" r="3.5" '
            f'class="bg-dot"><title>ξ = {place.xi:g}: {place.distortion:.2f}, '
            f"{place.perception:.2f}</title></circle>"
            for place in curve.places
        ),
        _end("ξ = 0", curve.places[0], curve.places[1], across, up),
        _end("ξ = 1", curve.places[-1], curve.places[-2], across, up),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:g}" y="{_HEIGHT - 6}" class="bg-title">'
        f"{escape(curve.distortion)}</text>",
        f'<text transform="translate(13 {(_TOP + _HEIGHT - _BOTTOM) / 2:g}) rotate(-90)" '
        f'class="bg-title">{escape(curve.perception)}</text>',
    ]
    if now is not None:
        x, y = across(now.distortion), up(now.perception)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" class="bg-now"/>')
    return "".join([*parts, "</svg>"])


def in_words(curve: Curve, now: Place | None) -> str:
    """What the drawing shows."""
    first, last = curve.places[0], curve.places[-1]
    text = (
        f"Perception-distortion curve. {curve.distortion}: from {first.distortion:.2f} at ξ = 0 to "
        f"{last.distortion:.2f} at ξ = 1. {curve.perception}: from {first.perception:.2f} to "
        f"{last.perception:.2f}."
    )
    if now is None:
        return text
    return (
        f"{text} Now ξ = {now.xi:.2f}: {now.distortion:.2f} and {now.perception:.2f}, "
        "between measured places."
    )


class _Axis:
    """Values to places along one side of the drawing."""

    def __init__(self, values: list[float], start: float, end: float) -> None:
        low, high = min(values), max(values)
        half, middle = max(high - low, _LEAST_RANGE) / 2, (low + high) / 2
        self.low, self.high = (middle + sign * (1 + _MARGIN) * half for sign in (-1, 1))
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """Round numbers, three to six."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step) + 1)]


def _grid(across: _Axis, up: _Axis) -> list[str]:
    lines = []
    for value in across.ticks():
        x = across(value)
        lines.append(f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" class="bg-grid"/>')
        lines.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" class="bg-tick">{value:g}</text>'
        )
    for value in up.ticks():
        y = up(value)
        lines.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" class="bg-grid"/>')
        lines.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="bg-tick bg-left">{value:g}</text>'
        )
    return lines


def _end(text: str, place: Place, neighbour: Place, across: _Axis, up: _Axis) -> str:
    """Names an end of the curve, at the side to which the curve does not go."""
    x, y = across(place.distortion), up(place.perception)
    below = up(neighbour.perception) < y
    side = "bg-left" if x > (_LEFT + _WIDTH) / 2 else "bg-right"
    y += 22 if below else -14
    return f'<text x="{x:.1f}" y="{y:.1f}" class="bg-end {side}">{text}</text>'
