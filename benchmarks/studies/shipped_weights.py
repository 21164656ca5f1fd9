r"""Scores the shipped weights on benchmark folders and prints Markdown tables.

    python -m benchmarks.studies.shipped_weights --data=BENCHMARKS \
        --sets=Set5,Set14 --vgg_weights=FILE

BENCHMARKS holds a folder for each set, with HR/ and LR_x4/, or HR images alone; with
--weights=NAME=FILE, such as wp_srgan_stage2=runs/wp/stage2/generator.weights.h5, other weights have
the place of the shipped ones. Tables: PSNR and
SSIM of bicubic interpolation and of every generator (the paper's protocol: Y, 6 border pixels left
out); the distance of VGG features to HR; PSNR of the fused image along ξ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from benchmarks.shipped import BRANCHES, replacements, shipped_generator
from benchmarks.timing.interleaved import machine
from fusion.fuse import fuse
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import psnr, ssim
from sr_images.image_io import to_signed
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_images.rounding import round_half_up
from sr_program.contract import DEFAULT_XI
from sr_program.entry_point import refuse_positional, run
from srgan.runs.saved_model import ServedGenerator
from srgan.runs.validation import BORDER
from srgan.vgg.features import build_vgg_features, feature_scale

DATA = flags.DEFINE_string("data", None, "Folder with a folder for each set.", required=True)
SETS = flags.DEFINE_list("sets", ["Set5", "Set14"], "Names of the sets' folders.")
XI = flags.DEFINE_list("xi", ["0", "0.25", "0.5", f"{DEFAULT_XI}", "1"], "Values of ξ.")
WEIGHTS = flags.DEFINE_multi_string("weights", [], "NAME=FILE: in place of the shipped weights.")
VGG_WEIGHTS = flags.DEFINE_string("vgg_weights", "imagenet", "imagenet (download), or a file.")
VGG_LAYER = flags.DEFINE_string("vgg_layer", "block3_conv4", "VGG19 layer of the distance.")

Row = dict[str, float]


def scores(hr: np.ndarray, sr: np.ndarray, gray: bool) -> tuple[float, float]:
    """PSNR, dB, and SSIM of an image by the paper's protocol; both uint8 [H, W, 3]."""
    luma = luma_of_gray if gray else rgb_to_y
    pair = luma(hr), luma(sr)
    return (
        psnr(*pair, data_range=255, border=BORDER),
        ssim(*pair, data_range=255, border=BORDER),
    )


def score_set(
    folder: PairedFolder, generators: dict[str, ServedGenerator], vgg: keras.Model
) -> Iterator[Row]:
    """Scores every image of a set: a row of numbers each."""
    scale = feature_scale("vgg19", VGG_LAYER.value)
    for index, (_, hr, lr) in enumerate(tqdm(folder, total=len(folder), disable=None)):
        gray = folder.is_gray(index)
        row: Row = {}
        images = {"bicubic": bicubic_upscale(lr).astype(np.float32)}
        for name, generator in generators.items():
            images[name] = generator.unrounded(tf.constant(lr[None]))["sr"].numpy()[0]
        real = vgg(to_signed(hr)[None], training=False)
        for name, image in images.items():
            sr = round_half_up(image, np).astype(np.uint8)
            row[f"psnr {name}"], row[f"ssim {name}"] = scores(hr, sr, gray)
            fake = vgg(to_signed(sr)[None], training=False)
            row[f"vgg {name}"] = float(scale * tf.reduce_mean(tf.square(real - fake)))
        faithful, vivid = (
            tf.constant(images[name][None]) for name in ("mr_srgan", "wp_srgan_stage2")
        )
        for xi in XI.value:
            fused = fuse(faithful, vivid, float(xi)).sr.numpy()[0]
            row[f"psnr xi={xi}"], row[f"ssim xi={xi}"] = scores(hr, fused, gray)
        yield row


def table(results: dict[str, Row], kind: str, columns: list[str], digits: int) -> list[str]:
    """One Markdown table: a row a column name, a column a set."""
    lines = [f"| {kind} | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|"]
    for column in columns:
        cells = [f"{means[f'{kind} {column}']:.{digits}f}" for means in results.values()]
        lines.append(f"| {column} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def main(arguments: list[str]) -> None:
    """Prints the tables."""
    refuse_positional(arguments)
    others = replacements(WEIGHTS.value)
    folders = {name: PairedFolder(Path(DATA.value) / name) for name in SETS.value}
    vgg = build_vgg_features("vgg19", VGG_LAYER.value, weights=VGG_WEIGHTS.value)
    generators = {
        name: ServedGenerator(shipped_generator(name, weights=others.get(name))[0])
        for name in BRANCHES
    }
    results: dict[str, Row] = {}
    for name, folder in folders.items():
        rows = list(score_set(folder, generators, vgg))
        results[name] = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    names = ["bicubic", *generators]
    sweep = [f"xi={xi}" for xi in XI.value]
    lines = [f"{machine()}, TensorFlow {tf.__version__}, float32", ""]
    lines += [f"{name} has the weights {path}\n" for name, path in others.items()]
    for kind, columns, digits in (
        ("psnr", names, 2),
        ("ssim", names, 4),
        ("vgg", names, 3),
        ("psnr", sweep, 2),
    ):
        lines += table(results, kind, columns, digits)
    print("\n".join(lines))


if __name__ == "__main__":
    run(main)
