"""The contract between training and everything after it: a versioned SavedModel directory.

`DIRECTORY/1/` holds one tower with two signatures, both from uint8 images [B, H, W, 3]:

* `serving_default`: → `sr`, uint8 [B, 4H, 4W, 3], for people and servers.
* `unrounded`: → `sr`, float32 grey levels in [0, 255], clipped and not rounded, for `fusion`: a
  difference of two towers must not be taken from rounded images, and a result is rounded once.

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
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_directory
from srgan.layers.receptive_field import receptive_field

VERSION = "1"
SERVING, UNROUNDED = "serving_default", "unrounded"

# The Keras dtype policies of the precisions that a model may compute in.
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Section "Tests" of CONTRIBUTING.md: what a SavedModel may differ by from its network.
RELOAD_TOLERANCE = 1e-5


class Tower(tf.Module):
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
        image = tf.TensorSpec((None, None, None, 3), tf.uint8, name="image")
        self.unrounded = tf.function(self._unrounded, input_signature=[image])
        self.serving_default = tf.function(self._serving_default, input_signature=[image])
        reach = receptive_field(generator)
        if reach is not None:
            self.receptive_field = tf.function(lambda: tf.constant(reach), input_signature=[])

    def _unrounded(self, image: Any) -> dict[str, Any]:
        sr = self._generator(tf.cast(image, tf.float32) / 127.5 - 1.0)
        return {"sr": tf.clip_by_value((sr + 1.0) * 127.5, 0.0, 255.0)}

    def _serving_default(self, image: Any) -> dict[str, Any]:
        sr = self._unrounded(image)["sr"]
        return {"sr": tf.cast(round_half_up(sr, tf), tf.uint8)}


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
    tower = Tower(generator)
    with atomic_directory(target) as temporary:
        signatures = {SERVING: tower.serving_default, UNROUNDED: tower.unrounded}
        tf.saved_model.save(tower, str(temporary), signatures=signatures)
        check_reloaded(tower, temporary)
    return target


def check_reloaded(tower: Tower, directory: Path) -> None:
    """Compares a saved tower with the one in memory on a small image of noise.

    Raises:
        DataError: They differ by more than 1e-5 of the range.
    """
    image = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3), dtype=np.uint8)
    reloaded = tf.saved_model.load(str(directory))
    expected = tower.unrounded(tf.constant(image))["sr"].numpy()
    actual = reloaded.signatures[UNROUNDED](image=tf.constant(image))["sr"].numpy()
    error = float(np.max(np.abs(expected - actual))) / 127.5
    if not error <= RELOAD_TOLERANCE:
        raise DataError(f"{directory}: the exported model differs from its network by {error:.1e}")
