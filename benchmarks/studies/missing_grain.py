"""Shows how much of the vivid image's distance to HR in NIQE is grain that HR has and it has not.

    python -m benchmarks.studies.missing_grain --data=BENCHMARKS --sets=Set14,BSD100

BENCHMARKS holds a folder for each set, with HR/ and LR_x4/. NIQE of HR, of the vivid image, and of
the vivid image with as much white noise as brings its grain to HR's. That is no method, for it asks
HR how grainy it is; it tells how much of a distance is nothing else. The grain of LR beside HR's
tells whether the input could have been asked instead.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import NamedTuple, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.timing.interleaved import machine
from bigans import Upscaler
from evaluation.metrics.model_files import NIQE_PARAMETERS
from evaluation.metrics.niqe import Niqe
from evaluation.scoring.protocol import PIRM_BORDER
from sr_data.sources import PairedFolder
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import UsageError
from sr_program.files.downloads import fetch
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

# Of Immerkær, "Fast noise variance estimation", 1996: blind to planes and to straight edges.
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)

# Windows, in pixels, and which of them count as without texture.
_WINDOW, _SMOOTH = 16, 0.15

# What that percentile of the windows' estimates is of white noise's standard deviation.
_PERCENTILE_OF_NOISE = 0.913


@dataclasses.dataclass(frozen=True)
class GrainConfig:
    """What is scored."""

    data: str = setting("", "Folder with a folder for each set. Required.")
    sets: str = setting("Set14,BSD100", "Names of the sets' folders, by commas.")
    seed: int = setting(0, "Of the noise.")
    niqe_parameters: str = setting("", "NIQE's pristine parameters; cached or downloaded if empty.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not self.data:
            raise UsageError("--data is required: the folder of the benchmark sets")
        if not all(self.sets.split(",")):
            raise UsageError(f"--sets: {self.sets!r} is no list of names")
        if self.seed < 0:
            raise UsageError(f"--seed must be at least 0, got {self.seed}")


DEFAULTS = GrainConfig()


class Lumas(NamedTuple):
    """Of one image: uint8 [H, W], [H / 4, W / 4] and [H, W]; HR and SR without a border."""

    hr: NDArray[np.uint8]
    lr: NDArray[np.uint8]
    sr: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Row:
    """Of one image: grain in grey levels, and NIQE."""

    hr_grain: float
    lr_grain: float
    sr_grain: float
    hr_niqe: float
    sr_niqe: float
    grainy_niqe: float


def grain_of(luma: NDArray[np.number]) -> float:
    """Standard deviation of an image's noise, by its smoothest windows.

    Args:
        luma: [H, W], both at least 16.

    Returns:
        Grey levels; that of white noise itself where there is no texture.
    """
    response = np.abs(cv2.filter2D(luma.astype(np.float64), cv2.CV_64F, _LAPLACIANS))
    down, across = (side // _WINDOW for side in luma.shape)
    windows = response[: down * _WINDOW, : across * _WINDOW]
    means = windows.reshape(down, _WINDOW, across, _WINDOW).mean(axis=(1, 3))
    smooth = np.quantile(means, _SMOOTH) / _PERCENTILE_OF_NOISE
    return float(np.sqrt(np.pi / 2) / 6 * smooth)


def compare(lumas: Lumas, niqe: Niqe, rng: np.random.Generator) -> Row:
    """Scores one image; the noise is drawn by `rng`."""
    hr, sr = lumas.hr, lumas.sr
    grains = grain_of(hr), grain_of(lumas.lr), grain_of(sr)
    missing = max(0.0, grains[0] ** 2 - grains[2] ** 2) ** 0.5
    noisy = np.rint(sr + missing * rng.standard_normal(sr.shape))
    return Row(*grains, niqe(hr), niqe(sr), niqe(np.clip(noisy, 0, 255).astype(np.uint8)))


def score_set(folder: PairedFolder, vivid: Upscaler, niqe: Niqe, seed: int) -> dict[str, Row]:
    """Scores the images of a set; PIRM's 4 border pixels are left out of NIQE."""
    rows = {}
    inner = np.s_[PIRM_BORDER:-PIRM_BORDER, PIRM_BORDER:-PIRM_BORDER]
    for index, (name, hr, lr) in enumerate(tqdm(folder, total=len(folder), disable=None)):
        luma = luma_of_gray if folder.is_gray(index) else rgb_to_y
        rng = np.random.default_rng((seed, index))
        lumas = Lumas(luma(hr)[inner], luma(lr), luma(vivid(lr))[inner])
        rows[name] = compare(lumas, niqe, rng)
    return rows


def report(config: GrainConfig) -> str:
    """Scores all sets.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: A set is missing, or NIQE's parameters cannot be had.
    """
    config.check()
    folders = {name: PairedFolder(Path(config.data) / name) for name in config.sets.split(",")}
    niqe = Niqe(config.niqe_parameters or fetch(NIQE_PARAMETERS))
    import_tensorflow_quietly()
    vivid = Upscaler.from_pretrained(model="vivid", weights="clean")
    header = ("image", "grain of HR", "of LR", "of the vivid image")
    header += ("NIQE of HR", "of the vivid image", "with HR's grain")
    lines = [machine(), "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    correlations = []
    for name, folder in folders.items():
        rows = score_set(folder, vivid, niqe, config.seed)
        if len(rows) <= 20:
            lines += [_line(image, dataclasses.astuple(row)) for image, row in rows.items()]
        table = np.array([dataclasses.astuple(row) for row in rows.values()])
        lines.append(_line(f"**{name}**", table.mean(0)))
        correlations.append(f"{name} {_correlation(*table[:, :2].T):.2f}")
    lines += ["", f"Correlation of HR's and LR's grain: {', '.join(correlations)}."]
    return "\n".join(lines)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson's; NaN of one image, or where one of them is the same everywhere."""
    if len(first) < 2:
        return math.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(first, second)[0, 1])


def _line(name: str, values: tuple[float, ...] | NDArray[np.float64]) -> str:
    return f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |"


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
