r"""Compares generators on photos, by numbers and by a sheet of crops to look at.

    python -m benchmarks.studies.compare_generators \
        --weights=A=runs/a/generator.weights.h5,wp_srgan_stage2 --data=VAL \
        --vgg_weights=FILE --stlpips --output=OUT

VAL holds HR/ and LR_x4/. A generator is a shipped one, or NAME=FILE with the `config.json` of its
run beside FILE. Prints a table, a row a generator beside bicubic interpolation and HR itself, and
writes it as OUT/comparison.md; OUT/crops.png shows five places, a column a generator.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.studies.degraded_lr import CLEAN, COLUMNS, degraded
from benchmarks.timing.interleaved import machine
from evaluation.metrics.grid import grid_measure
from evaluation.metrics.model_files import NIQE_PARAMETERS, VGG19_WEIGHTS
from evaluation.reports.markdown import ABSENT, number, table
from evaluation.reports.report import DIGITS, HEADINGS
from evaluation.scoring.instruments import STLPIPS_PACKAGE
from evaluation.scoring.processes import default_workers, score, scoring_pool
from evaluation.scoring.protocol import Instruments, Scorer, Scores, set_means
from evaluation.sheets.rows import draw_rows, most_detailed
from evaluation.sheets.sheet import Crop
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import write_rgb
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_program import dataclass_flags
from sr_program.entry_point import command_line, refuse_positional, run, warnings_only
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from sr_program.files.downloads import fetch
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting
from srgan.vgg.weights import IMAGENET


@dataclasses.dataclass(frozen=True)
class ComparisonConfig:
    """What is compared."""

    weights: str = setting("", "NAME=FILE, or shipped ones, by commas. Required.")
    data: str = setting("", "Folder with HR/ and LR_x4/. Required.")
    output: str = setting("", "Folder of the results. Required.")
    degradation: str = setting(
        CLEAN,
        "What happens to the LR images first; LR consistency is to the clean ones.",
        COLUMNS,
    )
    vgg_weights: str = setting(
        "", "VGG19's weights, imagenet (download) or a file; without it no such column."
    )
    stlpips: bool = setting(False, "Compute ST-LPIPS; its package is needed.")
    niqe_parameters: str = setting("", "NIQE's pristine parameters; cached or downloaded if empty.")
    workers: int = setting(-1, "Processes that score; -1: one a core.")
    crops: str = setting(
        "",
        "NAME:ROW:COLUMN in pixels of HR, top left, by commas; empty: found by their detail.",
    )
    crop_size: int = setting(80, "Side of a crop, pixels.")
    zoom: int = setting(3, "Each pixel of a crop becomes a square of so many.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("weights", "data", "output"):
            if not getattr(self, name):
                raise UsageError(f"--{name} is required")
        for name, least in (("workers", -1), ("crop_size", 1), ("zoom", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name} must be at least {least}, got {getattr(self, name)}")


DEFAULTS = ComparisonConfig()

# Of the table, in this order; the grid follows.
SHOWN = ("psnr", "structure_texture", "stlpips", "niqe", "lr_consistency")
GRID = "Grid (1 = none)"
BICUBIC, HR = "bicubic", "HR"

_FOUND_CROPS = 5

Pixels = NDArray[np.uint8]
Versions = dict[str, Pixels]  # bicubic, generators, HR
Methods = Mapping[str, Callable[[Pixels], Pixels]]


def instruments(config: ComparisonConfig) -> Instruments:
    """What the flags ask for.

    Raises:
        UsageError: ST-LPIPS is asked for, and its package is not installed.
        DataError: A file is missing, or is not what it should be.
    """
    if config.stlpips and importlib.util.find_spec(STLPIPS_PACKAGE) is None:
        raise UsageError("--stlpips needs a package: pip install stlpips-pytorch torch")
    vgg = None
    if config.vgg_weights:
        vgg = fetch(VGG19_WEIGHTS) if config.vgg_weights == IMAGENET else Path(config.vgg_weights)
    niqe = Path(config.niqe_parameters) if config.niqe_parameters else fetch(NIQE_PARAMETERS)
    found = Instruments(niqe=niqe, vgg=vgg, stlpips=config.stlpips)
    for path in filter(None, (niqe, vgg)):
        if not path.is_file():
            raise DataError(f"{path}: no such file")
    Scorer(found)  # in this process: an unfit file is a plain error here
    return found


def open_methods(items: Sequence[str]) -> Methods:
    """What makes 4x images: bicubic interpolation, and the generators that --weights names.

    Raises:
        UsageError, DataError: See `chosen_generators`; or a name is taken.
    """
    for name in {item.partition("=")[0] for item in items} & {BICUBIC, HR}:
        raise UsageError(f"--weights={name}=…: this name is taken")
    # Here, because a process that scores imports this module and needs no TensorFlow.
    import_keras_quietly()
    import tensorflow as tf

    from benchmarks.studies.chosen_generators import chosen_generators
    from srgan.runs.saved_model import ServedGenerator

    def method(generator: ServedGenerator) -> Callable[[Pixels], Pixels]:
        return lambda lr: generator.rounded(tf.constant(lr[None]))["sr"].numpy()[0]

    generators = chosen_generators(items)
    return {
        BICUBIC: bicubic_upscale,
        **{name: method(ServedGenerator(generator)) for name, generator in generators.items()},
    }


def compare(
    folder: PairedFolder,
    methods: Methods,
    found: Instruments,
    workers: int,
    degradation: str = CLEAN,
) -> tuple[dict[str, Versions], dict[str, dict[str, float]]]:
    """Makes and scores all versions of all photos.

    Returns:
        Photo → version → pixels; and version → measure → mean, of the grid under `GRID`.

    Raises:
        DataError: A photo cannot be read, or is too small for the grid.
    """
    photos: dict[str, Versions] = {}
    waiting: dict[str, list[Any]] = {}
    lumas: dict[str, list[Pixels]] = {}
    with scoring_pool(found, workers) as pool:
        for index, (name, hr, lr) in enumerate(tqdm(folder, total=len(folder), disable=None)):
            gray = folder.is_gray(index)
            given = degraded(lr, index, degradation)
            made = {version: enlarge(given) for version, enlarge in methods.items()}
            photos[name] = {**made, HR: hr}
            for version, image in photos[name].items():
                lumas.setdefault(version, []).append((luma_of_gray if gray else rgb_to_y)(image))
                jobs = waiting.setdefault(version, [])
                jobs.append(pool.submit(score, hr, lr, image, gray))
        scores: dict[str, list[Scores]] = {
            version: [job.result() for job in tqdm(jobs, desc=version, disable=None)]
            for version, jobs in waiting.items()
        }
    try:
        grids = {version: grid_measure(images) for version, images in lumas.items()}
    except ValueError as error:
        raise DataError(f"{folder.directory}: {error}") from error
    return photos, {
        version: {**set_means(one), GRID: grids[version]} for version, one in scores.items()
    }


def comparison(means: Mapping[str, Mapping[str, float]], found: Instruments) -> list[str]:
    """The table's lines."""
    shown = [name for name in SHOWN if name in found.measures]
    rows = [
        [
            version,
            *(_cell(values.get(name), DIGITS[name]) for name in shown),
            _cell(values[GRID], 2),
        ]
        for version, values in means.items()
    ]
    return table(["", *(HEADINGS[name] for name in shown), GRID], rows)


def _cell(value: float | None, digits: int) -> str:
    # HR's PSNR is infinite.
    return ABSENT if value is None or math.isinf(value) else number(value, digits)


def find_places(photos: Mapping[str, Versions], side: int) -> list[tuple[str, Crop]]:
    """Five photos' squares with the most detail, spread evenly from the busiest photo to the calm.

    The busiest alone would all be leaves and gravel.
    """
    found = [(name, *most_detailed(made[HR], side)) for name, made in photos.items()]
    found.sort(key=lambda one: -one[2])
    count = min(_FOUND_CROPS, len(found))
    spread = np.linspace(0, len(found) - 1, count).round().astype(int)
    return [found[i][:2] for i in spread]


def named_places(
    items: Sequence[str], photos: Mapping[str, Versions], side: int
) -> list[tuple[str, Crop]]:
    """Reads NAME:ROW:COLUMN.

    Raises:
        UsageError: It is none, there is no such photo, or the square does not lie in it.
    """
    places = []
    for item in items:
        name, *corner = item.rsplit(":", 2)
        if len(corner) != 2 or not all(one.isdecimal() for one in corner):
            raise UsageError(f"--crops={item}: give NAME:ROW:COLUMN in whole pixels")
        if name not in photos:
            raise UsageError(f"--crops={item}: there is no photo {name}")
        row, column = map(int, corner)
        height, width = photos[name][HR].shape[:2]
        if row + side > height or column + side > width:
            raise UsageError(
                f"--crops={item}: {side} pixels from there do not lie in {width}x{height}"
            )
        places.append((name, Crop(column, row, side, side)))
    return places


def draw(
    photos: Mapping[str, Versions], places: Sequence[tuple[str, Crop]], zoom: int
) -> NDArray[np.uint8]:
    """The sheet: a row a place, a column a version."""
    rows = []
    for name, (x, y, width, height) in places:
        crops = [image[y : y + height, x : x + width] for image in photos[name].values()]
        rows.append((f"{name}:{y}:{x}", crops))
    return draw_rows(rows, list(photos[places[0][0]]), zoom)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    write_comparison(dataclass_flags.read(DEFAULTS))


def write_comparison(config: ComparisonConfig) -> None:
    """Prints the table and writes it and the sheet.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: A file is missing, or is not what it should be.
    """
    config.check()
    folder = PairedFolder(Path(config.data))
    found = instruments(config)
    methods = open_methods(config.weights.split(","))
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    workers = default_workers() if config.workers == -1 else config.workers
    photos, means = compare(folder, methods, found, workers, config.degradation)
    text = "\n".join([f"`{command_line()}`", "", machine(), "", *comparison(means, found)])
    with atomic_file(output / "comparison.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    named = named_places(list(filter(None, config.crops.split(","))), photos, config.crop_size)
    sheet = draw(photos, named or find_places(photos, config.crop_size), config.zoom)
    write_rgb(output / "crops.png", sheet)
    print(text)
    print(f"{output / 'crops.png'}")


if __name__ == "__main__":
    cli_main()
