"""What runs the updates: TensorFlow or JAX, whichever is Keras' backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np

from srgan import jax_step
from srgan.adversarial_model import AdversarialModel

Batch = tuple[Any, Any]


class Engine(Protocol):
    """Runs updates of a compiled model."""

    def run(self, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """One update a batch.

        Args:
            batches: (lr, hr), float32 in [-1, 1], all of the same shapes.

        Returns:
            What each update logs.
        """
        ...

    def write_back(self) -> None:
        """Gives the model's variables the values of the last update."""
        ...

    def enlarge(self, lr: Any) -> Any:
        """G(lr) with the variables' values: float32 [B, h, w, 3] to [B, 4h, 4w, 3], as arrays."""
        ...


class TensorFlowEngine:
    """Runs updates through Keras' compiled `train_step`."""

    def __init__(self, model: AdversarialModel) -> None:
        """Takes a compiled model."""
        self._model = model

    def run(self, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """See `Engine`."""
        logs = (self._model.train_on_batch(lr, hr, return_dict=True) for lr, hr in batches)
        return [{name: float(value) for name, value in values.items()} for values in logs]

    def write_back(self) -> None:
        """See `Engine`; the variables hold the values at all times."""

    def enlarge(self, lr: Any) -> Any:
        """See `Engine`."""
        return np.asarray(self._model.generator(lr, training=False))


class JaxEngine:
    """Runs updates as one compiled program, several of them in one call.

    The values stay on the device, outside of the variables, until `write_back`.
    """

    def __init__(self, model: AdversarialModel) -> None:
        """Takes a compiled model."""
        import jax

        self._model = model
        self._state: jax_step.State | None = None

        def several(state: jax_step.State, lrs: Any, hrs: Any) -> Any:
            def one(state: jax_step.State, batch: Batch) -> Any:
                logs, state = jax_step.update(model, state, *batch)
                return state, logs

            return jax.lax.scan(one, state, (lrs, hrs))

        # The old values are given up: they and the new ones need not both fit.
        self._several: Any = jax.jit(several, donate_argnums=0)
        # One program a size of images; without it every operation would be one.
        self._generate = jax.jit(
            lambda trainable, others, lr: model.generator.stateless_call(
                trainable, others, lr, training=False
            )[0]
        )

    def run(self, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """See `Engine`."""
        if self._state is None:
            self._state = _owned(jax_step.read_state(self._model))
        lrs, hrs = (np.stack(images) for images in zip(*batches, strict=True))
        self._state, logs = self._several(self._state, lrs, hrs)
        columns = {name: np.asarray(values) for name, values in logs.items()}
        return [
            {name: float(values[i]) for name, values in columns.items()}
            for i in range(len(batches))
        ]

    def write_back(self) -> None:
        """See `Engine`; the next `run` starts from the variables again."""
        if self._state is not None:
            jax_step.write_state(self._model, self._state)
            self._state = None

    def enlarge(self, lr: Any) -> Any:
        """See `Engine`."""
        generator = self._model.generator
        trainable = [v.value for v in generator.trainable_variables]
        others = [v.value for v in generator.non_trainable_variables]
        return np.asarray(self._generate(trainable, others, lr))

    @property
    def num_compilations(self) -> int:
        """How many programs were compiled: one for each number and shape of batches."""
        return self._several._cache_size()


def make_engine(model: AdversarialModel) -> Engine:
    """The engine of Keras' backend.

    Raises:
        ValueError: The backend is neither TensorFlow nor JAX.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return JaxEngine(model)
    if backend == "tensorflow":
        return TensorFlowEngine(model)
    raise ValueError(f"Keras runs on {backend}; set KERAS_BACKEND to tensorflow or jax")


def _owned(state: jax_step.State) -> jax_step.State:
    """Copies: a donated buffer is gone, and the variables still point to theirs."""
    import jax

    return jax.tree.map(lambda value: jax.numpy.array(value, copy=True), state)
