"""Floating-point levels of files: what is taken for 0..1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_program.errors import DataError

# Filters leave values a little outside of the range; they are clipped. More is another range.
SLACK = 0.1


def checked_floats(levels: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Levels as float32 0..1.

    Args:
        levels: Floating-point, any shape.
        name: What messages call the file.

    Raises:
        DataError: A value is NaN or infinite, or far outside of 0..1.
    """
    least, most = (float(find(levels)) for find in (np.min, np.max))
    if not np.isfinite(least) or not np.isfinite(most):
        raise DataError(f"{name}: holds NaN or infinite values; replace them by numbers")
    if least < -SLACK or most > 1 + SLACK:
        raise DataError(
            f"{name}: holds numbers from {least:g} to {most:g}; scale floating-point pictures to "
            "0..1"
        )
    return np.clip(levels.astype(np.float32, copy=False), 0, 1)
