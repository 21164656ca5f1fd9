"""Bicubic enlargement inside the graph: the skip that a generator may add its detail to."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from sr_images.keys_kernel import keys_kernel


@keras.saving.register_keras_serializable(package="srgan")
class BicubicUpsampling(keras.layers.Layer):
    """Enlarges an image by bicubic interpolation (a = -0.5), edge pixels replicated.

    MATLAB's `imresize` with a larger size, before its rounding to uint8: a generator that adds
    its output to this learns only the detail that the interpolation lacks. Not in the paper.

    Args:
        scale: Integer factor.
        **kwargs: `keras.layers.Layer` arguments.

    Input shape:
        [B, H, W, 3], float.

    Output shape:
        [B, scale·H, scale·W, 3], float32.
    """

    def __init__(self, scale: int = 4, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.scale = scale
        taps = bicubic_taps(scale)
        # One dense kernel, [5, 5, 3, scale²·3], that keeps the colours apart; its outputs are
        # phase-major, as depth_to_space wants them.
        phases = np.einsum("ia,jb,cd->abcijd", taps, taps, np.eye(3))
        self.kernel = phases.reshape(5, 5, 3, scale * scale * 3).astype(np.float32)

    def call(self, inputs: Any) -> Any:
        """Interpolates."""
        x = ops.cast(inputs, "float32")
        # Replicating by slices works for any size, a single pixel included.
        x = ops.concatenate([x[:, :1], x[:, :1], x, x[:, -1:], x[:, -1:]], axis=1)
        x = ops.concatenate([x[:, :, :1], x[:, :, :1], x, x[:, :, -1:], x[:, :, -1:]], axis=2)
        x = ops.conv(x, self.kernel, padding="valid")
        return ops.depth_to_space(x, self.scale, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """[B, scale·H, scale·W, 3]."""
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else height * self.scale,
            None if width is None else width * self.scale,
            channels,
        )

    def get_config(self) -> dict[str, Any]:
        """The layer's arguments."""
        return {**super().get_config(), "scale": self.scale}


def bicubic_taps(scale: int) -> np.ndarray:
    """The weights of the 5 nearest LR samples for each of the `scale` phases of an HR sample.

    Returns:
        [scale, 5] float64; rows sum to 1 and hold at most 4 taps that are not 0.
    """
    position = (np.arange(scale) + 0.5) / scale - 0.5
    x = np.abs(position[:, None] - np.arange(-2, 3)[None, :])
    return keys_kernel(x)
