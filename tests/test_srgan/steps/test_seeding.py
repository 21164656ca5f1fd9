import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.steps.seeding import seed_everything


def weights(seed: int) -> np.ndarray:
    seed_everything(seed)
    layer = keras.layers.Dense(5)
    layer.build((None, 3))
    return np.asarray(layer.kernel)


def test_the_weights_follow_from_the_seed() -> None:
    assert np.array_equal(weights(3), weights(3))
    assert not np.array_equal(weights(3), weights(4))


@pytest.mark.parametrize("deterministic", [False, True])
def test_tensorflow_is_made_deterministic(deterministic, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: calls.append(1))
    seed_everything(0, deterministic=deterministic)
    assert len(calls) == deterministic


PROGRAM = """
import os, random, sys
from srgan.steps.seeding import seed_everything
seed_everything(3, deterministic=True)
import jax, keras
layer = keras.layers.Dense(5)
layer.build((None, 3))
print(float(layer.kernel[0, 0]), os.environ["XLA_FLAGS"], "tensorflow" in sys.modules)
"""


def test_jax_is_made_deterministic(subprocess_environment) -> None:
    flag = "--xla_force_host_platform_device_count=1"
    environment = {**subprocess_environment, "KERAS_BACKEND": "jax", "XLA_FLAGS": flag}
    lines = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for _ in range(2)
    ]
    assert lines[0] == lines[1]
    assert lines[0].split()[1:] == [flag, "--xla_gpu_deterministic_ops=true", "False"]
    assert "XLA_FLAGS" not in os.environ
