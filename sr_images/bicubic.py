"""MATLAB's `imresize(..., 'bicubic')` for 8-bit images and whole scales, exactly.

The low-resolution images of super-resolution benchmarks are made by it. It differs from the
bicubic resize of OpenCV, TensorFlow and Pillow: the cubic kernel has a = -0.5, its support is
widened by the scale when an image shrinks (antialiasing), and the result of the vertical pass is
rounded to uint8 before the horizontal pass.

For a whole scale the kernel is sampled at rational positions, so the normalised weights are whole
numbers over a common denominator (4096 for scale 4). The sums below are sums of whole numbers far
below 2**53: in double precision they are exact in any order of summation, and a half is a true
half. Where the denominator is a power of two (scales 2, 4, 8), MATLAB's own double arithmetic is
exact too; for others MATLAB may round a true half either way.

The kernel is `sr_images.keys_kernel`.

Reference: https://www.mathworks.com/help/images/ref/imresize.html
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, lcm
from typing import Literal

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sr_images.keys_kernel import RADIUS, keys_kernel

Edge = Literal["replicate", "mirror"]

# periods computed at once: few enough for the processor's cache
_PERIODS = 16


def bicubic_downscale(
    image: NDArray[np.uint8], scale: int = 4, edge: Edge = "replicate"
) -> NDArray[np.uint8]:
    """Shrinks an image as MATLAB's `imresize(image, 1/scale)` does.

    Args:
        image: uint8 [H, W] or [H, W, C], 0..255.
        scale: whole factor >= 1.
        edge: what lies outside of the image: "replicate" repeats the outermost pixels (older
            MATLAB; the LR files of the usual benchmarks), "mirror" reflects the image (current
            MATLAB). Only the outermost 2 pixels of the result depend on it.

    Returns:
        uint8 [ceil(H/scale), ceil(W/scale)] or [..., C].

    Raises:
        ValueError: not uint8, empty, another number of dimensions, or a wrong `scale` or `edge`.
    """
    return _resize(image, _shrinking(_checked_scale(scale)), edge)


def bicubic_upscale(
    image: NDArray[np.uint8], scale: int = 4, edge: Edge = "replicate"
) -> NDArray[np.uint8]:
    """Enlarges an image as MATLAB's `imresize(image, scale)` does.

    Args:
        image: uint8 [H, W] or [H, W, C], 0..255.
        scale: whole factor >= 1.
        edge: as for `bicubic_downscale`.

    Returns:
        uint8 [H*scale, W*scale] or [..., C].

    Raises:
        ValueError: not uint8, empty, another number of dimensions, or a wrong `scale` or `edge`.
    """
    return _resize(image, _enlarging(_checked_scale(scale)), edge)


def bicubic_taps(scale: int) -> tuple[NDArray[np.float64], int, int]:
    """The kernel of `bicubic_downscale`, which is the same for every pixel of the result.

    Returns:
        Whole numbers float64 [taps], their sum, and the position of the first one: LR pixel i takes
        HR pixels i * scale + first and following.
    """
    shrinking = _shrinking(_checked_scale(scale))
    return shrinking.weights[0], shrinking.denominator, shrinking.first


@dataclass(frozen=True, eq=False)
class _Filter:
    """One pass along the rows, which repeats with a period of one LR row.

    Output row b*phases + p is the sum over t of `weights[p, t] / denominator` times input row
    b*step + first + t.
    """

    weights: NDArray[np.float64]  # [phases, taps], whole numbers
    denominator: int
    first: int
    step: int


@lru_cache(maxsize=16)
def _shrinking(scale: int) -> _Filter:
    return _filter(Fraction(1, scale), phases=1, step=scale)


@lru_cache(maxsize=16)
def _enlarging(scale: int) -> _Filter:
    return _filter(Fraction(scale), phases=scale, step=1)


def _filter(scale: Fraction, phases: int, step: int) -> _Filter:
    taps = [_normalised_taps(phase, scale) for phase in range(phases)]
    first = min(min(phase) for phase in taps)
    count = max(max(phase) for phase in taps) - first + 1
    denominator = lcm(*(weight.denominator for phase in taps for weight in phase.values()))
    weights = np.zeros((phases, count))
    for phase, phase_taps in enumerate(taps):
        for position, weight in phase_taps.items():
            weights[phase, position - first] = weight * denominator
    return _Filter(weights, denominator, first, step)


def _normalised_taps(row: int, scale: Fraction) -> dict[int, Fraction]:
    """Weight of each input row (0-based, possibly outside of the image) for one output row."""
    squeeze = min(scale, Fraction(1))
    centre = (row + Fraction(1, 2)) / scale - Fraction(1, 2)
    reach = RADIUS / squeeze
    positions = range(ceil(centre - reach), floor(centre + reach) + 1)
    taps = {position: keys_kernel(abs(centre - position) * squeeze) for position in positions}
    total = sum(taps.values())
    return {position: weight / total for position, weight in taps.items() if weight}


def _resize(image: NDArray[np.uint8], pass_filter: _Filter, edge: Edge) -> NDArray[np.uint8]:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            "expected a non-empty uint8 image [H, W] or [H, W, C], "
            f"got {image.dtype} {list(image.shape)}"
        )
    if edge not in ("replicate", "mirror"):
        raise ValueError(f"edge must be 'replicate' or 'mirror', got {edge!r}")
    resized = _transpose(_resize_rows(image, pass_filter, edge))
    return _transpose(_resize_rows(resized, pass_filter, edge))


def _resize_rows(image: NDArray[np.uint8], pass_filter: _Filter, edge: Edge) -> NDArray[np.uint8]:
    weights, step = pass_filter.weights, pass_filter.step
    phases, taps = weights.shape
    lines = image.reshape(len(image), -1)
    periods = -(-len(lines) // step)
    result = np.empty((periods, phases, lines.shape[1]), np.uint8)
    for start in range(0, periods, _PERIODS):
        count = min(_PERIODS, periods - start)
        first = start * step + pass_filter.first
        positions = np.arange(first, first + (count - 1) * step + taps)
        nearby = lines[_inside(positions, len(lines), edge)].astype(weights.dtype)
        windows = sliding_window_view(nearby, taps, axis=0)[::step]  # [count, columns, taps]
        # not a matrix product: its threads get in each other's way where many images are resized
        sums = np.einsum("pt,nct->npc", weights, windows)
        result[start : start + count] = _rounded_quotient(sums, pass_filter.denominator)
    return result.reshape(periods * phases, *image.shape[1:])


def _inside(positions: NDArray[np.integer], length: int, edge: Edge) -> NDArray[np.integer]:
    if edge == "replicate":
        return np.clip(positions, 0, length - 1)
    folded = positions % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)


def _rounded_quotient(sums: NDArray[np.float64], denominator: int) -> NDArray[np.int64]:
    """The quotient rounded half up and clipped to 0..255, in whole-number arithmetic."""
    doubled = 2 * np.clip(sums, 0, 255 * denominator).astype(np.int64) + denominator
    return doubled // (2 * denominator)


def _transpose(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim == 2 or image.shape[2] <= 4:
        swapped = np.asarray(cv2.transpose(image), np.uint8)
        return swapped.reshape(image.shape[1], image.shape[0], *image.shape[2:])
    return np.ascontiguousarray(image.swapaxes(0, 1))


def _checked_scale(scale: int) -> int:
    if isinstance(scale, bool) or not isinstance(scale, (int, np.integer)) or scale < 1:
        raise ValueError(f"scale must be a whole number >= 1, got {scale!r}")
    return int(scale)
