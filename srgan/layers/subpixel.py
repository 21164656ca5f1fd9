"""Upsampling by pixel shuffle, and an output convolution computed before the last shuffle.

A k x k convolution from C to D channels on a grid that came out of a pixel shuffle of block 2
equals a K x K convolution from 4C to 4D channels on the grid before it, followed by the
shuffle. Fine row 2y + p reads the fine rows 2y + p + u, |u| ≤ (k - 1)/2, and fine row
2(y + Y) + P lies in coarse row y + Y: so tap u of phase p belongs to coarse tap Y = ⌊(p + u)/2⌋
and input phase P = (p + u) mod 2. For k = 9, K = 5; for k = 3, K = 3. If (k - 1)/2 is odd it is
better to group the fine output rows as (2y - 1, 2y): for k = 3 these read two coarse rows and not
three, K = 2. There is a group more then, and the outermost rows are cut off.

The coarse form multiplies by more zeros, but with 3 output channels the fine one leaves most
of the machine's vector lanes idle and writes the network's largest tensor: it is the plain
form's 9x9 output convolution that takes 40 % of WP-SRGAN's time on a CPU.

4·3 output channels still fill 12 of 16 lanes only. So where K > 2 the coarse convolution is taken
apart: one along the rows, 1 x K to K·12 channels, a group for each of the K rows that a result
needs, and one that collects each group from its row, K x 1 of zeros and ones. Measured as
TensorFlow operations, K = 5, 512x512x256 values, 2 Zen 4 cores, milliseconds in float32 | bfloat16:
270 | 140 at once, 235 | 110 taken apart; for K = 2, 53 | 30 and 57 | 38.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from srgan.layers.initialization import upsampler_initializer
from srgan.layers.prelu import PReLU
from srgan.layers.residual_block import conv

BLOCK = 2


def upsample(
    features: Any,
    filters: int,
    *,
    name: str,
    shuffle: bool = True,
    shared_slopes: bool = False,
    initialization: str = "xavier",
    dtype: Any = None,
) -> Any:
    """Doubles the resolution: conv 3x3 to 4·filters, pixel shuffle, PReLU.

    Args:
        features: [B, H, W, C] symbolic tensor.
        filters: Channels of the result.
        name: Prefix of the layers' names.
        shuffle: False leaves the result on the unshuffled grid, [B, H, W, 4·filters], for
            `SubpixelConv2D` to continue from; the PReLU is the same either way.
        shared_slopes: One slope for all channels in the PReLU.
        initialization: The kind of the convolution's first weights, see `upsampler_initializer`.
        dtype: Keras dtype policy.

    Returns:
        [B, 2H, 2W, filters], or [B, H, W, 4·filters] without the shuffle.

    Reference:
        Shi et al., sub-pixel convolution, https://arxiv.org/abs/1609.05158
    """
    kernel = upsampler_initializer(initialization, BLOCK**2)
    x = conv(filters * BLOCK**2, 3, name=f"{name}_conv", initializer=kernel, dtype=dtype)(features)
    # The slopes repeat for each phase, so the PReLU is applied on the grid where the
    # convolution left its result; a shuffle afterwards moves the values and changes none.
    x = PReLU(phases=BLOCK**2, shared=shared_slopes, name=f"{name}_prelu", dtype=dtype)(x)
    return PixelShuffle(name=f"{name}_shuffle", dtype=dtype)(x) if shuffle else x


@keras.saving.register_keras_serializable(package="srgan")
class PixelShuffle(keras.layers.Layer):
    """[B, H, W, 4C] → [B, 2H, 2W, C]; channels are phase-major: (row, column, channel)."""

    def call(self, inputs: Any) -> Any:
        """Spreads the four phases out."""
        return ops.depth_to_space(inputs, BLOCK, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """[B, 2H, 2W, C]."""
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else height * BLOCK,
            None if width is None else width * BLOCK,
            None if channels is None else channels // BLOCK**2,
        )


@keras.saving.register_keras_serializable(package="srgan")
class SubpixelConv2D(keras.layers.Layer):
    """`PixelShuffle` followed by a "same" k x k convolution, computed before the shuffle.

    The weight is the convolution's canonical kernel, [k, k, C, filters], so that it means the
    same as in the plain form and loads from it; the call gathers it into [K, K, 4C, 4·filters],
    differentiably. The result is float32: it is the network's output.

    Args:
        filters: Output channels.
        kernel_size: k, odd.
        kernel_initializer: Initializer of the canonical kernel.
        **kwargs: `keras.layers.Layer` arguments.

    Input shape:
        [B, H, W, 4C], the unshuffled grid.

    Output shape:
        [B, 2H, 2W, filters], float32.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        self.filters = filters
        self.kernel_size = kernel_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel [k, k, C, filters] and the bias [filters]."""
        channels = input_shape[-1]
        if channels is None or channels % BLOCK**2:
            raise ValueError(f"{channels} channels are not the {BLOCK**2} phases of a shuffle")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels // BLOCK**2, self.filters),
            initializer=self.kernel_initializer,
        )
        # Not cast to the compute dtype: bfloat16 would round the output's offset.
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros", autocast=False
        )

    def call(self, inputs: Any) -> Any:
        """Convolves on the unshuffled grid, then shuffles."""
        reach = (self.kernel_size // 2 + 1) // 2
        shifted = _is_shifted(self.kernel_size)
        if shifted:
            inputs = ops.pad(inputs, [(0, 0), (reach, reach), (reach, reach), (0, 0)])
        padding = "valid" if shifted else "same"
        kernel = coarse_kernel(self.kernel)
        x = inputs
        for part in taken_apart(kernel) if kernel.shape[0] > 2 else [kernel]:
            x = ops.conv(x, part, padding=padding)
        # Rounding the sum to bfloat16 is the compute dtype's; the bias is added in float32.
        x = ops.depth_to_space(ops.cast(x, "float32"), BLOCK, data_format="channels_last")
        x = x[:, 1:-1, 1:-1] if shifted else x
        return x + ops.cast(self.bias, "float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """[B, 2H, 2W, filters]."""
        batch, height, width, _ = input_shape
        return (
            batch,
            None if height is None else height * BLOCK,
            None if width is None else width * BLOCK,
            self.filters,
        )

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        """Float32 whatever the compute dtype."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """The layer's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _is_shifted(kernel_size: int) -> bool:
    """Whether the output rows are grouped as (2y - 1, 2y)."""
    return kernel_size // 2 % 2 == 1


def coarse_kernel(kernel: Any) -> Any:
    """Gathers a fine kernel into the kernel that does its work on the unshuffled grid.

    Args:
        kernel: [k, k, C, D], k odd.

    Returns:
        [K, K, 4C, 4D], both channel axes phase-major. K = 2⌊(k + 1)/4⌋ + 1 for output rows
        (2y, 2y + 1); where (k - 1)/2 is odd, K = (k + 1)/2 for output rows (2y - 1, 2y).
    """
    k, _, channels, filters = kernel.shape
    radius = (k - 1) // 2
    reach = (radius + 1) // 2
    shift = int(_is_shifted(k))
    side = 2 * reach + 1 - shift
    phases = []
    for row in range(BLOCK):
        for column in range(BLOCK):
            # Coarse tap and input phase are quotient and remainder of the fine position, so a
            # shift by the output phase and a reshape sort the taps.
            before = [phase - shift + 2 * reach - radius for phase in (row, column)]
            padding = [(b, 2 * side - k - b) for b in before] + [(0, 0), (0, 0)]
            x = ops.pad(kernel, padding)
            x = ops.reshape(x, (side, BLOCK, side, BLOCK, channels, filters))
            x = ops.transpose(x, (0, 2, 1, 3, 4, 5))
            phases.append(ops.reshape(x, (side, side, BLOCK**2 * channels, filters)))
    return ops.concatenate(phases, axis=-1)


def taken_apart(kernel: Any) -> list[Any]:
    """Two kernels whose convolutions, one after the other, do what one does.

    Args:
        kernel: [K, K, C, D].

    Returns:
        [1, K, C, K·D], which gives the sum over the columns for each of the kernel's rows, and
        [K, 1, K·D, D], which takes each from the row that it belongs to, and adds them.
    """
    side, _, channels, filters = kernel.shape
    across = ops.transpose(kernel, (1, 2, 0, 3))
    across = ops.reshape(across, (1, side, channels, side * filters))
    rows = np.arange(side)
    down = np.zeros((side, 1, side, filters, filters), np.float32)
    down[rows, 0, rows] = np.eye(filters)
    down = down.reshape(side, 1, side * filters, filters)
    return [across, ops.cast(ops.convert_to_tensor(down), kernel.dtype)]
