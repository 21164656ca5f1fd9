"""Spectral normalisation: layers that divide their kernel by its largest singular value.

Keras' own wrapper overwrites the kernel with the normalised one in every call. Here the kernel that
the optimizer moves stays as it is, and its gradient goes through the division, as in the paper.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class _SpectralNorm(keras.layers.Layer):
    """A layer with a kernel, whose last axis is the outputs', and perhaps a bias.

    The kernel W is taken as a matrix [inputs, outputs]. A vector u, kept from call to call, comes
    nearer to the right singular vector of its largest singular value σ by one power iteration in
    each call in training mode: v = W·u / |W·u|, u = Wᵀ·v / |Wᵀ·v|. Then σ = vᵀ·W·u, in which u and
    v are constants for the gradient. Other calls leave u as it is. All of this is float32.

    Reference:
        Miyato et al., arXiv 1802.05957, Algorithm 1.
    """

    kernel: Any
    bias: Any

    def build(self, input_shape: Any) -> None:
        """Creates the layer's weights and u, a random direction, float32 [outputs]."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self.kernel.shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            autocast=False,
            # It depends on the weights alone, so all devices compute the same.
            aggregation="only_first_replica",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The layer's result with W / σ."""
        kernel = self.normalized_kernel(training)
        outputs = self._product(inputs, ops.cast(kernel, self.compute_dtype))
        return outputs if self.bias is None else outputs + self.bias

    def normalized_kernel(self, training: bool = False) -> Any:
        """W / σ, float32, of the kernel's shape; in training after one power iteration."""
        kernel = ops.cast(self.kernel, "float32")
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        constant = ops.stop_gradient(matrix)
        u = _unit(ops.convert_to_tensor(self.u))
        v = _unit(ops.matmul(constant, u))
        if training:
            u = _unit(ops.matmul(v, constant))
            self.u.assign(u)
        return kernel / ops.matmul(v, ops.matmul(matrix, u))

    # Keras' layers write their kernel and bias alone into a weights file.

    def save_own_variables(self, store: Any) -> None:
        """Writes u too."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Reads u too."""
        keras.layers.Layer.load_own_variables(self, store)

    def _product(self, inputs: Any, kernel: Any) -> Any:
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="srgan")
class SpectralConv2D(_SpectralNorm, keras.layers.Conv2D):
    """A Conv2D without activation, of a kernel whose largest singular value is 1."""

    def _product(self, inputs: Any, kernel: Any) -> Any:
        return self.convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable(package="srgan")
class SpectralDense(_SpectralNorm, keras.layers.Dense):
    """A Dense layer without activation, of a kernel whose largest singular value is 1."""

    def _product(self, inputs: Any, kernel: Any) -> Any:
        return ops.matmul(inputs, kernel)


def _unit(vector: Any) -> Any:
    """The vector divided by its length."""
    return vector / ops.norm(vector)
