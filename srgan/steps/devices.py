"""Which devices share the batches of a run, and how the engine is told.

Each replica holds all weights and gets an equal part of every batch; gradients and BatchNorm's
statistics are averaged over the replicas, so that a run computes what one device would.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
from absl import logging

from sr_program.errors import DataError, UsageError

TF_CONFIG = "TF_CONFIG"


@dataclasses.dataclass(frozen=True)
class Devices:
    """The devices of a run, of which this process drives some.

    Attributes:
        replicas: How many parts a batch has, over all processes.
        worker: Number of this process.
        workers: How many processes there are.
        strategy: The tf.distribute.Strategy; None on one device, and on JAX.
    """

    replicas: int = 1
    worker: int = 0
    workers: int = 1
    strategy: Any = None

    @property
    def chief(self) -> bool:
        """Whether this process validates and writes the run folder."""
        return self.worker == 0

    def scope(self) -> AbstractContextManager[Any]:
        """Networks, optimizers and the loop that trains them belong inside."""
        return contextlib.nullcontext() if self.strategy is None else self.strategy.scope()

    def check_batch(self, batch_size: int) -> None:
        """Raises a UsageError unless a batch divides into equal parts."""
        if batch_size % self.replicas:
            raise UsageError(
                f"--batch_size={batch_size} does not divide by the {self.replicas} devices; "
                "it is the size of the whole batch"
            )

    def lowest(self, value: float) -> float:
        """The lowest of the values that the processes give; all must ask at the same time."""
        if self.workers == 1:
            return value
        import tensorflow as tf

        given = self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(value, tf.float32)
        )
        found = self._lowest_of_replicas(given)
        return float(self.strategy.experimental_local_results(found)[0])

    @functools.cached_property
    def _lowest_of_replicas(self) -> Any:
        """Traced once: it runs beside every update."""
        import tensorflow as tf

        def lowest(one: Any) -> Any:
            # as a sum: collectives on CPUs have no minimum
            context = tf.distribute.get_replica_context()
            place = tf.one_hot(context.replica_id_in_sync_group, self.replicas)
            return tf.reduce_min(context.all_reduce(tf.distribute.ReduceOp.SUM, one * place))

        return tf.function(lambda given: self.strategy.run(lowest, args=(given,)))


ONE_DEVICE = Devices()


def open_devices(number: int) -> Devices:
    """Sets up the devices of a run.

    To be called before any network is built, and after `seed_everything`, whose determinism JAX
    heeds only before it looks for devices.

    Several hosts are described by the environment variable TF_CONFIG, as TensorFlow's
    MultiWorkerMirroredStrategy has it; each then uses all of its GPUs.

    Args:
        number: Devices on this host. Without GPUs or TPUs the CPU is divided in as many, which is
            of use for trying things out.

    Returns:
        The devices.

    Raises:
        UsageError: There are not as many devices, or TF_CONFIG cannot be used.
    """
    backend = keras.backend.backend()
    if os.environ.get(TF_CONFIG):
        if backend != "tensorflow":
            raise UsageError(f"{TF_CONFIG}: several hosts need KERAS_BACKEND=tensorflow")
        if number != 1:
            raise UsageError(
                f"--devices={number}: with {TF_CONFIG} each host uses all of its GPUs; choose "
                "them by CUDA_VISIBLE_DEVICES"
            )
        return _several_hosts(os.environ[TF_CONFIG])
    if number == 1:
        return Devices()
    return _several_on_jax(number) if backend == "jax" else _several_on_tensorflow(number)


def _several_on_tensorflow(number: int) -> Devices:
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    _check_number(number, gpus)
    if not gpus:
        (cpu,) = tf.config.list_physical_devices("CPU")
        part = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [part] * number)
    kind = "GPU" if gpus else "CPU"
    strategy = tf.distribute.MirroredStrategy([f"{kind}:{i}" for i in range(number)])
    return Devices(replicas=number, strategy=strategy)


def _several_on_jax(number: int) -> Devices:
    import jax

    # Before JAX looks for devices; GPUs and TPUs are none of its business.
    jax.config.update("jax_num_cpu_devices", number)
    names = keras.distribution.list_devices()
    _check_number(number, 0 if names[0].startswith("cpu") else len(names))
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=names[:number], auto_shard_dataset=False)
    )
    return Devices(replicas=number)


def _check_number(number: int, accelerators: int) -> None:
    if accelerators and number > accelerators:
        raise UsageError(f"--devices={number}: there are {accelerators} on this machine")


def _several_hosts(text: str) -> Devices:
    import tensorflow as tf

    worker, workers = parse_cluster(text)
    logging.info("worker %d of %d: waiting until all of them are there", worker, workers)
    # The first operation would start TensorFlow without the others.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Devices(strategy.num_replicas_in_sync, worker, workers, strategy)


def parse_cluster(text: str) -> tuple[int, int]:
    """Reads TF_CONFIG.

    Args:
        text: JSON: {"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker",
            "index": 0}}.

    Returns:
        The number of this worker, and how many there are.

    Raises:
        UsageError: It has another form.
    """
    try:
        config = json.loads(text)
        hosts, task = config["cluster"]["worker"], config["task"]
        worker, kinds = int(task["index"]), {*config["cluster"], task["type"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{TF_CONFIG} cannot be read ({error!r}); {_FORM}") from error
    if kinds != {"worker"} or not 0 <= worker < len(hosts):
        raise UsageError(f"{TF_CONFIG} is not that of a worker; {_FORM}")
    return worker, len(hosts)


_FORM = 'write {"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": N}}'


@contextlib.contextmanager
def peers_needed(devices: Devices, run: str) -> Iterator[None]:
    """Turns what TensorFlow says when another worker has gone into one line.

    Args:
        devices: With one worker there is nothing to turn.
        run: Which run it is, for the message.

    Raises:
        DataError: Another worker has gone.
    """
    if devices.workers == 1:
        yield
        return
    import tensorflow as tf

    errors = tf.errors
    gone = (errors.UnavailableError, errors.AbortedError, errors.CancelledError)
    try:
        yield
    except (*gone, errors.InternalError, errors.FailedPreconditionError) as error:
        raise DataError(
            f"{run}: another worker has stopped ({_cause(error)}); start all {devices.workers} "
            "again with the same command, they continue from the last checkpoint"
        ) from error


def _cause(error: Exception) -> str:
    """The line that says more than where in the graph the error came up."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line.lower() for word in _TELLING)]
    return (telling or lines or [type(error).__name__])[-1][:120]


_TELLING = ("peer", "connect", "unavailable", "aborted", "cancelled")
