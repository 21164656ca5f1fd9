"""The size of a result, and the way to it: once or twice through the generators, then reduced."""

from __future__ import annotations

import math
from typing import NamedTuple

from bigans.upscaler.enlarging import Enlarging
from sr_program.errors import DataError


class Target(NamedTuple):
    """Where one photo's enlargement leads.

    Attributes:
        size: Height and width of the result, pixels.
        passes: How often the picture goes through the generators, 1 or 2.
        enlarged: Height and width after the last pass; `size` unless the picture is then reduced.
        factors: Result by photo, down and across.
    """

    size: tuple[int, int]
    passes: int
    enlarged: tuple[int, int]
    factors: tuple[float, float]

    @property
    def is_reduced(self) -> bool:
        """Whether MATLAB's bicubic reduction follows the last pass."""
        return self.size != self.enlarged


def target_of(size: tuple[int, int], enlarging: Enlarging, scale: int) -> Target:
    """What is asked of a photo.

    Args:
        size: Height and width of the photo, pixels.
        enlarging: What is asked.
        scale: Of the generators.

    Raises:
        DataError: The result would be smaller than the photo, or larger than two passes give.
    """
    height, width = size
    if enlarging.size is not None:
        wanted = enlarging.size[1], enlarging.size[0]
        factors = wanted[0] / height, wanted[1] / width
    else:
        wanted = _scaled(height, enlarging.scale), _scaled(width, enlarging.scale)
        factors = enlarging.scale, enlarging.scale
    most = scale**2
    if min(wanted[0] - height, wanted[1] - width) < 0 or max(factors) > most:
        raise DataError(
            f"has {width}x{height} pixels, and a result of {wanted[1]}x{wanted[0]} is asked for; "
            f"ask for {width}x{height} to {most * width}x{most * height}"
        )
    passes = 1 if max(factors) <= scale else 2
    enlarged = height * scale**passes, width * scale**passes
    return Target(wanted, passes, enlarged, factors)


def _scaled(length: int, scale: float) -> int:
    """MATLAB's ceil(scale * length), less the last bit of 1.1 * 10 = 11.000000000000002."""
    return math.ceil(round(scale * length, 6))
