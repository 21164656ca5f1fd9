"""PReLU with slopes that start at 0.25, and its forms: on the unshuffled grid, for inference."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

INITIAL_SLOPE = 0.25


@keras.saving.register_keras_serializable(package="srgan")
class PReLU(keras.layers.Layer):
    """Parametric ReLU, f(x) = max(x, 0) + a·min(x, 0), with learned slopes `a`.

    Keras' own PReLU starts at slope 0, where every unit begins as a plain ReLU: with the
    residual generators here the output then dies within a few hundred steps and stays zero. This
    layer starts at 0.25 as the reference does.

    Args:
        phases: How many times the slopes repeat along the channel axis. A tensor that a
            pixel shuffle of block size r will spread out holds r² phases of each channel,
            phase-major; `phases=4` applies on it the PReLU that belongs after the shuffle.
        shared: One slope for all channels (the reference's "channel-shared" form) in place of one
            a channel. For inference it is a constant then, and TensorFlow computes the
            rectifier in the convolution before it, without a pass over memory.
        **kwargs: `keras.layers.Layer` arguments.

    Input shape:
        [B, H, W, phases · C], float.

    Output shape:
        The input's.

    Reference:
        He et al., Delving Deep into Rectifiers, https://arxiv.org/abs/1502.01852
    """

    def __init__(self, phases: int = 1, shared: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if phases < 1:
            raise ValueError(f"phases must be at least 1, got {phases}")
        self.phases = phases
        self.shared = shared
        self._constant_slope: float | None = None
        self._at_most_one: bool | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the slopes, shape [C], or [1] if they are shared."""
        channels = input_shape[-1]
        if channels is None or channels % self.phases:
            raise ValueError(f"{channels} channels do not divide into {self.phases} phases")
        self.slope = self.add_weight(
            name="slope",
            shape=(1 if self.shared else channels // self.phases,),
            initializer=keras.initializers.Constant(INITIAL_SLOPE),
        )

    def call(self, inputs: Any) -> Any:
        """Applies the rectifier."""
        if self._constant_slope is not None:
            return ops.leaky_relu(inputs, negative_slope=self._constant_slope)
        repeated = self.phases > 1 and not self.shared
        slope = ops.tile(self.slope, (self.phases,)) if repeated else self.slope
        if self._at_most_one is None:
            # For training: the fewest passes over memory, forward and backward, for any slope.
            return ops.where(inputs > 0, inputs, slope * inputs)
        if self._at_most_one:
            return ops.maximum(inputs, slope * inputs)
        # What converters know as a rectifier.
        zero = ops.cast(0.0, inputs.dtype)
        return ops.maximum(inputs, zero) + slope * ops.minimum(inputs, zero)

    def specialize(self) -> None:
        """Takes the best form that is exact for the slopes as they are, for inference alone.

        A shared slope becomes a constant of the graph. Where no slope exceeds 1,
        f(x) = max(x, a·x): two passes over memory in place of four.
        """
        slopes = ops.convert_to_numpy(self.slope)
        self._constant_slope = float(slopes[0]) if self.shared else None
        self._at_most_one = bool(slopes.max() <= 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The layer's arguments."""
        return {**super().get_config(), "phases": self.phases, "shared": self.shared}
