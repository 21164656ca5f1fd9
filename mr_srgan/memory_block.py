"""The memory residual block: ResBlocks whose outputs a gate unit gathers (Section 3.2)."""

from __future__ import annotations

from typing import Any

import keras

from mr_srgan.gate import Conv2D as Gate
from srgan.layers.initialization import kernel_initializer
from srgan.layers.residual_block import residual_block


def memory_block(
    features: Any,
    *,
    name: str,
    num_res_blocks: int,
    gate: bool = True,
    batch_norm: bool = False,
    shared_slopes: bool = False,
    residual_scale: float = 1.0,
    dtype: Any = None,
) -> Any:
    """ResBlocks in sequence, a gate over all of their outputs, and the block's input added.

    Args:
        features: [B, H, W, C] symbolic tensor.
        name: Prefix of the layers' names.
        num_res_blocks: ResBlocks in the block.
        gate: Whether there is a gate; without it the last ResBlock's output takes its place.
        batch_norm: BatchNorm in the ResBlocks.
        shared_slopes: One slope for all channels in each PReLU.
        residual_scale: Factor on the first weights of what ends a residual branch: each ResBlock's
            second convolution, and the gate.
        dtype: Keras dtype policy.

    Returns:
        [B, H, W, C] symbolic tensor.
    """
    outputs = []
    x = features
    for i in range(1, num_res_blocks + 1):
        x = residual_block(
            x,
            name=f"{name}_res{i}",
            batch_norm=batch_norm,
            shared_slopes=shared_slopes,
            residual_scale=residual_scale,
            dtype=dtype,
        )
        outputs.append(x)
    if gate:
        first = kernel_initializer(residual_scale)
        filters = features.shape[-1]
        gather = Gate(filters, kernel_initializer=first, name=f"{name}_gate", dtype=dtype)
        return gather([features, *outputs])
    return keras.layers.Add(name=f"{name}_add", dtype=dtype)([features, x])
