"""The residual block of both generators: conv – PReLU – conv – add, without BatchNorm."""

from __future__ import annotations

from typing import Any

import keras

from srgan.layers.batch_norm import batch_normalization
from srgan.layers.initialization import kernel_initializer
from srgan.layers.prelu import PReLU


def conv(
    filters: int, kernel_size: int, *, name: str, initializer: Any = None, dtype: Any = None
) -> keras.layers.Conv2D:
    """A "same" convolution of stride 1 with Glorot ("Xavier") weights (paper, Section 4.1).

    Args:
        filters: Output channels.
        kernel_size: Side of the kernel, pixels.
        name: Name of the layer.
        initializer: Of the kernel; None takes Xavier's.
        dtype: Keras dtype policy.

    Returns:
        The layer.
    """
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        kernel_initializer=initializer or kernel_initializer(),
        name=name,
        dtype=dtype,
    )


def residual_block(
    features: Any,
    *,
    name: str,
    batch_norm: bool = False,
    shared_slopes: bool = False,
    residual_scale: float = 1.0,
    dtype: Any = None,
) -> Any:
    """Adds conv 3x3 – PReLU – conv 3x3 and the block's input (paper, Figures 2 and 3).

    Args:
        features: [B, H, W, C] symbolic tensor.
        name: Prefix of the layers' names.
        batch_norm: BatchNorm after both convolutions, as SRGAN has it; the paper removes it.
        shared_slopes: One slope for all channels in the PReLU.
        residual_scale: Factor on the first weights of the second convolution.
        dtype: Keras dtype policy.

    Returns:
        [B, H, W, C] symbolic tensor.
    """
    channels = features.shape[-1]
    x = conv(channels, 3, name=f"{name}_conv1", dtype=dtype)(features)
    if batch_norm:
        x = batch_normalization(momentum=0.8, name=f"{name}_bn1", dtype=dtype)(x)
    x = PReLU(shared=shared_slopes, name=f"{name}_prelu", dtype=dtype)(x)
    last = kernel_initializer(residual_scale)
    x = conv(channels, 3, name=f"{name}_conv2", initializer=last, dtype=dtype)(x)
    if batch_norm:
        x = batch_normalization(momentum=0.8, name=f"{name}_bn2", dtype=dtype)(x)
    return keras.layers.Add(name=f"{name}_add", dtype=dtype)([features, x])
