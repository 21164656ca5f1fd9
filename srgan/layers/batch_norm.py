"""BatchNorm of the whole batch, also where several devices share it."""

from __future__ import annotations

from typing import Any

import keras


def batch_normalization(
    *, name: str, momentum: float = 0.99, dtype: Any = None
) -> keras.layers.Layer:
    """A BatchNormalization whose statistics are those of one device.

    On TensorFlow the devices exchange their means; JAX computes with the whole batch anyway, and
    Keras has no other form there.

    Args:
        name: Name of the layer.
        momentum: Of the moving statistics.
        dtype: Keras dtype policy.

    Returns:
        The layer.
    """
    return keras.layers.BatchNormalization(
        momentum=momentum, synchronized=_has_replicas(), name=name, dtype=dtype
    )


def _has_replicas() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    # Imported here so that networks can be built where TensorFlow is not installed.
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync > 1
