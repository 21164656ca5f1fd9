"""Transparency is enlarged apart from colour: by MATLAB's bicubic in floating point, clipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from sr_images.imresize import resizing_matrix
from sr_images.levels import from_levels
from sr_images.picture import WHITE, Pixels


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
        return from_levels(np.asarray(weights[:, first:last] @ wide), dtype)
