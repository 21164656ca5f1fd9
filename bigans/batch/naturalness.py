"""How natural a result looks, beside its other facts in the manifest."""

from __future__ import annotations

import math
from pathlib import Path

from sr_images.limits import Limits
from sr_images.niqe import Niqe
from sr_images.pictures_in import read_picture
from sr_images.scored_luma import inner, luma

# In the manifest.
NIQE = "niqe"

# Of a result; more would take more memory than its photo did in tiles.
MAX_PIXELS = 2**26

# Our own result may be as flat as it is.
_LIMITS = Limits(max_ratio=math.inf)


class Naturalness:
    """NIQE of files; lower is more natural.

    Example:
        naturalness = Naturalness("modelparameters.mat")
        naturalness(Path("cat_x4.png"), pixels=1024 * 768)
    """

    def __init__(self, parameters: str) -> None:
        """Loads the statistics of pristine photos.

        Args:
            parameters: See `Niqe`; empty: those in the cache, which are downloaded once.

        Raises:
            DataError: As `Niqe`.
        """
        self._niqe = Niqe(parameters or None)

    def __call__(self, file: Path, pixels: int) -> float:
        """The score of a result, or of its first frame.

        Args:
            file: Its file.
            pixels: How many it has.

        Returns:
            NIQE; NaN of results that are too small, too flat, or larger than `MAX_PIXELS`.
        """
        if pixels > MAX_PIXELS:
            return math.nan
        picture = read_picture(file, limits=_LIMITS)
        try:
            return self._niqe(inner(luma(picture.pixels, picture.is_gray)))
        except ValueError:
            return math.nan
