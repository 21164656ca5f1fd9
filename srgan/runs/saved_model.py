"""The contract between training and everything after it: a versioned SavedModel directory.

`DIRECTORY/1/` holds one generator with two signatures, both from uint8 images [B, H, W, 3]:

* the one that servers take: → `sr`, uint8 [B, 4H, 4W, 3], for people and servers.
* `unrounded`: → `sr`, float32 grey levels in [0, 255], clipped and not rounded, for `fusion`: a
  difference of two generators must not be taken from rounded images, and a result is rounded once.

Beside them it has a function `receptive_field` without inputs: how many LR pixels around its own a
pixel of the result depends on, which is the overlap that tiles of a large image need.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sr_images.rounding import round_half_up
from sr_program.contract import IMAGE, SERVING, SR, UNROUNDED, check_written
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_directory
from srgan.layers.receptive_field import receptive_field
from srgan.runs.weights import load_weights

VERSION = "1"

# The Keras dtype policies of the precisions that a model may compute in.
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Section "Tests" of CONTRIBUTING.md: what a SavedModel may differ by from its network.
_RELOAD_TOLERANCE = 1e-5 * 127.5  # grey levels


class ServedGenerator(tf.Module):
    """A generator as a SavedModel holds it: raw variables and two signatures.

    Args:
        generator: LR to SR images, float32 in [-1, 1]; its layers take their forms for inference.
    """

    def __init__(self, generator: keras.Model) -> None:
        super().__init__(name=generator.name)
        # In a partial, which TensorFlow does not track: the file would hold each weight twice.
        self._generator = functools.partial(generator, training=False)
        for layer in generator.layers:
            if hasattr(layer, "specialize"):
                layer.specialize()
        # A Session-based loader, as TensorFlow Serving is, finds raw variables only.
        self.raw_variables = [v.value for v in generator.variables]
        image = tf.TensorSpec((None, None, None, 3), tf.uint8, name=IMAGE)
        self.unrounded = tf.function(self._unrounded, input_signature=[image])
        self.rounded = tf.function(self._rounded, input_signature=[image])
        radius = receptive_field(generator)
        if radius is not None:
            self.receptive_field = tf.function(lambda: tf.constant(radius), input_signature=[])

    def _unrounded(self, image: Any) -> dict[str, Any]:
        sr = self._generator(tf.cast(image, tf.float32) / 127.5 - 1.0)
        return {SR: tf.clip_by_value((sr + 1.0) * 127.5, 0.0, 255.0)}

    def _rounded(self, image: Any) -> dict[str, Any]:
        sr = self._unrounded(image)[SR]
        return {SR: tf.cast(round_half_up(sr, tf), tf.uint8)}


def export_weights(generator: keras.Model, weights: str | Path, directory: str | Path) -> Path:
    """Loads weights into a generator and writes it as `directory/1`.

    Args:
        generator: The network that the weights belong to.
        weights: A `.weights.h5` file, or a checkpoint.
        directory: The model's directory; made if it is missing.

    Returns:
        `directory/1`.

    Raises:
        DataError: As `load_weights` and `export_generator`.
    """
    load_weights(generator, weights)
    return export_generator(generator, directory)


def export_generator(generator: keras.Model, directory: str | Path) -> Path:
    """Writes a generator as `directory/1`, and compares the reloaded model with it.

    Args:
        generator: LR to SR images, float32 in [-1, 1].
        directory: The model's directory; made if it is missing.

    Returns:
        `directory/1`.

    Raises:
        DataError: `directory/1` exists already, or the reloaded model does not give the same.
    """
    target = Path(directory) / VERSION
    if target.exists():
        raise DataError(f"{target}: exists already; remove it or name another --output")
    target.parent.mkdir(parents=True, exist_ok=True)
    served = ServedGenerator(generator)
    with atomic_directory(target) as temporary:
        signatures = {SERVING: served.rounded, UNROUNDED: served.unrounded}
        tf.saved_model.save(served, str(temporary), signatures=signatures)
        check_reloaded(served, temporary)
    return target


def check_reloaded(served: ServedGenerator, directory: Path) -> None:
    """Compares a saved generator with the one in memory on a small image of noise.

    Raises:
        DataError: They differ by more than 1e-5 of the range.
    """
    image = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3), dtype=np.uint8)
    reloaded = tf.saved_model.load(str(directory))
    expected = served.unrounded(tf.constant(image))
    actual = reloaded.signatures[UNROUNDED](image=tf.constant(image))
    check_written(directory, UNROUNDED, expected, actual, of_unrounded=_RELOAD_TOLERANCE)
