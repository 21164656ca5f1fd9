"""The contract between training and everything after it: a versioned SavedModel directory.

`DIRECTORY/1/` holds one generator with three signatures, two of them from uint8 images
[B, H, W, 3]:

* the one that servers take: → `sr`, uint8 [B, 4H, 4W, 3], for people and servers.
* `unrounded`: → `sr`, float32 grey levels in [0, 255], clipped and not rounded, for `fusion`: a
  difference of two generators must not be taken from rounded images, and a result is rounded once.
* `from_levels`: the same from float32 grey levels in [0, 255], for photos of more than 8 bits.

Beside the model, facts.json says what it is, see `sr_program.model_facts`. The function
`receptive_field` without inputs gives the radius that stands there, for those who load the model
without the file.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sr_images.rounding import round_half_up
from sr_program.contract import (
    FROM_LEVELS,
    IMAGE,
    LEVELS,
    SERVING,
    SR,
    UNROUNDED,
    check_written,
)
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_directory
from sr_program.model_facts import Arithmetic, ModelFacts, write_facts
from srgan.layers.receptive_field import receptive_field

VERSION = "1"

# The Keras dtype policies of the precisions that a model may compute in.
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Section "Tests" of CONTRIBUTING.md: what a SavedModel may differ by from its network.
_RELOAD_TOLERANCE = 1e-5 * 127.5  # grey levels


class ServedGenerator(tf.Module):
    """A generator as a SavedModel holds it: raw variables and three signatures.

    Args:
        generator: LR to SR images, float32 in [-1, 1]; its layers take their forms for inference.

    Attributes:
        facts: What stands beside the exported model.
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
        levels = tf.TensorSpec((None, None, None, 3), tf.float32, name=LEVELS)
        # The others call it: a file holds the network once, whatever it is given.
        self.from_levels = tf.function(self._from_levels, input_signature=[levels])
        self.unrounded = tf.function(self._unrounded, input_signature=[image])
        self.rounded = tf.function(self._rounded, input_signature=[image])
        radius = receptive_field(generator)
        if radius is not None:
            self.receptive_field = tf.function(lambda: tf.constant(radius), input_signature=[])
        self.facts = ModelFacts(
            scale=self._scale(),
            radius=radius,
            precision=_precision(generator),
            weights=_weights_hash(generator),
            generator=generator.name,
        )

    def _scale(self) -> int:
        side = 8
        sr = self.unrounded(tf.zeros([1, side, side, 3], tf.uint8))[SR]
        return int(sr.shape[1]) // side

    def _from_levels(self, levels: Any) -> dict[str, Any]:
        sr = self._generator(levels / 127.5 - 1.0)
        return {SR: tf.clip_by_value((sr + 1.0) * 127.5, 0.0, 255.0)}

    def _unrounded(self, image: Any) -> dict[str, Any]:
        return self.from_levels(tf.cast(image, tf.float32))

    def _rounded(self, image: Any) -> dict[str, Any]:
        sr = self._unrounded(image)[SR]
        return {SR: tf.cast(round_half_up(sr, tf), tf.uint8)}


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
        raise DataError(f"{target}: exists already; remove it or name another directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    served = ServedGenerator(generator)
    with atomic_directory(target) as temporary:
        signatures = {
            SERVING: served.rounded,
            UNROUNDED: served.unrounded,
            FROM_LEVELS: served.from_levels,
        }
        tf.saved_model.save(served, str(temporary), signatures=signatures)
        write_facts(temporary, served.facts)
        check_reloaded(served, temporary)
    return target


def check_reloaded(served: ServedGenerator, directory: Path) -> None:
    """Compares a saved generator with the one in memory on a small image of noise.

    Raises:
        DataError: They differ by more than 1e-5 of the range.
    """
    image = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3), dtype=np.uint8)
    levels = tf.constant(image / np.float32(255) * np.float32(254.9))  # no whole numbers
    reloaded = tf.saved_model.load(str(directory))
    for name, function, inputs in (
        (UNROUNDED, served.unrounded, {IMAGE: tf.constant(image)}),
        (FROM_LEVELS, served.from_levels, {LEVELS: levels}),
    ):
        found = reloaded.signatures[name](**inputs)
        check_written(directory, name, function(**inputs), found, of_unrounded=_RELOAD_TOLERANCE)


def _precision(generator: keras.Model) -> Arithmetic:
    computes_bfloat16 = any(layer.compute_dtype == "bfloat16" for layer in generator.layers)
    return "bfloat16" if computes_bfloat16 else "float32"


def _weights_hash(generator: keras.Model) -> str:
    """Of shapes and values, in order: Keras may give a layer another name each time."""
    digest = hashlib.sha256()
    for variable in generator.variables:
        values = np.ascontiguousarray(variable)
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
