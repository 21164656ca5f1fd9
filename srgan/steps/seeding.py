"""Random numbers that are drawn while networks are built, and operations whose results vary."""

from __future__ import annotations

import os
import random

import keras
import numpy as np

_XLA_FLAGS = "XLA_FLAGS"


def seed_everything(seed: int, *, deterministic: bool = False) -> None:
    """Makes the initial weights a function of the seed (and of the engine).

    Args:
        seed: Whole number in [0, 2**32).
        deterministic: Allow only operations that give the same bits every time, on accelerators
            too; to be called before the engine has run anything.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        if deterministic:
            tf.config.experimental.enable_op_determinism()
        return
    # `set_random_seed` would import TensorFlow wherever it is installed. Keras' initializers draw
    # their seeds from Python's generator.
    random.seed(seed)
    np.random.seed(seed)
    if deterministic:
        flags = os.environ.get(_XLA_FLAGS, "")
        os.environ[_XLA_FLAGS] = f"{flags} --xla_gpu_deterministic_ops=true".strip()
