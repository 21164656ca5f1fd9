"""How one photo is enlarged: the choices that are the same for every model."""

from __future__ import annotations

import dataclasses
import math

# What two passes through the generators give; more would be bicubic alone.
LARGEST_SCALE = 16.0

# The scales that command lines offer.
SCALES = ("1.5", "2", "3", "4", "8")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Enlarging:
    """What `Upscaler.enlarge` and `Upscaler.to_file` are asked for.

    Example:
        Enlarging(xi=0.5, size=(1920, 1080))

    Attributes:
        xi: In [0, 1]: 0 gives the faithful image, 1 the vivid one; None is 0.73.
        max_deviation: Grey levels ≥ 0, in place of `xi`: the most by which a value may depart from
            the faithful image of 4x (of each pass), before it is reduced to another size. None
            leaves the choice to `xi`.
        scale: Result by photo, in [1, 16]. Others than 4 and 16 are reduced from these by MATLAB's
            bicubic; the result has ceil(scale * side) pixels, as MATLAB's imresize gives.
        size: Width and height of the result, in place of `scale`; each from once to 16 times the
            photo's.
        consistent: Whether the result, reduced by MATLAB's bicubic to the size of the photo and
            rounded, has to give the photo back within one grey level; see
            `bigans.upscaler.consistency`. For photos that are clean: what is wrong with them is
            given back too. Not with `max_deviation`, which it would not keep.

    Raises:
        ValueError: A number out of range, or two that exclude each other.
    """

    xi: float | None = None
    max_deviation: float | None = None
    scale: float = 4
    size: tuple[int, int] | None = None
    consistent: bool = False

    def __post_init__(self) -> None:
        """Refuses what no photo can be enlarged by."""
        if self.xi is not None and not 0 <= self.xi <= 1:
            raise ValueError(f"xi must lie in [0, 1], got {self.xi:g}")
        if self.max_deviation is not None and not self.max_deviation >= 0:
            raise ValueError(f"max_deviation must be at least 0, got {self.max_deviation:g}")
        if self.consistent and self.max_deviation is not None:
            raise ValueError(
                "consistent and max_deviation exclude each other: what gives the photo back may be "
                "further from the faithful image; leave one of them out"
            )
        if not (math.isfinite(self.scale) and 1 <= self.scale <= LARGEST_SCALE):
            raise ValueError(
                f"scale must lie between 1 and {LARGEST_SCALE:g}, got {self.scale:g}; "
                "4 is one pass through the generators, 16 two"
            )
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size must be two whole numbers of at least 1, got {self.size}")
