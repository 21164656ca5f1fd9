"""Seeds of the random numbers that are drawn while networks are built."""

from __future__ import annotations

import random

import keras
import numpy as np


def seed_everything(seed: int) -> None:
    """Makes the initial weights a function of the seed (and of the engine).

    Args:
        seed: Whole number in [0, 2**32).
    """
    if keras.backend.backend() == "tensorflow":
        keras.utils.set_random_seed(seed)
        return
    # `set_random_seed` would import TensorFlow wherever it is installed. Keras' initializers draw
    # their seeds from Python's generator.
    random.seed(seed)
    np.random.seed(seed)
