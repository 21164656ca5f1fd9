"""Scores generators on validation images whose LR is compressed or noisy.

    python -m benchmarks.degraded_validation --val_dir=VAL --weights=mr_srgan=FILE --crop=100

VAL is a validation folder, as --val_dir of the trainers. Prints one Markdown table: the mean PSNR
of Y (the protocol of validation: 6 border pixels left out) of bicubic interpolation, of shipped
generators, and of other weights of theirs, each file a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.interleaved import machine
from benchmarks.shipped import BRANCHES, replacements, shipped_generator
from cli.entry_point import refuse_positional, run
from cli.errors import UsageError
from sr_data.degradation import bicubic_upscale
from sr_data.fidelity import psnr
from sr_data.jpeg import through_jpeg
from sr_data.luma import rgb_to_y
from sr_data.pairs import SCALE
from sr_data.rounding import grey_levels
from sr_data.sensor_noise import pixel_noise
from sr_data.sources import PairedFolder
from srgan.validation import BORDER, check_pairs, super_resolve

VAL_DIR = flags.DEFINE_string("val_dir", None, "Validation images.", required=True)
GENERATORS = flags.DEFINE_list("generators", ["mr_srgan"], "Shipped generators; may be empty.")
WEIGHTS = flags.DEFINE_multi_string("weights", [], "NAME=FILE: a row for other weights of NAME.")
CROP = flags.DEFINE_integer("crop", 0, "Side of the middle that is used, LR pixels; 0: all.")
LIMIT = flags.DEFINE_integer("limit", 0, "How many images; 0: all.")

Image = NDArray[np.uint8]
Enlarge = Callable[[Image], Image]

QUALITIES = (75, 50, 30)
SIGMA = 5.0


def degraded_versions(lr: Image, number: int) -> dict[str, Image]:
    """An LR image in the degradations of the table; the same at each call.

    Args:
        lr: uint8 [H, W, 3].
        number: Of the image; the seed of its noise.

    Returns:
        Column name → uint8 [H, W, 3]: unchanged, JPEG with 4:2:0, and with white noise.
    """
    found = {"clean": lr}
    for quality in QUALITIES:
        found[f"JPEG q{quality}"] = through_jpeg(lr, quality, half_colour=True)
    exact = lr.astype(np.float32)
    noisy = exact + pixel_noise(exact, 0.0, SIGMA, np.random.default_rng(number))
    found[f"noise σ {SIGMA:g}"] = grey_levels(noisy, np).astype(np.uint8)
    return found


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


def score(
    folder: PairedFolder, enlargers: dict[str, Enlarge], crop: int, limit: int
) -> dict[str, dict[str, float]]:
    """Mean PSNR, dB: row → column → value.

    The whole LR image is degraded, and its middle is cut out afterwards.
    """
    values: dict[str, dict[str, list[float]]] = {name: {} for name in enlargers}
    count = min(limit, len(folder)) if limit else len(folder)
    for number in tqdm(range(count), desc="images", unit="image", disable=None):
        _, hr, lr = folder[number]
        for column, version in degraded_versions(lr, number).items():
            real, part = middle(hr, version, crop)
            for name, enlarge in enlargers.items():
                pair = rgb_to_y(real), rgb_to_y(enlarge(part))
                value = psnr(*pair, data_range=255, border=BORDER)
                values[name].setdefault(column, []).append(value)
    return {
        name: {column: float(np.mean(found)) for column, found in row.items()}
        for name, row in values.items()
    }


def enlargers_of(generators: list[str], weights: list[str]) -> Iterator[tuple[str, Enlarge]]:
    """The rows of the table, each with what enlarges its images."""
    yield "bicubic", bicubic_upscale
    for name in generators:
        if name not in BRANCHES:
            raise UsageError(f"--generators: {name!r} is none of {', '.join(BRANCHES)}")
    files = [(item, *replacements([item]).popitem()) for item in weights]
    for name in generators:
        yield name, _enlarger(shipped_generator(name)[0])
    for item, name, path in files:
        yield item, _enlarger(shipped_generator(name, weights=path)[0])


def _enlarger(generator: Any) -> Enlarge:
    signature = [tf.TensorSpec([1, None, None, 3], tf.float32)]
    compiled = tf.function(lambda lr: generator(lr, training=False), input_signature=signature)
    return lambda lr: super_resolve(lambda batch: compiled(tf.constant(batch)), lr)


def main(arguments: list[str]) -> None:
    """Prints the table."""
    refuse_positional(arguments)
    for flag in (CROP, LIMIT):
        if flag.value < 0:
            raise UsageError(f"--{flag.name} must be at least 0, got {flag.value}")
    if 0 < CROP.value < 8:
        raise UsageError(f"--crop must be at least 8, or 0 for all, got {CROP.value}")
    folder = PairedFolder(VAL_DIR.value)
    check_pairs(folder, SCALE)
    enlargers = dict(enlargers_of([name for name in GENERATORS.value if name], WEIGHTS.value))
    rows = score(folder, enlargers, CROP.value, LIMIT.value)
    columns = list(rows["bicubic"])
    print(f"{machine()}, TensorFlow {tf.__version__}, float32; PSNR of Y, dB.\n")
    print(f"| | {' | '.join(columns)} |\n" + "|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.3f}" for column in columns) + " |")


if __name__ == "__main__":
    run(main)
