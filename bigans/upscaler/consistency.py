"""Results that give their photo back when they are reduced again, to one grey level.

Iterative back-projection: what the reduced result lacks of the photo is enlarged and added. The
smallest change that mends it is D'(DD')⁻¹(photo − D result), where D is MATLAB's bicubic reduction
and D' its transpose; it would do at once, but values beyond black and white have to be clipped, so
it is repeated, with Nesterov's momentum, until nothing lacks or nothing more is gained. D is local,
and the result goes by in strips: it lies in scratch memory, or in a scratch file.

A photo that no picture reduces to, as a checkerboard of black and white pixels, is not given back;
that is told.

References: M. Irani and S. Peleg, "Improving resolution by image registration", 1991; A. Beck and
M. Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import splu

from bigans.upscaler.tiles.scratch import Scratch
from sr_images.imresize import Edge, resizing_matrix
from sr_images.levels import Levels, from_levels
from sr_images.picture import WHITE, Pixels
from sr_images.resized_strips import Doubles, StripResizer
from sr_images.rounding import round_half_up

# Grey levels that may be lacking before the result is rounded, which changes what it reduces to.
_ENOUGH = 0.5
_MOST_ROUNDS = 60
# Rounds after which the largest deviation has to be less by this factor, or no more is gained.
_PATIENCE, _PROGRESS = 25, 0.9

# As the low-resolution images of benchmarks are made; MATLAB's edge today, the mirror image,
# differs in the outermost two pixels of the photo.
_EDGE: Edge = "replicate"

# Rows of the result that are looked at together, and columns of equations that are solved together.
_ROWS, _COLUMNS = 128, 4096
# Where the result is hardly larger than the photo, the equations for the smallest change are near
# to having no solution.
_RIDGE = 1e-6


class Consistency:
    """What lacks of a photo in a result, and the change that adds it."""

    def __init__(self, photo: Levels, size: tuple[int, int], dtype: DTypeLike) -> None:
        """Sets up the equations.

        Args:
            photo: float32 grey levels, [H, W, C].
            size: Height and width of the result.
            dtype: Of the result: values between the two passes of MATLAB's reduction are clipped in
                uint8 and uint16, and not in float32.
        """
        self._photo, self._size, self._dtype = photo, size, np.dtype(dtype)
        axes = [
            resizing_matrix(large, small, None, _EDGE)
            for large, small in zip(size, photo.shape[:2], strict=True)
        ]
        self._enlarge_down, self._enlarge_across = (csr_array(matrix.T) for matrix in axes)
        self._solvers = [splu(_normal(matrix)) for matrix in axes]

    def lacking(self, strips: Iterable[Levels], into: Scratch) -> Levels:
        """Keeps the strips of a result, and tells what it lacks of the photo.

        Returns:
            float32 [H, W, C], grey levels.
        """
        clip = self._dtype != np.float32
        between = _clipped if clip else _unchanged
        resizer = StripResizer(self._size, self._photo.shape[:2], edge=_EDGE, between=between)
        rows = []
        for strip in strips:
            into.append(strip)
            rows.extend(resizer.take(strip))
        reduced = np.concatenate(rows)
        return self._photo - (np.clip(reduced, 0, 255) if clip else reduced)

    def change(self, lacking: Levels) -> Callable[[int, int], Levels]:
        """The smallest change of the result that adds what it lacks.

        Returns:
            A function from the first and the last row, exclusive, to float32 [h, W', C].
        """
        solved = _solve(self._solvers[0], lacking)
        solved = _solve(self._solvers[1], solved.transpose(1, 0, 2)).transpose(1, 0, 2)
        height, width, channels = solved.shape
        lines = np.ascontiguousarray(solved).reshape(height, -1)

        def rows(top: int, bottom: int) -> Levels:
            high = np.asarray(self._enlarge_down[top:bottom] @ lines)
            turned = high.reshape(-1, width, channels).transpose(1, 0, 2).reshape(width, -1)
            wide = np.asarray(self._enlarge_across @ turned, np.float32)
            return wide.reshape(-1, bottom - top, channels).transpose(1, 0, 2)

        return rows

    def finished(self, strips: Iterable[Levels], tell: Callable[[str], None]) -> Iterator[Pixels]:
        """Rounds the result, and tells if it does not give the photo back to one grey level."""
        step = WHITE[self._dtype.name] / 255
        whole = self._dtype != np.float32
        between = _rounded(255 * step) if whole else _unchanged
        resizer = StripResizer(self._size, self._photo.shape[:2], edge=_EDGE, between=between)
        largest, top = 0.0, 0
        for strip in strips:
            pixels = from_levels(strip, self._dtype)
            for rows in resizer.take(pixels.astype(np.float32)):
                reduced = between(rows.astype(np.float64)) / step
                lacking = np.abs(self._photo[top : top + len(rows)] - reduced)
                largest, top = max(largest, float(lacking.max())), top + len(rows)
            yield pixels
        if largest > 1 + 1e-3:
            tell(
                f"reduced again, the result departs from the photo by up to {largest:.0f} grey "
                "levels: it has contrasts that no reduced picture has"
            )


def consistent_strips(
    strips: Iterable[Levels],
    photo: Levels,
    size: tuple[int, int],
    dtype: DTypeLike,
    scratch: Callable[[], Scratch],
    tell: Callable[[str], None],
) -> Generator[Pixels, None, None]:
    """The strips of a result, changed so that it gives its photo back.

    Args:
        strips: Of the result, float32 grey levels, [h, W', C] each.
        photo: float32 grey levels, [H, W, C].
        size: Height and width of the result.
        dtype: That the result is rounded to.
        scratch: Makes scratch memory for the whole result; three lie side by side.
        tell: Called with one line if the photo cannot be given back.

    Yields:
        Pixels of `dtype`, [h, W', C] each.

    Raises:
        DataError: No space for scratch data.
    """
    equations = Consistency(photo, size, dtype)
    with contextlib.ExitStack() as stack:
        make = lambda: stack.enter_context(scratch())  # noqa: E731
        current = before = make()
        lacking = lacked = equations.lacking(_in_bands(strips), current)
        rounds = _Rounds()
        while rounds.go_on(lacking):
            momentum = rounds.momentum(lacking, lacked)
            ahead = np.asarray(lacking + momentum * (lacking - lacked), np.float32)
            change = equations.change(ahead)
            changed = make()
            following = _changed(current.read(), before.read(), momentum, change)
            lacked, lacking = lacking, equations.lacking(following, changed)
            if before is not current:
                before.close()
            before, current = current, changed
        yield from equations.finished(current.read(), tell)


class _Rounds:
    """Decides when to stop, and how large the momentum is."""

    def __init__(self) -> None:
        self._largest: list[float] = []
        self._step = 1.0

    def go_on(self, lacking: Levels) -> bool:
        self._largest.append(float(np.abs(lacking).max()))
        if self._largest[-1] <= _ENOUGH or len(self._largest) > _MOST_ROUNDS:
            return False
        recent, earlier = self._largest[-_PATIENCE:], self._largest[:-_PATIENCE]
        return not earlier or min(recent) < _PROGRESS * min(earlier)

    def momentum(self, lacking: Levels, lacked: Levels) -> np.float32:
        if np.square(lacking).sum() > np.square(lacked).sum():
            self._step = 1.0  # overshot: begin anew
            return np.float32(0)
        before, self._step = self._step, (1 + math.sqrt(1 + 4 * self._step**2)) / 2
        return np.float32((before - 1) / self._step)


def _changed(
    current: Iterator[Levels],
    before: Iterator[Levels],
    momentum: np.float32,
    change: Callable[[int, int], Levels],
) -> Iterator[Levels]:
    top = 0
    for strip, earlier in zip(current, before, strict=True):
        ahead = strip + momentum * (strip - earlier)
        bottom = top + len(strip)
        changed = np.clip(ahead + change(top, bottom), np.float32(0), np.float32(255))
        yield np.asarray(changed, np.float32)
        top = bottom


def _in_bands(strips: Iterable[Levels]) -> Iterator[Levels]:
    for strip in strips:
        for top in range(0, len(strip), _ROWS):
            yield strip[top : top + _ROWS]


def _normal(matrix: csr_array) -> NDArray:
    return (matrix @ matrix.T + _RIDGE * eye_array(matrix.shape[0])).tocsc()


def _solve(solver: Any, lacking: Levels) -> Levels:
    """Solves the equations of one axis, the first; float32 of the same shape."""
    columns = np.ascontiguousarray(lacking).reshape(len(lacking), -1)
    result = np.empty_like(columns)
    for left in range(0, columns.shape[1], _COLUMNS):
        part = np.ascontiguousarray(columns[:, left : left + _COLUMNS], np.float64)
        result[:, left : left + _COLUMNS] = solver.solve(part)
    return result.reshape(lacking.shape)


def _unchanged(values: Doubles) -> Doubles:
    return values


def _clipped(values: Doubles) -> Doubles:
    return np.clip(values, 0, 255)


def _rounded(white: float) -> Callable[[Doubles], Doubles]:
    return lambda values: round_half_up(np.clip(values, 0, white), np)
