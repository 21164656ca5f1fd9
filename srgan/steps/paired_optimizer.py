"""One optimizer in front of two: the generator's and the discriminator's.

Keras packs `model.optimizer.variables` into the state that a JAX step carries, and a model has
one optimizer; so the adversarial model shows Keras this facade, which owns both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from srgan.config import OptimizerConfig
from srgan.steps.adam import Adam
from srgan.steps.muon import Muon
from srgan.steps.schedules import learning_rate_schedule

# The generator's optimizers, by the values of `OptimizerConfig.optimizer`.
OPTIMIZERS: dict[str, type[Adam]] = {"adam": Adam, "muon": Muon}


class PairedOptimizer(keras.optimizers.Optimizer):
    """Applies the first gradients by the generator's optimizer, the rest by the discriminator's.

    Args:
        generator: Optimizer of the generator.
        discriminator: Optimizer of the discriminator, None where there is none.
    """

    def __init__(
        self,
        generator: keras.optimizers.Optimizer,
        discriminator: keras.optimizers.Optimizer | None = None,
    ) -> None:
        # The facade's own learning rate moves nothing; Keras wants one.
        super().__init__(learning_rate=0.0, name="paired")
        self.generator = generator
        self.discriminator = discriminator
        self._split = 0

    def build_pair(self, generator_variables: list, discriminator_variables: list) -> None:
        """Creates both optimizers' slots.

        Args:
            generator_variables: The generator's trainable variables.
            discriminator_variables: The discriminator's; empty where there is none.

        Raises:
            ValueError: There are variables of a discriminator and no optimizer for them.
        """
        self._split = len(generator_variables)
        self.generator.build(generator_variables)
        if self.discriminator is not None:
            self.discriminator.build(discriminator_variables)
        elif discriminator_variables:
            raise ValueError("a discriminator's variables need an optimizer")
        self.built = True

    @property
    def variables(self) -> list:
        """The facade's variables, then the generator's optimizer's, then the discriminator's."""
        pair = [self.generator, self.discriminator]
        return list(self._variables) + [v for o in pair if o is not None for v in o.variables]

    @contextmanager
    def keeping_rates(self) -> Iterator[None]:
        """Within it, what is loaded leaves the learning rates as the settings have them.

        A rate without a schedule is a variable, and a run may be continued at another one.
        """
        pair = [self.generator, self.discriminator]
        rates = [o._learning_rate for o in pair if o is not None]
        kept = [(rate, ops.convert_to_numpy(rate)) for rate in rates if not callable(rate)]
        yield
        for rate, value in kept:
            rate.assign(value)

    def rates(self, update: int) -> dict[str, float]:
        """What to log of the learning rates of an update, counted from 0."""
        found = {"learning_rate_g": rate_of(self.generator, update)}
        if self.discriminator is not None:
            found["learning_rate_d"] = rate_of(self.discriminator, update)
        return found

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> Any:
        """Updates both networks.

        Args:
            grads: Gradients of the generator's variables, then of the discriminator's.
            trainable_variables: The variables in the same order.
        """
        variables = list(trainable_variables or [])
        split = self._split
        self.generator.apply(grads[:split], variables[:split] or None)
        if self.discriminator is not None:
            self.discriminator.apply(grads[split:], variables[split:] or None)
        self._iterations.assign_add(1)
        return self._iterations


def rate_of(optimizer: keras.optimizers.Optimizer, update: int) -> float:
    """The learning rate of an update, counted from 0."""
    rate = optimizer._learning_rate
    return float(ops.convert_to_numpy(rate(update) if callable(rate) else rate))


def build_optimizer(config: OptimizerConfig, steps: int, *, adversarial: bool) -> PairedOptimizer:
    """Makes the two optimizers of a run (paper, Section 4.1: Adams, β1 = 0.9, rate 1e-4).

    Args:
        config: Kind, rates, schedule, clipping and average.
        steps: Length of the run, for the schedule.
        adversarial: Whether there is a discriminator.

    Returns:
        The facade, not built yet.
    """
    # While only the discriminator learns, the generator's rate is 0.
    delay = config.discriminator_warmup if adversarial else 0
    clip_norm = config.clip_norm or None
    generator = OPTIMIZERS[config.optimizer](
        learning_rate_schedule(config, config.learning_rate, steps, delay=delay),
        output_rate=config.output_rate,
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        global_clipnorm=clip_norm,
        use_ema=config.ema_decay > 0,
        ema_momentum=config.ema_decay or 0.99,
        name=f"generator_{config.optimizer}",
    )
    if not adversarial:
        return PairedOptimizer(generator)
    rate = config.discriminator_learning_rate or config.learning_rate
    discriminator = Adam(
        learning_rate_schedule(config, rate, steps),
        beta_1=config.discriminator_beta_1,
        beta_2=config.discriminator_beta_2,
        global_clipnorm=clip_norm,
        name="discriminator_adam",
    )
    return PairedOptimizer(generator, discriminator)


def global_norm(gradients: list[Any]) -> Any:
    """The Euclidean norm of all gradients together, float32."""
    squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients]
    return ops.sqrt(sum(squares[1:], squares[0]))
