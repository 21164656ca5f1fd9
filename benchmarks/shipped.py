"""The shipped generators as Keras models, for the benchmarks."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from pretrained.manifest import read_manifest, verified_weights
from srgan.weights import load_start

BRANCHES = {
    "mr_srgan": (mr_srgan.config, mr_srgan.generator),
    "wp_srgan_stage1": (wp_srgan.config, wp_srgan.generator),
    "wp_srgan_stage2": (wp_srgan.config, wp_srgan.generator),
}


def shipped_generator(
    name: str, dtype: str = "float32", *, shared_slopes: bool = False
) -> tuple[keras.Model, Any]:
    """Builds one shipped generator.

    Args:
        name: A key of `BRANCHES`.
        dtype: Keras dtype policy.
        shared_slopes: Each PReLU has the mean of its slopes in place of one a channel.

    Returns:
        The network with its weights, and the GeneratorConfig that it was built from.

    Raises:
        DataError: The weights are missing or damaged.
    """
    config_module, generator_module = BRANCHES[name]
    entry = read_manifest()[name]
    config = config_module.GeneratorConfig(**entry.config)
    if shared_slopes:
        config = dataclasses.replace(config, shared_slopes=True)
    generator = generator_module.build_generator(config, dtype)
    load_start(generator, verified_weights(entry))
    return generator, config
