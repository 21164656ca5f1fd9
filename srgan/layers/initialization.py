"""The generators' first weights: the paper's, and ones with which a deep trunk learns at once.

With Xavier's weights everywhere each ResBlock doubles about the variance of what passes through it,
so that after sixteen of them the output convolution amplifies noise. A small weight at the end of
each residual branch keeps the untrained trunk near the identity (as Goyal et al., arXiv
1706.02677, Section 5.1, do by a BatchNorm whose scale begins at 0).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from srgan.config import InitializationConfig

PAPER_INITIALIZATION = InitializationConfig()


def kernel_initializer(scale: float = 1.0) -> keras.initializers.Initializer:
    """Glorot's ("Xavier") uniform weights, times `scale`; 1 is the paper's (Section 4.1)."""
    if scale == 1:
        return keras.initializers.GlorotUniform()
    if scale == 0:
        return keras.initializers.Zeros()
    # The variance grows with the square.
    return keras.initializers.VarianceScaling(scale**2, mode="fan_avg", distribution="uniform")


def upsampler_initializer(kind: str, phases: int) -> keras.initializers.Initializer:
    """The first kernel of a convolution that a pixel shuffle follows.

    Args:
        kind: "xavier", "he" or "icnr", see `InitializationConfig.upsampler_init`.
        phases: Pixels that the shuffle makes of one.

    Raises:
        ValueError: Another kind.
    """
    if kind == "xavier":
        return kernel_initializer()
    if kind == "he":
        return keras.initializers.HeNormal()
    if kind == "icnr":
        return ICNR(phases)
    raise ValueError(f'the upsamplers\' weights must be "xavier", "he" or "icnr", got {kind!r}')


@keras.saving.register_keras_serializable(package="srgan")
class ICNR(keras.initializers.Initializer):
    """He's normal weights, the same for all phases of a pixel shuffle.

    The shuffle of the first result then is an enlargement by repeated pixels, without a grid.

    Args:
        phases: Pixels that the shuffle makes of one; channels are phase-major, as
            `keras.ops.depth_to_space` takes them.

    Reference:
        Aitken et al., Checkerboard artifact free sub-pixel convolution, arXiv 1707.02937.

    Example:
        >>> kernel = ICNR(phases=4)((3, 3, 64, 256))  # kernel[..., :64] == kernel[..., 64:128]
    """

    def __init__(self, phases: int) -> None:
        self.phases = phases

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Draws a kernel [k, k, C, phases · D].

        Raises:
            ValueError: The output channels do not divide into the phases.
        """
        *before, channels = shape
        if channels % self.phases:
            raise ValueError(f"{channels} channels do not divide into {self.phases} phases")
        one = keras.initializers.HeNormal()((*before, channels // self.phases), dtype=dtype)
        return ops.tile(one, (*(1 for _ in before), self.phases))

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"phases": self.phases}
