"""Adam for gradients of the whole batch, with a rate of its own for the output convolution."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from srgan.layers.tail import OUTPUT


class Adam(keras.optimizers.Adam):
    """Keras' Adam, for gradients that the training step has averaged over all devices.

    Keras' TensorFlow optimizers add up the gradients of all devices, after they were clipped; here
    that is done before.

    Args:
        learning_rate: A number, or a Keras schedule.
        output_rate: Factor on the rate of the generator's output kernel. A step of Adam changes all
            weights by about the rate, with the gradient's signs; where these agree over all inputs
            of the kernel, k·k·C of them, the result moves by as many times the rate.
        **kwargs: `keras.optimizers.Adam` arguments.

    Example:
        >>> optimizer = Adam(1e-3, output_rate=0.1, beta_2=0.99)
    """

    def __init__(self, learning_rate: Any = 1e-3, output_rate: float = 1.0, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.output_rate = output_rate

    def owner(self, variable: Any) -> Any:
        """The Keras variable of what an engine hands to `update_step`, which may be its own."""
        return self._trainable_variables[self._get_variable_index(variable)]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras' hook: updates one variable."""
        rate = ops.cast(learning_rate, "float32")
        if is_output_kernel(self.owner(variable)):
            rate = rate * self.output_rate
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "output_rate": self.output_rate}

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> list[Any]:
        return list(grads_and_vars)


def is_output_kernel(variable: Any) -> bool:
    """Whether a variable is the kernel of a generator's last convolution."""
    return variable.path.endswith(f"{OUTPUT}/kernel")
