r"""Scores generators on validation images whose LR is compressed or noisy.

    python -m benchmarks.studies.degraded_validation --val_dir=VAL --crop=100 \
        --weights=mr_srgan=FILE

VAL is a validation folder, as --val_dir of the trainers. Prints two Markdown tables: the mean PSNR
of Y (the protocol of validation: 6 border pixels left out) of bicubic interpolation, of shipped
generators, and of other weights of theirs, each file a row of its own; and the grid of 4 pixels in
the same results, and in those of --photos.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NoReturn

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.shipped import BRANCHES, Enlarge, Image, methods_of
from benchmarks.studies.degraded_lr import degraded_versions
from benchmarks.timing.interleaved import machine
from evaluation.metrics.grid import SIDE as GRID_SIDE
from evaluation.metrics.grid import grid_measure
from sr_data.pairs import SCALE
from sr_data.sources import PairedFolder
from sr_images.fidelity import psnr
from sr_images.image_io import read_rgb
from sr_images.luma import rgb_to_y
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.settings import setting
from srgan.runs.validation import BORDER, check_pairs


@dataclasses.dataclass(frozen=True)
class ScoringConfig:
    """What is scored."""

    val_dir: str = setting("", "Validation images, as --val_dir of the trainers. Required.")
    generators: str = setting("mr_srgan", "Shipped generators, by commas; may be empty.")
    weights: str = setting("", "NAME=FILE, by commas: each a row for other weights of NAME.")
    crop: int = setting(0, "Side of the middle that is used, LR pixels; 0: all.")
    limit: int = setting(0, "How many images; 0: all.")
    photos: str = setting(
        "", "Files, by commas: photos without an original, of which the grid alone is measured."
    )

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not self.val_dir:
            raise UsageError("--val_dir is required: a folder of validation images")
        for name in filter(None, self.generators.split(",")):
            if name not in BRANCHES:
                raise UsageError(f"--generators: {name!r} is none of {', '.join(BRANCHES)}")
        if self.crop < 0 or 0 < self.crop < SMALLEST_CROP:
            raise UsageError(f"--crop must be 0 or at least {SMALLEST_CROP}, got {self.crop}")
        if self.limit < 0:
            raise UsageError(f"--limit must be at least 0, got {self.limit}")


DEFAULTS = ScoringConfig()
# What the protocol's border leaves something of.
SMALLEST_CROP = 6

Luma = NDArray[np.number]


def middle(hr: Image, lr: Image, side: int) -> tuple[Image, Image]:
    """The middle of a pair.

    Args:
        hr: uint8 [4H, 4W, 3].
        lr: uint8 [H, W, 3].
        side: LR pixels; what is smaller stays whole, and everything for 0.
    """
    if not side:
        return hr, lr
    top, left = (max((length - side) // 2, 0) for length in lr.shape[:2])
    hr = hr[SCALE * top : SCALE * (top + side), SCALE * left : SCALE * (left + side)]
    return hr, lr[top : top + side, left : left + side]


@dataclasses.dataclass(frozen=True)
class Scores:
    """What was found of each row, by column.

    Attributes:
        psnr: Of Y, dB, an image each.
        luma: Y of the results, for the grid.
    """

    psnr: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    luma: dict[str, list[Luma]] = dataclasses.field(default_factory=dict)


def score(
    folder: PairedFolder, methods: dict[str, Enlarge], crop: int, limit: int
) -> dict[str, Scores]:
    """Scores every row.

    The whole LR image is degraded, and its middle is cut out afterwards.
    """
    found = {name: Scores() for name in methods}
    count = min(limit, len(folder)) if limit else len(folder)
    for number in tqdm(range(count), desc="images", unit="image", disable=None):
        _, hr, lr = folder[number]
        for column, version in degraded_versions(lr, number).items():
            real, part = middle(hr, version, crop)
            for name, enlarge in methods.items():
                luma = rgb_to_y(enlarge(part))
                value = psnr(rgb_to_y(real), luma, data_range=255, border=BORDER)
                found[name].psnr.setdefault(column, []).append(value)
                found[name].luma.setdefault(column, []).append(luma)
    return found


def grid_cell(images: list[Luma]) -> str:
    """The grid of a set of results, or a dash where one is too small to show one."""
    if any(min(luma.shape) < GRID_SIDE for luma in images):
        return "–"
    return f"{grid_measure(images):.2f}"


def table(rows: dict[str, dict[str, str]]) -> list[str]:
    """Row → column → cell, as Markdown."""
    columns = list(rows["bicubic"])
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    return lines + [
        f"| {name} | {' | '.join(row[one] for one in columns)} |" for name, row in rows.items()
    ]


def report(config: ScoringConfig) -> str:
    """Scores all rows.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: Images or weights cannot be used.
    """
    config.check()
    folder = PairedFolder(config.val_dir)
    check_pairs(folder, SCALE)
    names, items = (
        list(filter(None, text.split(","))) for text in (config.generators, config.weights)
    )
    photos = {path: read_rgb(Path(path)) for path in filter(None, config.photos.split(","))}
    methods = methods_of(names, items)
    rows = score(folder, methods, config.crop, config.limit)
    for path, photo in photos.items():
        for name, enlarge in methods.items():
            rows[name].luma[Path(path).stem] = [rgb_to_y(enlarge(photo))]
    means = {
        name: {column: f"{np.mean(values):.3f}" for column, values in row.psnr.items()}
        for name, row in rows.items()
    }
    grids = {
        name: {column: grid_cell(images) for column, images in row.luma.items()}
        for name, row in rows.items()
    }
    head = f"{machine()}, TensorFlow {tf.__version__}, float32; PSNR of Y, dB."
    grid_head = "The grid of 4 pixels over what noise gives (1 = none)."
    return "\n".join([head, "", *table(means), "", grid_head, "", *table(grids)])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
