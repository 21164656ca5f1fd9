"""Figure 5: perception against distortion."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.fusion_points import Mode
from evaluation.published import MODELS
from sr_data.atomic_write import atomic_file

# RMSE bounds of the PIRM-SR 2018 challenge's regions 1, 2 and 3, grey levels.
REGIONS = ((0.0, 11.5), (11.5, 12.5), (12.5, 16.0))

_SHADES = ("#dcefdc", "#fdf3d0", "#fbe0d8")
_STYLES: Mapping[Mode, tuple[str, str, str]] = {
    "quantile": ("soft threshold, ξ-quantile", "o-", "#1f4e9e"),
    "absolute": ("soft threshold, t grey levels", "s--", "#b0521f"),
    "linear": ("linear interpolation, α", "^:", "#4f7d3a"),
}


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


def draw_plane(
    points: Sequence[PlanePoint],
    marked: Mapping[str, tuple[float, float]],
    path: Path,
    *,
    title: str,
    measure: str,
) -> None:
    """Writes the plane as `path`.svg and `path`.png.

    Args:
        points: All curves' places.
        marked: Label → (rmse, perception) of single places.
        path: Without a suffix.
        title: Of the figure.
        measure: "PI" or "NIQE": the vertical axis. The paper's points have a perceptual index only.
    """
    # Figure without pyplot: no display and no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for mode, (name, style, colour) in _STYLES.items():
        curve = sorted((p for p in points if p.mode == mode), key=lambda p: p.value)
        if not curve:
            continue
        axes.plot(
            [p.rmse for p in curve], [p.perception for p in curve], style, color=colour, label=name
        )
        for point in curve[:: max(1, len(curve) // 6)]:
            axes.annotate(
                f"{point.value:g}",
                (point.rmse, point.perception),
                xytext=(4, 4),
                textcoords="offset points",
                fontsize=8,
                color=colour,
            )
    for label, (rmse, perception) in marked.items():
        axes.plot(rmse, perception, "*", markersize=13, markeredgecolor="black", label=label)
    if measure == "PI":
        for name, published in MODELS.items():
            axes.plot(published.rmse, published.perceptual_index, "D", color="#777777")
            axes.annotate(
                f"{name} (paper, PIRM)",
                (published.rmse, published.perceptual_index),
                xytext=(6, -10),
                textcoords="offset points",
                fontsize=8,
                color="#555555",
            )
    _shade_regions(axes)
    axes.set(xlabel="RMSE (grey levels)", ylabel=measure, title=title)
    axes.legend(fontsize=8)
    for suffix in (".svg", ".png"):
        with atomic_file(path.with_name(path.name + suffix)) as temporary:
            figure.savefig(
                temporary, dpi=144, metadata={"Date": None} if suffix == ".svg" else None
            )


def interpolated(points: Sequence[PlanePoint], xi: float) -> tuple[float, float]:
    """RMSE and perception at ξ, on straight lines between the places of the quantile curve.

    RMSE is interpolated in its square, as it is averaged.
    """
    curve = sorted((p for p in points if p.mode == "quantile"), key=lambda p: p.value)
    values = [p.value for p in curve]
    square = np.interp(xi, values, [p.rmse**2 for p in curve])
    return float(np.sqrt(square)), float(np.interp(xi, values, [p.perception for p in curve]))


def _shade_regions(axes) -> None:
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    for number, ((start, end), shade) in enumerate(zip(REGIONS, _SHADES, strict=True), 1):
        left, right = max(start, low), min(end, high)
        if left < right:
            axes.axvspan(left, right, color=shade, zorder=0)
            axes.text(
                (left + right) / 2, top, f"Region {number}", ha="center", va="top", fontsize=8
            )
    axes.set(xlim=(low, high), ylim=(bottom, top + 0.04 * (top - bottom)))
