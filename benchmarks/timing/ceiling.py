"""The machine's own ceiling, and how much work the networks are."""

from __future__ import annotations

import time
from collections.abc import Callable

import keras

from benchmarks.peers.plain_networks import Config, build_plain

# Layers behind a pixel shuffle, by name: how much finer their grid is than the LR image.
_FINER = {"upsample2_conv": 2, "output": 4}


def canonical_flops(generator: keras.Model, config: Config) -> int:
    """Floating-point operations an LR pixel, of the convolutions as the architecture has them.

    A multiplication and an addition count as two. What an implementation adds (zeros of a
    rearranged kernel) or saves does not count, nor do biases, activations and the bicubic skip.

    Args:
        generator: A generator of either branch at scale 4.
        config: What it was built from.
    """
    flops = 0
    for layer in build_plain(generator, config).layers:
        if isinstance(layer, keras.layers.Conv2D):
            flops += 2 * layer.kernel.shape.num_elements() * _FINER.get(layer.name, 1) ** 2
    return flops


def matrix_product(dtype: str, side: int = 4096) -> tuple[Callable[[], object], int]:
    """TensorFlow's product of two large square matrices.

    Args:
        dtype: "float32" or "bfloat16".
        side: Rows and columns.

    Returns:
        A call that computes it, and its operations.
    """
    import tensorflow as tf

    first, second = (tf.cast(tf.random.uniform([side, side]), dtype) for _ in range(2))
    product = tf.function(lambda a, b: tf.cast(tf.matmul(a, b)[0, 0], tf.float32))
    return lambda: product(first, second).numpy(), 2 * side**3


def matrix_flops(dtype: str, side: int = 4096, repetitions: int = 5) -> float:
    """Operations a second of `matrix_product`, the best of some.

    Args:
        dtype: "float32" or "bfloat16".
        side: Rows and columns.
        repetitions: Timed products.
    """
    product, flops = matrix_product(dtype, side)
    product()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - start)
    return flops / min(seconds)
