"""The end of both generators: upsampling by pixel shuffles and the output convolution."""

from __future__ import annotations

import math
from typing import Any

import keras

from sr_program.errors import UsageError
from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.subpixel import SubpixelConv2D, upsample

# Name of the output convolution's layer.
OUTPUT = "output"

# With a bicubic skip the untrained generator should be the interpolation, not noise on it.
SKIP_OUTPUT_STDDEV = 1e-3


def image_tail(
    features: Any,
    lr: Any,
    *,
    scale: int,
    filters: int,
    output_kernel: int,
    bicubic_skip: bool,
    shared_slopes: bool = False,
    upsampler_init: str = "xavier",
    dtype: Any = None,
) -> Any:
    """Enlarges features to an image; the last shuffle comes after the output convolution.

    Args:
        features: [B, H, W, C] symbolic tensor.
        lr: [B, H, W, 3] the network's input, for the skip.
        scale: A power of two, at least 2; one upsampler for each doubling.
        filters: Channels of each upsampler.
        output_kernel: Side of the output convolution's kernel, odd.
        bicubic_skip: Whether the interpolated input is added to the output.
        shared_slopes: One slope for all channels in each PReLU.
        upsampler_init: The kind of the upsamplers' first weights.
        dtype: Keras dtype policy of the layers; the result is float32 under any.

    Returns:
        [B, scale·H, scale·W, 3] float32; linear, so its range is not limited.
    """
    doublings = doublings_of(scale)
    x = features
    for i in range(1, doublings + 1):
        x = upsample(
            x,
            filters,
            name=f"upsample{i}",
            shuffle=i < doublings,
            shared_slopes=shared_slopes,
            initialization=upsampler_init,
            dtype=dtype,
        )
    initializer = (
        keras.initializers.RandomNormal(stddev=SKIP_OUTPUT_STDDEV)
        if bicubic_skip
        else keras.initializers.GlorotUniform()
    )
    detail = SubpixelConv2D(
        3, output_kernel, kernel_initializer=initializer, name=OUTPUT, dtype=dtype
    )(x)
    if not bicubic_skip:
        return detail
    base = BicubicUpsampling(scale, name="bicubic")(lr)
    return keras.layers.Add(name="sr", dtype="float32")([base, detail])


def doublings_of(scale: int) -> int:
    """The number of pixel shuffles that make up `scale`.

    Raises:
        UsageError: The scale is not a power of two, or below 2.
    """
    doublings = int(math.log2(scale)) if scale > 0 else 0
    if doublings < 1 or 2**doublings != scale:
        raise UsageError(f"--scale must be 2, 4, 8, …, got {scale}")
    return doublings
