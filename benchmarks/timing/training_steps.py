"""Our training step and the plain Keras step of the same networks, as things to time."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from benchmarks.peers.plain_networks import build_plain
from benchmarks.peers.plain_training import PlainGan
from benchmarks.timing.training_networks import Batch, Networks
from benchmarks.timing.training_recipes import Recipe
from mr_srgan.gan import MrSrgan
from srgan.config import ObjectiveConfig, OptimizerConfig
from srgan.layers.prelu import PReLU
from srgan.steps.engines import Engine, JaxEngine, make_engine
from srgan.steps.paired_optimizer import build_optimizer
from wp_srgan.gan import WpSrgan

# Of the learning rate's schedule, which is constant.
RUN_LENGTH = 1_000_000


class Step(Protocol):
    """An update of a recipe's networks."""

    def run(self) -> dict[str, float]:
        """Updates the networks once, or as often as a call does; the last update's losses."""
        ...

    def outputs(self) -> dict[str, np.ndarray]:
        """What each network makes of the batch, [B, …] float32, outside of training."""
        ...


class OurStep:
    """The update that the branches' programs run, on the engine of Keras' backend.

    Args:
        recipe: What is trained.
        networks: Trained from here on.
        batch: What it is trained on.
        steps_per_call: Updates that `run` makes.
    """

    def __init__(
        self, recipe: Recipe, networks: Networks, batch: Batch, steps_per_call: int = 1
    ) -> None:
        options: dict[str, Any] = {
            "discriminator": networks.discriminator,
            "features": networks.features,
            "feature_scale": networks.feature_scale,
        }
        generator, objective = networks.generator, recipe.objective
        model: Any
        if recipe.branch == "mr":
            model = MrSrgan(generator, objective, **options)
        else:
            model = WpSrgan(generator, objective, stage=recipe.stage, **options)
        self.model = model
        adversarial = networks.discriminator is not None
        model.compile_pair(build_optimizer(OptimizerConfig(), RUN_LENGTH, adversarial=adversarial))
        # Scanned on CPUs too, where training would not: what that costs is to be seen.
        jax = keras.backend.backend() == "jax"
        scan = jax and steps_per_call > 1
        self._engine: Engine = JaxEngine(model, scan=True) if scan else make_engine(model)
        self._networks, self._batch = networks, batch
        self._batches = [(batch.lr, batch.hr)] * steps_per_call

    def run(self) -> dict[str, float]:
        """See `Step`."""
        return self._engine.run(self._batches)[-1]

    def outputs(self) -> dict[str, np.ndarray]:
        """See `Step`."""
        return self._networks.outputs(self._batch)


class EarlierStep(OurStep):
    """Our update as it was written before: to see what its parts gain.

    A PReLU takes four passes over memory, max(x, 0) + a·min(x, 0), and a discriminator without
    BatchNorm takes HR and SR in two calls.
    """

    def __init__(self, recipe: Recipe, networks: Networks, batch: Batch) -> None:
        super().__init__(recipe, networks, batch)
        for layer in networks.generator.layers:
            if isinstance(layer, PReLU):
                layer.call = functools.partial(_four_passes, layer)
        self.model.judge = self._two_calls

    def _two_calls(self, hr: Any, sr: Any) -> tuple[Any, Any]:
        discriminator: Any = self.model.discriminator
        return discriminator(hr, training=True), discriminator(sr, training=True)


def _four_passes(layer: PReLU, inputs: Any) -> Any:
    repeated = layer.phases > 1 and not layer.shared
    slope = ops.tile(layer.slope, (layer.phases,)) if repeated else layer.slope
    zero = ops.cast(0.0, inputs.dtype)
    return ops.maximum(inputs, zero) + slope * ops.minimum(inputs, zero)


class PlainStep:
    """What Keras offers: `fit`'s own update, or a GAN's as Keras' examples write it.

    Args:
        recipe: What is trained.
        networks: Ours. The discriminator and φ, which are made of stock layers, are trained as
            they are; the generator's plain twin starts from its weights.
        batch: What they are trained on.
    """

    def __init__(self, recipe: Recipe, networks: Networks, batch: Batch) -> None:
        generator = build_plain(networks.generator, networks.config)
        self._networks = dataclasses.replace(networks, generator=generator)
        self._batch = batch
        self.model = _plain_model(recipe.objective, self._networks)

    def run(self) -> dict[str, float]:
        """See `Step`."""
        logs: Any = self.model.train_on_batch(self._batch.lr, self._batch.hr, return_dict=True)
        return {name: float(value) for name, value in logs.items()}

    def outputs(self) -> dict[str, np.ndarray]:
        """See `Step`."""
        return self._networks.outputs(self._batch)


def _plain_model(objective: ObjectiveConfig, networks: Networks) -> keras.Model:
    rate = OptimizerConfig().learning_rate
    if networks.discriminator is None:
        optimizer = keras.optimizers.Adam(rate)
        optimizer.build(networks.generator.trainable_variables)  # or its step is traced twice
        networks.generator.compile(optimizer=optimizer, loss="mse")
        return networks.generator
    model = PlainGan(
        networks.generator,
        networks.discriminator,
        networks.features,
        objective,
        networks.feature_scale,
    )
    model.compile_both(keras.optimizers.Adam(rate), keras.optimizers.Adam(rate))
    return model
