"""Keys' cubic convolution kernel with a = -1/2, which all bicubic interpolation here samples.

Reference: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
"""

from fractions import Fraction
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

# Half the support of the kernel, in samples.
RADIUS = 2


@overload
def keys_kernel(distance: Fraction) -> Fraction: ...


@overload
def keys_kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]: ...


def keys_kernel(distance: Fraction | NDArray[np.float64]) -> Fraction | NDArray[np.float64]:
    """The kernel's values.

    Both polynomials are twice the usual ones and halved at the end: their coefficients are then
    whole numbers, so that fractions stay exact, and doubling changes no bit of a float's rounding.

    Args:
        distance: distances >= 0 from the kernel's middle, in samples: a fraction, or float64 of any
            shape.

    Returns:
        The values, of the same type and shape; 0 from a distance of 2 on.
    """
    if isinstance(distance, Fraction):
        if distance > RADIUS:
            return Fraction(0)
        return Fraction(_near(distance) if distance <= 1 else _far(distance))
    beyond = np.where(distance <= RADIUS, _far(distance), 0.0)
    return np.where(distance <= 1, _near(distance), beyond)


def _near(x: Any) -> Any:
    return (3 * x**3 - 5 * x**2 + 2) / 2


def _far(x: Any) -> Any:
    return (-(x**3) + 5 * x**2 - 8 * x + 4) / 2
