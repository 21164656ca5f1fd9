"""The networks of a recipe in Keras, and the batch that every step of a benchmark is fed."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

import mr_srgan.generator
import wp_srgan.generator
from benchmarks.timing.training_recipes import SCALE, GeneratorConfig, Recipe, Sizes
from srgan.runs.building import make_discriminator
from srgan.vgg.features import build_vgg_features, feature_scale

RANDOM = "random"


@dataclasses.dataclass(frozen=True)
class Batch:
    """What every step is fed: lr [B, h, w, 3], hr [B, 4h, 4w, 3], float32 in [-1, 1]."""

    lr: np.ndarray
    hr: np.ndarray


@dataclasses.dataclass(frozen=True)
class Networks:
    """The networks of a recipe, in Keras.

    Attributes:
        config: What the generator was built from.
        generator: LR to SR.
        discriminator: HR-sized images to logits, or None.
        features: φ, or None.
        feature_scale: Factor of the features' MSE.
    """

    config: GeneratorConfig
    generator: keras.Model
    discriminator: keras.Model | None
    features: keras.Model | None
    feature_scale: float

    def outputs(self, batch: Batch) -> dict[str, np.ndarray]:
        """See `Step.outputs`."""
        found = {"G": self.generator(batch.lr, training=False)}
        if self.discriminator is not None:
            found["D"] = self.discriminator(batch.hr, training=False)
        if self.features is not None:
            found["φ"] = self.features(batch.hr, training=False)
        return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}

    def copy_weights(self, other: Networks) -> None:
        """Takes the weights of the same networks, built for another precision."""
        for name in ("generator", "discriminator", "features"):
            if (network := getattr(self, name)) is not None:
                network.set_weights(getattr(other, name).get_weights())


def random_batch(sizes: Sizes) -> Batch:
    """A batch of noise: no time here depends on what is in the pictures."""
    rng = np.random.default_rng(0)
    lr, hr = (
        rng.uniform(-1, 1, (sizes.batch_size, side, side, 3)).astype(np.float32)
        for side in (sizes.crop_size // SCALE, sizes.crop_size)
    )
    return Batch(lr, hr)


def build_networks(recipe: Recipe, sizes: Sizes, vgg_weights: str, dtype: str) -> Networks:
    """Builds the networks as the branches' programs do.

    Args:
        recipe: What is trained.
        sizes: How large it is.
        vgg_weights: A file, or "random".
        dtype: Keras dtype policy.

    Raises:
        UsageError: The crop size does not suit the discriminator.
        DataError: The VGG weights cannot be had.
    """
    objective = recipe.objective
    config = recipe.generator_config(sizes)
    branch: Any = mr_srgan if recipe.branch == "mr" else wp_srgan
    discriminator = features = None
    scale = 1.0
    if objective.adversarial:
        discriminator = make_discriminator(objective, sizes.crop_size, dtype)
    if objective.lambda_vgg:
        layer = objective.vgg_network, objective.vgg_layer
        before_relu = objective.vgg_before_relu
        weights = None if vgg_weights == RANDOM else vgg_weights
        scale = feature_scale(*layer, before_relu)
        features = build_vgg_features(*layer, before_relu=before_relu, weights=weights, dtype=dtype)
    generator = branch.generator.build_generator(config, dtype)
    return Networks(config, generator, discriminator, features, scale)
