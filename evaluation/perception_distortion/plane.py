"""The files of a sweep: a plot and a CSV a set, and one page that sums up."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.config import Prepared
from evaluation.methods.fusion_points import FusionPoint
from evaluation.perception_distortion.choice import PAPER_POSITION, xi_at_position, xi_for_rmse
from evaluation.perception_distortion.plot import PaperPoints, PlanePoint, draw_plane, on_curve
from evaluation.perception_distortion.sweep import GRID, mean_squares
from evaluation.reports.markdown import number, table
from evaluation.reports.published import models_on
from evaluation.reports.report import DIGITS, HEADINGS, PROTOCOL, notes, write
from evaluation.scoring.protocol import MEASURES, Instruments
from sr_program.contract import DEFAULT_XI
from sr_program.files.atomic_write import atomic_file


def report(
    prepared: Prepared,
    summary: Mapping[str, Any],
    points: Sequence[FusionPoint],
    target_rmse: float,
    command: str,
) -> str:
    """Writes the plots, the CSV files and plane.md, plane.json.

    Args:
        prepared: The sets, and where the results go.
        summary: From `evaluation.reports.report.summarize`.
        points: The places of the curves.
        target_rmse: Grey levels; 0: none.
        command: The command line, printed beside the numbers.

    Returns:
        The text of plane.md.
    """
    measure = perception_measure(prepared.instruments)
    lines = ["# Perception and distortion", "", f"`{command}`", "", PROTOCOL, ""]
    for benchmark in prepared.benchmarks:
        variants = summary["sets"][benchmark.name]["variants"]
        failed = summary["sets"][benchmark.name]["failed"]
        errors = mean_squares(prepared.output, benchmark, failed)
        places = [place for p in points if (place := _place(p, variants, measure))]
        path = prepared.output / f"plane_{benchmark.name}"
        _write_csv(path.with_name(path.name + ".csv"), points, variants)
        lines += [f"## {benchmark.name}", ""]
        if places:
            _draw(benchmark.name, errors, places, measure, path)
            lines += [f"![{HEADINGS[measure]} against RMSE]({path.name}.png)", ""]
        lines += _table(points, variants, measure)
        lines += chosen(errors, target_rmse)
    text = "\n".join([*lines, *notes(summary)])
    write(prepared.output, summary, text, name="plane")
    return text


def perception_measure(instruments: Instruments) -> str:
    """The vertical axis: the perceptual index where it can be computed, else NIQE, else nothing."""
    return "perceptual_index" if "perceptual_index" in instruments.measures else "niqe"


def chosen(errors: NDArray[np.float64], target_rmse: float) -> list[str]:
    """What the fine grid tells about the choice of ξ on a set, a line each.

    Args:
        errors: From `mean_squares`.
        target_rmse: Grey levels; 0: none.
    """
    if np.isnan(errors).any():
        return ["- No image could be scored, so no ξ can be chosen.", ""]
    place = xi_at_position(GRID, errors)
    share = f"{PAPER_POSITION:.0%}"
    if place is None:
        lines = [f"- The vivid generator has no larger error, so no ξ lies at the paper's {share}."]
    else:
        lines = [
            f"- ξ = {place.xi:.3f} (RMSE {place.rmse:.2f}) lies at the paper's {share} of the way "
            "between the generators' mean squared errors."
        ]
    if target_rmse:
        met = xi_for_rmse(GRID, errors, target_rmse)
        # Three digits: it may be just above the target.
        least = f"; the least is {math.sqrt(errors.min()):.3f}"
        lines.append(
            f"- No ξ meets an RMSE of {target_rmse:g}{least}."
            if met is None
            else f"- ξ = {met.xi:.3f} is the largest with an RMSE of at most {target_rmse:g} "
            f"(RMSE {met.rmse:.2f})."
        )
    return [*lines, ""]


def _place(point: FusionPoint, variants: Mapping[str, Any], measure: str) -> PlanePoint | None:
    means = variants[point.label]["means"]
    if "rmse" not in means or measure not in means:
        return None
    return PlanePoint(point.mode, point.value, means["rmse"], means[measure])


def _draw(
    name: str, errors: NDArray[np.float64], places: list[PlanePoint], measure: str, path: Path
) -> None:
    marked = {}
    quantiles = [p.value for p in places if p.mode == "quantile"]
    if len(quantiles) > 1:
        rmse = math.sqrt(np.interp(DEFAULT_XI, GRID, errors))
        marked[f"ξ = {DEFAULT_XI:g}"] = on_curve(places, DEFAULT_XI, rmse)
        place = xi_at_position(GRID, errors)
        if place is not None:
            label = f"{PAPER_POSITION:.0%} point, ξ = {place.xi:.2f}"
            marked[label] = on_curve(places, place.xi, place.rmse)
    paper = PaperPoints(*models_on(name))
    draw_plane(places, marked, paper, path, title=name, measure=HEADINGS[measure])


def _table(points: Sequence[FusionPoint], variants: Mapping[str, Any], measure: str) -> list[str]:
    names = list(dict.fromkeys(["rmse", "psnr", "lr_consistency", "niqe", measure]))
    rows = []
    for point in points:
        means = variants[point.label]["means"]
        cells = [number(means.get(name), DIGITS[name]) for name in names]
        rows.append([point.label, *cells])
    return table(["", *(HEADINGS[name] for name in names)], rows)


def _write_csv(path: Path, points: Sequence[FusionPoint], variants: Mapping[str, Any]) -> None:
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["mode", "value", *MEASURES])
        for point in points:
            means = variants[point.label]["means"]
            writer.writerow([point.mode, point.value, *(means.get(m, "") for m in MEASURES)])
