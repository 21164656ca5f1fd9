"""Keys' cubic convolution kernel with a = -1/2, which all bicubic interpolation here samples.

Reference: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
"""

from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# Half the support of the kernel, in samples.
RADIUS = 2

Distance = TypeVar("Distance", Fraction, NDArray[np.float64])


def keys_kernel(distance: Distance) -> Distance:
    """The kernel's values.

    Both polynomials are twice the usual ones and halved at the end: their coefficients are then
    whole numbers, so that fractions stay exact, and doubling changes no bit of a float's rounding.

    Args:
      distance: distances >= 0 from the kernel's middle, in samples: a fraction, or float64 of any
        shape.

    Returns:
      The values, of the same type and shape; 0 from a distance of 2 on.
    """
    near = (3 * distance**3 - 5 * distance**2 + 2) / 2
    far = (-(distance**3) + 5 * distance**2 - 8 * distance + 4) / 2
    if isinstance(distance, Fraction):
        return near if distance <= 1 else far if distance <= RADIUS else Fraction(0)
    return np.where(distance <= 1, near, np.where(distance <= RADIUS, far, 0.0))
