"""What runs the updates: TensorFlow or JAX, whichever is Keras' backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np

from srgan.steps import jax_step
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.devices import ONE_DEVICE, Devices

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
        import tensorflow as tf

        self._model = model
        image = tf.TensorSpec((None, None, None, 3), tf.float32)
        # In a graph each layer's result is given up once it was used; eagerly Keras keeps them all.
        self._generate: Any = tf.function(
            lambda lr: model.generator(lr, training=False), input_signature=[image]
        )

    def run(self, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """See `Engine`."""
        logs = (self._model.train_on_batch(lr, hr, return_dict=True) for lr, hr in batches)
        return [{name: float(value) for name, value in values.items()} for values in logs]

    def write_back(self) -> None:
        """See `Engine`; the variables hold the values at all times."""

    def enlarge(self, lr: Any) -> Any:
        """See `Engine`."""
        return np.asarray(self._generate(lr))


class ReplicatedEngine(TensorFlowEngine):
    """Runs updates on several devices through a `tf.distribute.Strategy`.

    Stock `fit` fails on several hosts under Keras 3; `Strategy.run` works.
    """

    def __init__(self, model: AdversarialModel, devices: Devices) -> None:
        """Takes a compiled model, built in the devices' scope."""
        import tensorflow as tf

        super().__init__(model)
        self._devices = devices
        strategy = devices.strategy

        def several(lr: Any, hr: Any) -> Any:
            return strategy.run(model.train_step, args=((lr, hr),))

        self._several: Any = tf.function(several)

    def run(self, batches: Sequence[Batch]) -> list[dict[str, float]]:
        """See `Engine`; of each batch this process has its part."""
        local = self._devices.strategy.experimental_local_results
        found = []
        for lr, hr in batches:
            logs = self._several(self._spread(lr), self._spread(hr))
            found.append({name: float(local(logs[name])[0]) for name in sorted(logs)})
        return found

    def _spread(self, images: Any) -> Any:
        """Gives each device of this process an equal part."""
        devices = self._devices
        count = devices.replicas // devices.workers
        size = len(images) // count

        def part(context: Any) -> Any:
            start = context.replica_id_in_sync_group % count * size
            return images[start : start + size]

        return devices.strategy.experimental_distribute_values_from_function(part)


class JaxEngine:
    """Runs updates as one compiled program; on accelerators several of them in one call.

    The values stay on the device, outside of the variables, until `write_back`.
    """

    def __init__(self, model: AdversarialModel, *, scan: bool | None = None) -> None:
        """Takes a compiled model.

        Args:
            model: The model.
            scan: Whether several updates are one call. By default not on CPUs: inside of a loop XLA
                runs a convolution on one core there (14 times as slow, measured with MR-SRGAN).
        """
        import jax

        self._model = model
        self._state: jax_step.State | None = None
        self._scan = jax.default_backend() != "cpu" if scan is None else scan

        def one(state: jax_step.State, batch: Batch) -> Any:
            logs, state = jax_step.update(model, state, *batch)
            return state, logs

        # The old values are given up: they and the new ones need not both fit.
        self._one: Any = jax.jit(one, donate_argnums=0)
        self._several: Any = jax.jit(
            lambda state, batches: jax.lax.scan(one, state, batches), donate_argnums=0
        )
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
        if not self._scan or len(batches) == 1:
            return [self._run_one(batch) for batch in batches]
        lrs, hrs = (_spread(np.stack(images)) for images in zip(*batches, strict=True))
        self._state, logs = self._several(self._state, (lrs, hrs))
        columns = {name: np.asarray(values) for name, values in logs.items()}
        return [
            {name: float(values[i]) for name, values in columns.items()}
            for i in range(len(batches))
        ]

    def _run_one(self, batch: Batch) -> dict[str, float]:
        lr, hr = (_spread(images) for images in batch)
        self._state, logs = self._one(self._state, (lr, hr))
        return {name: float(value) for name, value in logs.items()}

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
        return self._one._cache_size() + self._several._cache_size()


def make_engine(model: AdversarialModel, devices: Devices = ONE_DEVICE) -> Engine:
    """The engine of Keras' backend.

    Args:
        model: Compiled.
        devices: What it was built for.

    Raises:
        ValueError: The backend is neither TensorFlow nor JAX.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return JaxEngine(model)
    if backend == "tensorflow" and devices.strategy is not None:
        return ReplicatedEngine(model, devices)
    if backend == "tensorflow":
        return TensorFlowEngine(model)
    raise ValueError(f"Keras runs on {backend}; set KERAS_BACKEND to tensorflow or jax")


def _owned(state: jax_step.State) -> jax_step.State:
    """Copies: a donated buffer is gone, and the variables still point to theirs."""
    import jax

    return jax.tree.map(lambda value: jax.numpy.array(value, copy=True), state)


def _spread(images: Any) -> Any:
    """Divides [B, H, W, 3], or a stack of them, between the devices, where there are several."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return images
    import jax

    axes = (distribution.batch_dim_name, None, None, None)
    stacked = (None,) * (np.ndim(images) - len(axes))
    layout = keras.distribution.TensorLayout((*stacked, *axes), distribution.device_mesh)
    return jax.device_put(images, layout.backend_layout)
