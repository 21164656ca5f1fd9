"""What one request may ask of a server, fixed when the model is exported."""

from __future__ import annotations

import dataclasses

from bigans.upscaler.tiles.tiling import DEFAULT_OVERLAP
from sr_program.errors import UsageError

# A client cuts a photo so that tiles write 32 to 63 LR pixels at least, in each direction.
_SMALLEST_CORE = 64


@dataclasses.dataclass(frozen=True)
class Limits:
    """The bounds.

    Attributes:
        max_pixels: LR pixels of a request's images together, or of one encoded picture. Each
            takes about 350 bytes beside the model, its result included: 0.7 GB for 2^21, a photo of
            1920x1080.
        tile: Side of the tiles that larger images are cut into, LR pixels.
        overlap: What a tile reads at each side beyond what it writes, LR pixels.
        exact_pixels: LR pixels of an image up to which rounded results are made of all that float32
            has. Of a larger one values are kept in 16 bits until ξ's quantile is known, and some
            lie on the other side of a half then: one in some hundred differs by a level.
    """

    max_pixels: int = 1 << 21
    tile: int = 144
    overlap: int = DEFAULT_OVERLAP
    exact_pixels: int = 1 << 20

    def __post_init__(self) -> None:
        """Rejects what cannot work."""
        # The export tries the model on some hundred pixels.
        if not 1024 <= self.max_pixels <= 1 << 25:
            raise UsageError(f"max_pixels={self.max_pixels}; choose 1024 to {1 << 25}")
        if self.overlap < 0:
            raise UsageError(f"overlap={self.overlap}; choose 0 or more")
        least = 2 * self.overlap + _SMALLEST_CORE
        if not least <= self.tile <= 1024:
            raise UsageError(f"tile={self.tile}; choose {least} to 1024")

    @property
    def tile_pixels(self) -> int:
        """LR pixels of a request for what is not cut: `generators` and `from_levels`."""
        return self.tile**2
