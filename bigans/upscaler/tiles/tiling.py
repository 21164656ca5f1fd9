"""The settings of tiles, and the plan that follows from them."""

from __future__ import annotations

import dataclasses
import os

from bigans.models.memory import TENSORFLOW, Footprint, pixels_at_once, refusal, spare_bytes
from bigans.upscaler.tiles.tile_plan import TilePlan, plan_tiles, smallest_tile

# LR pixels. With the shipped weights, values beside a tile's edge differ from those of the whole
# image by at most 0.25 grey levels before rounding (31 photos), and by 0.8 on noise and
# checkerboards; 10 pixels give 1.6 and 3.0, 16 give 0.02 and 0.06.
DEFAULT_OVERLAP = 12


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How images that do not fit into memory are cut.

    Attributes:
        memory_mb: What the process may take in all, in 10⁶ bytes; see `memory.pixels_at_once`.
        overlap: LR pixels ≥ 0 that a tile reads at each side beyond what it writes; 12, or less if
            the model tells that it looks less far, if left out. From `Upscaler.receptive_field`
            on, the result is that of the whole image.
        scratch_dir: Folder for scratch files, of 24 bytes a pixel of the result; by default that of
            the result, or the system's folder for temporary files.
    """

    memory_mb: float | None = None
    overlap: int | None = None
    scratch_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Rejects numbers below 0."""
        for name in ("memory_mb", "overlap"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")

    def pixels_at_once(self, height: int, width: int, footprint: Footprint = TENSORFLOW) -> int:
        """The most LR pixels in one call of the network, for an image of this size."""
        return pixels_at_once(height * width, self.memory_mb, footprint)

    def spare_bytes(self, plan: TilePlan, height: int, width: int, footprint: Footprint) -> int:
        """What of the memory no tile of a plan for an image of this size needs."""
        return spare_bytes(plan.tile_pixels, height * width, self.memory_mb, footprint)

    def plan(
        self,
        height: int,
        width: int,
        receptive_field: int | None,
        footprint: Footprint = TENSORFLOW,
    ) -> TilePlan:
        """Cuts an image.

        Args:
            height: LR pixels.
            width: LR pixels.
            receptive_field: What the model tells, in LR pixels, if it tells.
            footprint: What the model's runtime takes.

        Returns:
            A single tile if the image fits into memory.

        Raises:
            UsageError: `memory_mb` does not suffice for the smallest tile.
            DataError: The free memory does not.
        """
        overlap = self.overlap
        if overlap is None:
            known = DEFAULT_OVERLAP if receptive_field is None else receptive_field
            overlap = min(DEFAULT_OVERLAP, known)
        at_once = self.pixels_at_once(height, width, footprint)
        plan = plan_tiles(height, width, at_once, overlap)
        if plan is None:
            raise refusal(smallest_tile(height, width, overlap), self.memory_mb, footprint)
        return plan
