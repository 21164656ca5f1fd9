"""Fused images along ξ, and the distortion of many more places between them.

The generators run once an image. The images of the sweep are scored in full; for the choice of ξ,
the distortion alone is measured on a fine grid and kept in a file for each image.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bigans.models.loaded_model import Levels, LoadedModel
from evaluation.methods.fusion_points import FusionPoint, Mode
from evaluation.methods.method import Fused, Image
from evaluation.metrics.rmse import rmse
from evaluation.scoring.protocol import PIRM_BORDER
from sr_data.benchmarks import Benchmark, BenchmarkImage
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file

# ξ of the fine grid.
GRID = np.linspace(0, 1, 51)

SYMBOLS: dict[Mode, str] = {"quantile": "ξ", "absolute": "t", "linear": "α"}


def sweep_points(mode: Mode, values: str) -> list[FusionPoint]:
    """The places of one curve.

    Args:
        mode: See `FusionPoint`.
        values: Numbers separated by commas; empty: no place.

    Raises:
        UsageError: Not numbers, or out of range.
    """
    points = []
    largest = 255 if mode == "absolute" else 1
    for text in filter(None, values.split(",")):
        try:
            value = float(text)
        except ValueError:
            raise UsageError(f"{text!r} in --{mode}={values} is no number") from None
        if not 0 <= value <= largest:
            raise UsageError(f"{text} in --{mode}={values} does not lie in [0, {largest}]")
        points.append(FusionPoint(f"{SYMBOLS[mode]} = {value:g}", mode, value))
    if len({point.label for point in points}) < len(points):
        raise UsageError(f"--{mode}={values} names a value twice")
    return points


class Sweep(Fused):
    """A fused model at many places; keeps each image's distortion on the fine grid."""

    def __init__(
        self, model: LoadedModel, points: Sequence[FusionPoint], output: Path, *, ensemble: bool
    ) -> None:
        """Takes a loaded model; see `Fused`. The grids go to `output`/grid/SET/NAME.json."""
        super().__init__(model, points, ensemble=ensemble)
        self._output = output

    def is_complete(self, benchmark: str, image: BenchmarkImage) -> bool:
        """Whether the image has its grid, undamaged."""
        return _grid(grid_file(self._output, benchmark, image.name)) is not None

    def merge(
        self,
        benchmark: str,
        image: BenchmarkImage,
        generators: tuple[Levels, Levels],
        wanted: Collection[str],
    ) -> dict[str, Image]:
        """See `Fused`; measures the fine grid on the way."""
        path = grid_file(self._output, benchmark, image.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            errors = [
                _mean_square(image, self.merged(FusionPoint("", "quantile", float(xi)), generators))
                for xi in GRID
            ]
        except ValueError as error:  # a model of another scale, an image without an inside
            raise DataError(str(error)) from error
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(errors))
        return super().merge(benchmark, image, generators, wanted)


def grid_file(output: Path, benchmark: str, image: str) -> Path:
    """Where the distortions of an image are kept."""
    return output / "grid" / benchmark / f"{image}.json"


def mean_squares(
    output: Path, benchmark: Benchmark, failed: Collection[str] = ()
) -> NDArray[np.float64]:
    """Mean over a set's images of the mean squared error at each ξ of `GRID`, grey levels².

    Args:
        output: Folder of the results.
        benchmark: The set.
        failed: Names of images that could not be scored. They may have a grid all the same, of a
            run in which they could be.

    Returns:
        float64 [G]; NaN where no image has a grid.
    """
    names = (name for name in benchmark.names if name not in failed)
    grids = (_grid(grid_file(output, benchmark.name, name)) for name in names)
    rows = [grid for grid in grids if grid is not None]
    return np.mean(rows, axis=0) if rows else np.full(len(GRID), np.nan)


def _grid(path: Path) -> NDArray[np.float64] | None:
    """The distortions that a file holds; None where there is none, or it is damaged."""
    try:
        found = np.array(json.loads(path.read_text(encoding="utf-8")), np.float64)
    except (FileNotFoundError, TypeError, ValueError):
        return None
    return found if found.shape == GRID.shape and np.isfinite(found).all() else None


def _mean_square(image: BenchmarkImage, sr: Image) -> float:
    luma = luma_of_gray if image.is_gray else rgb_to_y
    return rmse(luma(image.hr), luma(sr), border=PIRM_BORDER) ** 2
