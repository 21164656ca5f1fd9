"""The shipped generators as Keras models and as methods, for the benchmarks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from bigans.pretrained.manifest import read_manifest, verified_weights
from sr_images.bicubic import bicubic_upscale
from sr_program.errors import UsageError
from srgan.runs.validation import super_resolve
from srgan.runs.weights import load_start

Image = NDArray[np.uint8]
Enlarge = Callable[[Image], Image]

BRANCHES = {
    "mr_srgan": (mr_srgan.config, mr_srgan.generator),
    "wp_srgan_stage1": (wp_srgan.config, wp_srgan.generator),
    "wp_srgan_stage2": (wp_srgan.config, wp_srgan.generator),
    "mr_srgan_photo": (mr_srgan.config, mr_srgan.generator),
    "wp_srgan_photo": (wp_srgan.config, wp_srgan.generator),
}


def shipped_generator(
    name: str,
    dtype: str = "float32",
    *,
    shared_slopes: bool = False,
    weights: Path | None = None,
) -> tuple[keras.Model, Any]:
    """Builds one shipped generator.

    Args:
        name: A key of `BRANCHES`.
        dtype: Keras dtype policy.
        shared_slopes: Each PReLU has the mean of its slopes in place of one a channel.
        weights: Another file of the same network, in place of the shipped one.

    Returns:
        The network with its weights, and the GeneratorConfig that it was built from.

    Raises:
        DataError: The weights are missing, damaged, or of another network.
    """
    config_module, generator_module = BRANCHES[name]
    entry = read_manifest()[name]
    config = config_module.GeneratorConfig(**entry.config)
    if shared_slopes:
        config = dataclasses.replace(config, shared_slopes=True)
    generator = generator_module.build_generator(config, dtype)
    load_start(generator, weights or verified_weights(entry))
    return generator, config


def replacements(items: Iterable[str]) -> dict[str, Path]:
    """Reads NAME=FILE: the weights that a generator has in place of the shipped ones.

    Raises:
        UsageError: The name is none of `BRANCHES`, or there is no such file.
    """
    found = {}
    for item in items:
        name, _, file = item.partition("=")
        if name not in BRANCHES:
            raise UsageError(f"--weights={item}: give NAME=FILE; names are {', '.join(BRANCHES)}")
        if not Path(file).is_file():
            raise UsageError(f"--weights={item}: there is no file {file!r}")
        found[name] = Path(file)
    return found


def methods_of(generators: list[str], weights: list[str]) -> dict[str, Enlarge]:
    """The rows of the table, each with what enlarges its images.

    Args:
        generators: Names of shipped ones.
        weights: NAME=FILE.

    Raises:
        UsageError: There is no such name or file.
        DataError: The weights are damaged, or of another network.
    """
    files = [(item, *replacements([item]).popitem()) for item in weights]
    found: dict[str, Enlarge] = {"bicubic": bicubic_upscale}
    for row, name, path in [*((name, name, None) for name in generators), *files]:
        found[row] = _method(shipped_generator(name, weights=path)[0])
    return found


def _method(generator: Any) -> Enlarge:
    signature = [tf.TensorSpec([1, None, None, 3], tf.float32)]
    compiled = tf.function(lambda lr: generator(lr, training=False), input_signature=signature)
    return lambda lr: super_resolve(lambda batch: compiled(tf.constant(batch)), lr)
