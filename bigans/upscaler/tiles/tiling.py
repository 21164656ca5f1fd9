"""The settings of tiles, and the plan that follows from them."""

from __future__ import annotations

import dataclasses
import math
import os
from numbers import Integral, Real

from bigans.models.memory import TENSORFLOW, Budget, Footprint, decide
from bigans.upscaler.tiles.tile_plan import TilePlan, plan_tiles, smallest_tile

# LR pixels. With the shipped weights, values beside a tile's edge differ from those of the whole
# image by at most 0.25 grey levels before rounding (31 photos), and by 0.8 on noise and
# checkerboards; 10 pixels give 1.6 and 3.0, 16 give 0.02 and 0.06.
DEFAULT_OVERLAP = 12

# 10⁶ bytes. A number beyond it is a mistake; who wants no limit says so.
_MOST_MEMORY_MB = 1e12


@dataclasses.dataclass(frozen=True)
class PhotoPlan:
    """What was decided for a photo, or for photos of one size.

    Attributes:
        tiles: How each is cut; a single tile if it fits into memory.
        budget: The memory that the decision was made by.
        size: Height and width of a photo, LR pixels.
        overlap: LR pixels that a tile reads at each side beyond what it writes.
    """

    tiles: TilePlan
    budget: Budget
    size: tuple[int, int]
    overlap: int

    @property
    def is_whole(self) -> bool:
        """Whether the photo is enlarged as a whole, and not in tiles."""
        return len(self.tiles) == 1

    @property
    def photos_at_once(self) -> int:
        """How many photos may go through the network in one call."""
        height, width = self.size
        return max(1, self.budget.pixels_at_once // (height * width)) if self.is_whole else 1

    def for_size(self, height: int, width: int) -> PhotoPlan:
        """How another picture is cut by the same decision about memory, with the same overlap.

        Raises:
            DataError: The memory does not suffice for the smallest tile.
            UsageError: Likewise, of the memory that the user allows.
        """
        tiles = plan_tiles(height, width, self.budget.pixels_at_once, self.overlap)
        if tiles is None:
            raise self.budget.refusal(smallest_tile(height, width, self.overlap))
        return PhotoPlan(tiles, self.budget, (height, width), self.overlap)

    @property
    def spare_bytes(self) -> int:
        """What of the memory no tile needs."""
        return self.budget.spare_bytes(self.tiles.tile_pixels)


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How images that do not fit into memory are cut.

    Attributes:
        memory_mb: What the process may take in all, in 10⁶ bytes; infinity: there is no limit. If
            left out, see `bigans.models.memory.decide`.
        overlap: LR pixels ≥ 0 that a tile reads at each side beyond what it writes; 12, or less if
            the model tells that it looks less far, if left out. From `Upscaler.radius`
            on, the result is that of the whole image.
        scratch_dir: Folder for scratch files, of 24 bytes a pixel of the result; by default that of
            the result, or the system's folder for temporary files.

    Raises:
        ValueError: A number that is none, or is out of range.
    """

    memory_mb: float | None = None
    overlap: int | None = None
    scratch_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Rejects numbers that nothing can be cut by."""
        memory_mb, overlap = self.memory_mb, self.overlap
        if memory_mb is not None:
            if not isinstance(memory_mb, Real) or math.isnan(memory_mb):
                raise ValueError(f"memory_mb={memory_mb} is not a number")
            if not memory_mb > 0:
                raise ValueError(f"memory_mb must be more than 0, got {memory_mb:g}")
            if _MOST_MEMORY_MB < memory_mb < math.inf:
                raise ValueError(
                    f"memory_mb={memory_mb:g} is more than any machine has; inf is no limit"
                )
        if overlap is not None:
            if not isinstance(overlap, Integral):
                raise ValueError(f"overlap must be a whole number, got {overlap!r}")
            if overlap < 0:
                raise ValueError(f"overlap must be at least 0, got {overlap}")

    def plan(
        self,
        height: int,
        width: int,
        radius: int | None,
        footprint: Footprint = TENSORFLOW,
    ) -> PhotoPlan:
        """Decides how an image is cut, and what memory it may take; looks at the memory once.

        Args:
            height: LR pixels.
            width: LR pixels.
            radius: How far the model looks, in LR pixels, if it tells.
            footprint: What the model's runtime takes.

        Raises:
            UsageError: `memory_mb` does not suffice for the smallest tile.
            DataError: The free memory does not.
        """
        overlap = self.overlap
        if overlap is None:
            overlap = min(DEFAULT_OVERLAP, DEFAULT_OVERLAP if radius is None else radius)
        budget = decide(height * width, self.memory_mb, footprint)
        tiles = plan_tiles(height, width, budget.pixels_at_once, overlap)
        if tiles is None:
            raise budget.refusal(smallest_tile(height, width, overlap))
        return PhotoPlan(tiles, budget, (height, width), overlap)
