"""Times each tower and the fused graph against the same networks written plainly.

    python -m benchmarks.inference [--image=PHOTO] [--repetitions=15]

Plainly: Keras' PReLU, and the output convolution after the last pixel shuffle. Both have the same
weights (the shipped ones), are called as tf.functions in one process, in turn, and are compared
before rounding. Prints one Markdown table of medians, and the quantile's share of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.interleaved import machine, medians
from benchmarks.plain_networks import build_plain
from benchmarks.shipped import shipped_generator
from cli.entry_point import run
from cli.errors import DataError
from fusion.fused_model import DEFAULT_XI, fuse
from fusion.quantile import quantile
from sr_data.image_io import read_rgb
from srgan.saved_model import Tower

IMAGE = flags.DEFINE_string("image", None, "Photo whose centre is used; default: scikit-image's.")
SIZE = flags.DEFINE_integer("size", 128, "Side of the LR image, pixels.", lower_bound=8)
REPETITIONS = flags.DEFINE_integer("repetitions", 15, "Timed rounds.", lower_bound=1)

# Float32 sums in another order: the bound on what the two forms may differ by, grey levels.
TOLERANCE = 0.01

TOWERS = {"MR-SRGAN": "mr_srgan", "WP-SRGAN": "wp_srgan_stage2"}

Graph = Callable[[tf.Tensor], tf.Tensor]


def graphs(towers: dict[str, keras.Model]) -> dict[str, Graph]:
    """A function a tower and one for their fusion: uint8 [1, H, W, 3] to float32 grey levels."""
    unrounded = {title: Tower(generator).unrounded for title, generator in towers.items()}

    @tf.function
    def fused(image: tf.Tensor) -> tf.Tensor:
        faithful, vivid = (unrounded[title](image)["sr"] for title in TOWERS)
        return fuse(faithful, vivid).unrounded

    return {**{t: lambda image, f=f: f(image)["sr"] for t, f in unrounded.items()}, "fused": fused}


def quantile_of_difference(towers: dict[str, Graph], image: tf.Tensor) -> Callable[[], Any]:
    """The threshold's computation alone, on the difference of the two towers' images."""
    faithful, vivid = (towers[title](image) for title in TOWERS)
    difference = tf.reshape(tf.abs(vivid - faithful), [1, -1])
    graph = tf.function(quantile)
    return lambda: graph(difference, tf.constant([DEFAULT_XI])).numpy()


def centre_of(photo: np.ndarray, side: int) -> tf.Tensor:
    """The central square of a photo, uint8 [1, side, side, 3].

    Raises:
        DataError: The photo is smaller.
    """
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    if min(top, left) < 0:
        raise DataError(f"the photo is smaller than {side}x{side} pixels")
    return tf.constant(photo[None, top : top + side, left : left + side])


def sample_photo() -> np.ndarray:
    """A photo that comes with scikit-image."""
    from skimage import data

    return data.chelsea()


def main(arguments: list[str]) -> None:
    """Prints the table."""
    del arguments
    image = centre_of(read_rgb(IMAGE.value) if IMAGE.value else sample_photo(), SIZE.value)
    generators = {title: shipped_generator(name) for title, name in TOWERS.items()}
    ours = graphs({title: generator for title, (generator, _) in generators.items()})
    plain = graphs({title: build_plain(*pair) for title, pair in generators.items()})
    candidates: dict[tuple[str, str], Callable[[], Any]] = {
        (title, form): (lambda graph=graph: graph(image).numpy())
        for title in ours
        for form, graph in (("plain", plain[title]), ("ours", ours[title]))
    }
    candidates["quantile", "ours"] = quantile_of_difference(ours, image)
    times = medians(candidates, REPETITIONS.value)
    lines = [
        f"{machine()}, TensorFlow {tf.__version__}, float32, "
        f"{SIZE.value}x{SIZE.value} → {4 * SIZE.value}x{4 * SIZE.value}, "
        f"medians of {REPETITIONS.value} interleaved rounds",
        "",
        "| graph | plain, s | ours, s | plain / ours | max difference, grey levels |",
        "|---|---|---|---|---|",
    ]
    worst = 0.0
    for title in ours:
        error = float(np.max(np.abs(ours[title](image).numpy() - plain[title](image).numpy())))
        worst = max(worst, error)
        before, after = times[title, "plain"], times[title, "ours"]
        lines.append(
            f"| {title} | {before:.3f} | {after:.3f} | {before / after:.2f} | {error:.1e} |"
        )
    share = times["quantile", "ours"] / times["fused", "ours"]
    lines += ["", f"The exact quantile takes {share:.1%} of the fused graph's time."]
    print("\n".join(lines))
    if worst > TOLERANCE:
        raise DataError(f"the two forms differ by {worst:.3f} grey levels, more than {TOLERANCE}")


if __name__ == "__main__":
    run(main)
