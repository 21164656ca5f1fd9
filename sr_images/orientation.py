"""Turns stored samples upright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture as it is meant to be seen.

    Args:
        stored: [H, W, ...] as the file stores it.
        orientation: 1 to 8, EXIF's tag 0x0112; anything else counts as 1.

    Returns:
        [H, W, ...], or [W, H, ...] for 5 to 8; a view.
    """
    transposed = np.swapaxes(stored, 0, 1)
    turned = {
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: transposed,
        6: transposed[:, ::-1],
        7: transposed[::-1, ::-1],
        8: transposed[::-1],
    }
    return turned.get(orientation, stored)


def turns_sides(orientation: int) -> bool:
    """Whether height and width change places."""
    return 5 <= orientation <= 8
