"""MATLAB's bicubic for a picture of floats that comes in strips, which never lies in memory whole.

The same weights as `sr_images.imresize`, in double precision; rows first, then columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from sr_images.imresize import Edge, resizing_matrix

Levels = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Rows that are resized at once: what lies in double precision meanwhile is some MB.
_ROWS = 64


class StripResizer:
    """Takes the strips of a picture from the top to the bottom, and gives those of another size."""

    def __init__(
        self,
        size: tuple[int, int],
        resized: tuple[int, int],
        factors: tuple[float, float] | None = None,
        edge: Edge = "mirror",
        between: Callable[[Doubles], Doubles] = lambda values: values,
    ) -> None:
        """Nothing has come yet.

        Args:
            size: Height and width of the picture.
            resized: Of the result.
            factors: Result by picture, down and across, where it is not their quotient: MATLAB's
                imresize(A, 0.3) of 10 rows gives 3 rows at steps of 1/0.3.
            edge: What lies outside of the picture, as for `sr_images.imresize.resizing_matrix`.
            between: What becomes of the values when the rows are resized and the columns are not:
                MATLAB rounds and clips those of whole numbers.
        """
        self._between = between
        scales = factors or (None, None)
        self._down, self._across = (
            resizing_matrix(length, new, scale, edge)
            for length, new, scale in zip(size, resized, scales, strict=True)
        )
        self._first, self._last = _reach(self._down)
        self._held = np.empty((0, 0))
        self._start = self._done = 0  # of the rows that are held, and of those that were given

    def take(self, strip: Levels) -> Iterator[Levels]:
        """The rows of the result that a strip completes.

        Args:
            strip: float [h, W, C].

        Yields:
            float32 [n, W', C], n ≥ 1.
        """
        for top in range(0, len(strip), _ROWS):
            rows = self._complete(strip[top : top + _ROWS])
            if len(rows):
                yield rows

    def _complete(self, strip: Levels) -> Levels:
        _, width, channels = strip.shape
        lines = strip.reshape(len(strip), -1).astype(np.float64)
        self._held = np.concatenate([self._held, lines]) if len(self._held) else lines
        end = self._start + len(self._held)
        done = int(np.searchsorted(self._last, end))
        weights = self._down[self._done : done, self._start : end]
        rows = self._between(np.asarray(weights @ self._held)).reshape(-1, width, channels)
        self._done = done
        if done < len(self._first):
            start = min(end, int(self._first[done]))
            self._held, self._start = self._held[start - self._start :], start
        turned = np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(width, -1)
        result = np.asarray(self._across @ turned)
        result = result.reshape(self._across.shape[0], len(rows), channels)
        return np.ascontiguousarray(result.transpose(1, 0, 2), np.float32)


def resized_strips(strips: Iterable[Levels], resizer: StripResizer) -> Iterator[Levels]:
    """Strips of the resized picture: float32 [n, W', C] each."""
    for strip in strips:
        yield from resizer.take(strip)


def _reach(matrix: csr_array) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """The first and last row of the picture that a row of the result, or a later one, needs."""
    starts = matrix.indptr[:-1]
    first = np.minimum.reduceat(matrix.indices, starts)
    last = np.maximum.reduceat(matrix.indices, starts)
    return np.minimum.accumulate(first[::-1])[::-1], np.maximum.accumulate(last)
