"""Learning rates along a run, beyond those of Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from srgan.config import OptimizerConfig

Schedule = keras.optimizers.schedules.LearningRateSchedule


class _Wrapped(Schedule):
    """A schedule that changes another one, `after`."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Its inverse, `get_config`, gives `after` serialized."""
        return cls(**{**config, "after": keras.saving.deserialize_keras_object(config["after"])})


@keras.saving.register_keras_serializable(package="srgan")
class Delayed(_Wrapped):
    """Rate 0 for the first updates, then another schedule from its start.

    Args:
        after: A Keras schedule, or a constant rate.
        delay: Updates with rate 0: they fill Adam's averages and move nothing.
    """

    def __init__(self, after: Any, delay: int) -> None:
        super().__init__()
        self.after = after
        self.delay = delay

    def __call__(self, step: Any) -> Any:
        """The rate of update `step`, counted from 0."""
        step = ops.cast(step, "float32")
        rate = _rate(self.after, ops.maximum(step - self.delay, 0.0))
        return ops.where(step < self.delay, 0.0, rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"after": keras.saving.serialize_keras_object(self.after), "delay": self.delay}


@keras.saving.register_keras_serializable(package="srgan")
class WarmUp(_Wrapped):
    """Grows linearly over the first updates to the rate of another schedule.

    Args:
        after: A Keras schedule, or a constant rate.
        steps: Update `steps` - 1 is the first at the full rate.
    """

    def __init__(self, after: Any, steps: int) -> None:
        super().__init__()
        self.after = after
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """The rate of update `step`, counted from 0."""
        step = ops.cast(step, "float32")
        share = ops.minimum((step + 1.0) / self.steps, 1.0)
        return share * _rate(self.after, step)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"after": keras.saving.serialize_keras_object(self.after), "steps": self.steps}


def learning_rate_schedule(
    config: OptimizerConfig, rate: float, steps: int, *, delay: int = 0
) -> Any:
    """The learning rate along a run.

    Args:
        config: Which schedule, and its warm-up.
        rate: At the start.
        steps: Length of the run.
        delay: Updates before the schedule starts; they count as part of the run.

    Returns:
        A number, or a Keras schedule.
    """
    length = max(steps - delay, 1)
    schedule: Any = rate
    if config.schedule == "step":
        # Keras counts updates from 0 and gives the boundary itself the old rate.
        last = round(length * config.decay_at) - 1
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay([last], [rate, rate / 10])
    elif config.schedule == "cosine":
        schedule = keras.optimizers.schedules.CosineDecay(rate, length)
    if config.warmup_steps:
        schedule = WarmUp(schedule, config.warmup_steps)
    return Delayed(schedule, delay) if delay else schedule


def _rate(schedule: Any, step: Any) -> Any:
    return schedule(step) if callable(schedule) else ops.cast(schedule, "float32")
