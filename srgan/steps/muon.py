"""Muon for convolutions: updates whose directions all have the same length.

The momentum of a kernel, as a matrix of [inputs, outputs], is replaced by its polar factor: the
nearest matrix whose singular values are all 1. Directions that gradients reach rarely are learned
as fast as the others. A few steps of Newton and Schulz approximate the factor, by products of
matrices alone; on the small Gram matrix they cost little.

References: Jordan et al., Muon, https://kellerjordan.github.io/posts/muon/; Liu et al., Muon is
scalable for LLM training, arXiv 2502.16982, Section 2.2, for the length of the update.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from srgan.layers.subpixel import BLOCK
from srgan.steps.adam import Adam, is_output_kernel

# One step maps a singular value s to a·s + b·s³ + c·s⁵. Jordan's coefficients grow small ones
# fastest and leave all between 0.7 and 1.2, which is near enough.
QUINTIC = (3.4445, -4.7750, 2.0315)
STEPS = 5

MOMENTUM = 0.95
# With it an update is as long as Adam's usually are, so that one learning rate serves both.
ADAM_LENGTH = 0.2

_PHASES = BLOCK**2


def orthogonalized(
    matrices: Any, steps: int = STEPS, coefficients: tuple[float, float, float] = QUINTIC
) -> Any:
    """About the polar factors U·Vᵀ of matrices U·S·Vᵀ.

    Args:
        matrices: [..., m, n], float32.
        steps: Of the iteration.
        coefficients: a, b, c of the odd polynomial that a step applies to the singular values. With
            (15/8, −10/8, 3/8) and more steps it converges to the factor itself.

    Returns:
        [..., m, n]; zeros for a matrix of zeros.

    Reference:
        Newton and Schulz' iteration, as in Jordan et al. above. X·p(XᵀX) is applied to the Gram
        matrix G = XᵀX: each step is G ← p(G)·G·p(G), of n x n matrices, and the product of all p(G)
        multiplies X at the end.
    """
    a, b, c = coefficients
    if matrices.shape[-2] < matrices.shape[-1]:
        return _transposed(orthogonalized(_transposed(matrices), steps, coefficients))
    norm = ops.sqrt(ops.sum(ops.square(matrices), axis=(-2, -1), keepdims=True))
    x = matrices / (norm + 1e-30)
    gram = ops.matmul(_transposed(x), x)
    identity = ops.eye(matrices.shape[-1], dtype="float32")
    product = identity
    for _ in range(steps):
        factor = a * identity + b * gram + c * ops.matmul(gram, gram)
        product = ops.matmul(product, factor)
        gram = ops.matmul(ops.matmul(factor, gram), factor)
    return ops.matmul(x, product)


class Muon(Adam):
    """Muon for the kernels of the trunk and of the upsamplers, Adam for all else.

    Adam has the first and the last convolution, biases, slopes and BatchNorm. An upsampler's kernel
    is one matrix for each phase of the pixel shuffle. Momentum is Nesterov's. An update of a matrix
    [m, n] is as long as 0.2·√max(m, n) times its polar factor.

    Args:
        learning_rate: Of both, a number or a Keras schedule.
        **kwargs: Of `srgan.steps.adam.Adam`.

    Example:
        >>> optimizer = Muon(2e-3, output_rate=0.2)
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras' hook: updates one variable."""
        owner = self.owner(variable)
        if not is_matrix(owner):
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, "float32")
        self.assign(momentum, MOMENTUM * momentum + gradient)
        direction = gradient + MOMENTUM * momentum
        matrices = _as_matrices(direction, owner)
        length = ADAM_LENGTH * max(matrices.shape[-2:]) ** 0.5
        update = _as_kernel(length * orthogonalized(matrices), owner.shape)
        self.assign_sub(variable, ops.cast(learning_rate, "float32") * update)


def is_matrix(variable: Any) -> bool:
    """Whether Muon updates a variable: a kernel of four axes, neither the first nor the last.

    The first has the image's three channels as inputs.
    """
    return len(variable.shape) == 4 and variable.shape[2] > 3 and not is_output_kernel(variable)


def _as_matrices(kernel: Any, variable: Any) -> Any:
    """[k, k, C, D] as [phases, k·k·C, D / phases]; one phase where no pixel shuffle follows."""
    rows = variable.shape[0] * variable.shape[1] * variable.shape[2]
    phases = _PHASES if _is_upsampler(variable) else 1
    matrices = ops.reshape(kernel, (rows, phases, variable.shape[3] // phases))
    return ops.transpose(matrices, (1, 0, 2))


def _as_kernel(matrices: Any, shape: tuple[int, ...]) -> Any:
    return ops.reshape(ops.transpose(matrices, (1, 0, 2)), shape)


def _is_upsampler(variable: Any) -> bool:
    """`srgan.layers.subpixel.upsample` makes four times the channels that it takes."""
    return "upsample" in variable.path and variable.shape[3] % _PHASES == 0


def _transposed(matrices: Any) -> Any:
    return ops.swapaxes(matrices, -1, -2)
