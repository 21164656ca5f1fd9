"""Transparency is enlarged apart from colour: by MATLAB's bicubic in floating point, clipped.

A channel that knows opaque and transparent only is the outline of a shape. Bicubic gives it a soft
rim, one pixel of the photo wide; so its values are stretched about one half, until the rim is as
wide as a pixel of the result.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from sr_images.imresize import resizing_matrix
from sr_images.levels import from_levels
from sr_images.picture import WHITE, Pixels

# Keys' kernel passes an edge with this slope, in whites a photo pixel: p'(1/2) of 0, 0, 1, 1.
_SLOPE = 1.25


class EnlargedAlpha:
    """The alpha channel of a result, row by row as they are asked for.

    The weights of a pixel add up to 1: where all pixels near by are opaque, or all transparent, so
    is the result, exactly.
    """

    def __init__(self, alpha: Pixels, size: tuple[int, int], factors: tuple[float, float]) -> None:
        """Takes the channel of the photo.

        Args:
            alpha: [H, W]; uint8, uint16 or float32 0..1.
            size: Height and width of the result.
            factors: Result by photo, down and across.
        """
        self._alpha = alpha
        self._down, self._across = (
            resizing_matrix(*lengths) for lengths in zip(alpha.shape, size, factors, strict=True)
        )
        is_outline = not np.any((alpha != 0) & (alpha != WHITE[alpha.dtype.name]))
        self._gain = max(1.0, _SLOPE * math.sqrt(math.prod(factors))) if is_outline else 1.0

    def rows(self, top: int, bottom: int, dtype: DTypeLike) -> Pixels:
        """Rows of the result.

        Args:
            top: The first.
            bottom: The last, exclusive.
            dtype: What they are rounded to: uint8, uint16 or float32.

        Returns:
            [bottom - top, W'].
        """
        weights = self._down[top:bottom]
        first, last = int(weights.indices.min()), int(weights.indices.max()) + 1
        nearby = self._alpha[first:last].astype(np.float64) * (255 / WHITE[self._alpha.dtype.name])
        wide = np.asarray(self._across @ nearby.T).T
        levels = np.asarray(weights[:, first:last] @ wide)
        return from_levels((levels - 127.5) * self._gain + 127.5, dtype)
