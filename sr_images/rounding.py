"""The one rounding rule: halves up, in numpy, TensorFlow and keras.ops alike.

Round-half-to-even would break the fusion's bound on grey levels: 10.5 -> 10 and 11.5 -> 12 are two
apart although the values differ by one.
"""

from types import ModuleType
from typing import Any


def round_half_up(values: Any, xp: ModuleType) -> Any:
    """Rounds to the nearest integer, halves up (towards +inf), exactly.

    `floor(x + 0.5)` is not exact: the sum rounds up for the largest float below 0.5. A fraction and
    its double are exact, or 1 and 2 for tiny negative values. (`where` takes TensorFlow ten times
    as long as these operations together.)

    Args:
        values: floating-point array or tensor, finite or NaN.
        xp: numpy, tensorflow or keras.ops.

    Returns:
        Whole numbers in the dtype and shape of `values`.
    """
    below = xp.floor(values)
    return below + xp.minimum(xp.floor(2.0 * (values - below)), 1.0)


def grey_levels(values: Any, xp: ModuleType) -> Any:
    """Clips to [0, 255] and rounds halves up.

    Args:
        values: floating-point array or tensor, in grey levels.
        xp: numpy, tensorflow or keras.ops.

    Returns:
        Whole numbers from 0 to 255 in the dtype and shape of `values`; the caller casts to uint8.
    """
    return round_half_up(xp.minimum(xp.maximum(values, 0.0), 255.0), xp)
