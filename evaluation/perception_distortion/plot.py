"""Figure 5: perception against distortion."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.methods.fusion_points import Mode
from evaluation.reports.published import Perception
from sr_program.files.atomic_write import atomic_file

# RMSE bounds of the PIRM-SR 2018 challenge's regions 1, 2 and 3, grey levels.
REGIONS = ((0.0, 11.5), (11.5, 12.5), (12.5, 16.0))

_SHADES = ("#dcefdc", "#fdf3d0", "#fbe0d8")
_STYLES: Mapping[Mode, tuple[str, str, str]] = {
    "quantile": ("soft threshold, ξ-quantile", "o-", "#1f4e9e"),
    "absolute": ("soft threshold, t grey levels", "s--", "#b0521f"),
    "linear": ("linear interpolation, α", "^:", "#4f7d3a"),
}
_MARKS = ("#f2c230", "#d8456b", "#7a52a8")
_PAPER = "#444444"
_PAPER_MARKERS = ("D", "X", "P")
_PAPER_LINES = ("--", ":", "-.")
_SMALL = 8  # points, of letters
_APART = 20  # points, between the labels of places


@dataclasses.dataclass(frozen=True)
class PlanePoint:
    """One place of a curve on the plane.

    Attributes:
        mode: Which curve.
        value: ξ, t or α.
        rmse: Grey levels.
        perception: Perceptual index or NIQE; lower is better.
    """

    mode: Mode
    value: float
    rmse: float
    perception: float


@dataclasses.dataclass(frozen=True)
class PaperPoints:
    """The paper's models on one set.

    Attributes:
        set_name: Of the set.
        models: Name → perceptual index and RMSE.
    """

    set_name: str
    models: Mapping[str, Perception]


def draw_plane(
    points: Sequence[PlanePoint],
    marked: Mapping[str, tuple[float, float]],
    paper: PaperPoints,
    path: Path,
    *,
    title: str,
    measure: str,
) -> None:
    """Writes the plane as `path`.svg and `path`.png.

    At the left the whole plane with the three regions and the paper's points, at the right our
    curves alone, enlarged.

    Args:
        points: All curves' places.
        marked: Label → (rmse, perception) of single places.
        paper: What the paper published. Beside "NIQE" its RMSE alone is drawn: it has no NIQE.
        path: Without a suffix.
        title: Of the figure.
        measure: "PI" or "NIQE": the vertical axis.
    """
    # Figure without pyplot: no display and no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    whole, near = figure.subplots(1, 2, width_ratios=(2, 3))
    for axes, size in ((whole, 3), (near, 6)):
        _draw_curves(axes, points, size)
        for (label, place), colour in zip(marked.items(), _MARKS, strict=False):
            axes.plot(
                *place, "*", color=colour, ms=2 * size + 3, markeredgecolor="black", label=label
            )
        axes.set(xlabel="RMSE (grey levels)", ylabel=measure)
    near.set_title("our curves, enlarged", fontsize=10)
    whole.set_title("the whole plane", fontsize=10)
    _draw_paper(whole, paper, measure)
    low, high = whole.get_xlim()
    whole.set_xlim(min(low, REGIONS[0][1] - 1), max(high, REGIONS[-1][1] + 1))
    for axes in (whole, near):
        _shade_regions(axes)
    figure.suptitle(title)
    names = whole.get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=3, fontsize=9)
    figure.draw_without_rendering()  # the places of labels are known only now
    _label_places(near, points)
    for suffix in (".svg", ".png"):
        with atomic_file(path.with_name(path.name + suffix)) as temporary:
            figure.savefig(
                temporary, dpi=144, metadata={"Date": None} if suffix == ".svg" else None
            )


def on_curve(points: Sequence[PlanePoint], xi: float, rmse: float) -> tuple[float, float]:
    """(rmse, perception) at ξ on the drawn quantile curve.

    Args:
        points: The curves' places; at least two of quantiles.
        xi: ξ in [0, 1].
        rmse: The distortion there, known better than the line between two places would tell it.
    """
    curve = _curve(points, "quantile")
    values = [point.value for point in curve]
    if xi in values:
        place = curve[values.index(xi)]
        return place.rmse, place.perception
    after = min(max(int(np.searchsorted(values, xi)), 1), len(curve) - 1)
    one, other = curve[after - 1], curve[after]
    if one.rmse == other.rmse:
        share = (xi - one.value) / (other.value - one.value)
    else:
        share = (rmse - one.rmse) / (other.rmse - one.rmse)
    share = min(max(share, 0.0), 1.0)
    return rmse, one.perception + share * (other.perception - one.perception)


def _curve(points: Sequence[PlanePoint], mode: Mode) -> list[PlanePoint]:
    return sorted((p for p in points if p.mode == mode), key=lambda p: p.value)


def _draw_curves(axes: Any, points: Sequence[PlanePoint], size: int) -> None:
    for mode, (name, style, colour) in _STYLES.items():
        if curve := _curve(points, mode):
            rmse, perception = zip(*((p.rmse, p.perception) for p in curve), strict=True)
            axes.plot(rmse, perception, style, color=colour, ms=size, label=name)


def _draw_paper(axes: Any, paper: PaperPoints, measure: str) -> None:
    styles = zip(_PAPER_MARKERS, _PAPER_LINES, strict=True)
    for (name, published), (marker, line) in zip(paper.models.items(), styles, strict=False):
        label = f"{name} (paper, {paper.set_name})"
        if measure == "PI":
            place = published.rmse, published.perceptual_index
            axes.plot(*place, marker, color=_PAPER, ms=7, label=label)
        else:
            axes.axvline(published.rmse, color=_PAPER, ls=line, lw=1.2, label=f"{label}: RMSE")


def _shade_regions(axes: Any) -> None:
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    for number, ((start, end), shade) in enumerate(zip(REGIONS, _SHADES, strict=True), 1):
        left, right = max(start, low), min(end, high)
        if left >= right:
            continue
        axes.axvspan(left, right, color=shade, zorder=0)
        if right - left > 0.08 * (high - low):  # room for its name
            axes.text(
                (left + right) / 2, 0.99, f"Region\n{number}", fontsize=_SMALL,
                ha="center", va="top", transform=axes.get_xaxis_transform(),
                bbox={"facecolor": shade, "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axes.set(xlim=(low, high), ylim=(bottom, top + 0.1 * (top - bottom)))


def _label_places(axes: Any, points: Sequence[PlanePoint]) -> None:
    """Writes ξ, t or α beside the places, the ends of a curve first, where there is room."""
    taken: list[Any] = []
    for mode, (_, _, colour) in _STYLES.items():
        curve = _curve(points, mode)
        for point in [*curve[-1:], *curve[:1], *curve[1:-1]]:
            place = (point.rmse, point.perception)
            where = axes.transData.transform(place) * 72 / axes.figure.dpi
            if all(np.hypot(*(where - other)) > _APART for other in taken):
                taken.append(where)
                axes.annotate(
                    f"{point.value:g}", place, (5, 5), textcoords="offset points",
                    fontsize=_SMALL, color=colour,
                )  # fmt: skip
