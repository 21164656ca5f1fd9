"""PSNR and SSIM of a generator on the luma of validation images, as training watches them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from sr_data.sources import SCALE, PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import ssim
from sr_images.image_io import from_signed, to_signed
from sr_images.luma import rgb_to_y
from sr_program.errors import DataError
from srgan.runs.places import check_scale_of_pairs

# The border that the paper's Table 3 leaves out, pixels.
BORDER = 6
# The side of SSIM's window, which must fit inside of the border.
WINDOW = 11
SMALLEST_SIDE = 2 * BORDER + WINDOW
# How many images are shown, and how much of each.
STRIPS = 4
STRIP_SIDE = 192
# LR pixels that are enlarged at once: the paper's generators need about 12 KB for each.
LARGEST = 288 * 288
# HR pixels that are scored at once: SSIM needs about 100 bytes for each.
BAND = 1 << 21
# How far bicubic interpolation looks, LR pixels.
_BICUBIC_REACH = 2


def check_pairs(pairs: PairedFolder, scale: int) -> None:
    """Reads validation images once, so that a bad one is found before an epoch is spent.

    Args:
        pairs: The images.
        scale: The generator's enlargement.

    Raises:
        UsageError: The generator does not enlarge 4x, as the pairs do.
        DataError: An image cannot be read, or is too small.
    """
    check_scale_of_pairs(scale)
    for name, hr, _ in pairs:
        if min(hr.shape[:2]) < SMALLEST_SIDE:
            raise DataError(
                f"{pairs.directory}: {name} is {hr.shape[1]}x{hr.shape[0]}; validation needs "
                f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels or more, remove it"
            )


def validate(
    enlarge: Callable[[np.ndarray], np.ndarray],
    pairs: Iterable[tuple[str, np.ndarray, np.ndarray]],
    reach: int | None = None,
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores a generator by the paper's protocol: Y as uint8, 6 border pixels left out.

    Args:
        enlarge: LR to SR images, float32 [1, h, w, 3] to [1, 4h, 4w, 3] in [-1, 1].
        pairs: (name, HR, LR), uint8 [H, W, 3] and [H/4, W/4, 3].
        reach: How many LR pixels around its own a pixel of the result depends on; large images are
            then enlarged in tiles, with the same result. None: it is not known.

    Returns:
        "psnr", dB, and "ssim": means over the images. Name → a strip to look at, uint8, of the
        first images: the middle of bicubic interpolation, SR and HR, side by side.
    """
    scores, strips = [], {}
    for name, hr, lr in pairs:
        sr = super_resolve(enlarge, lr, reach)
        scores.append(score(hr, sr))
        if len(strips) < STRIPS:
            versions = (_middle_of_bicubic(lr), _middle(sr), _middle(hr))
            strips[name] = np.concatenate(versions, axis=1)
    mean_psnr, mean_ssim = np.mean(scores, axis=0)
    return {"psnr": float(mean_psnr), "ssim": float(mean_ssim)}, strips


def score(hr: np.ndarray, sr: np.ndarray) -> tuple[float, float]:
    """PSNR, dB, and SSIM on Y as uint8 without the border, band by band of a large image.

    Args:
        hr: uint8 [H, W, 3].
        sr: The same shape.
    """
    height, width = (size - 2 * BORDER for size in hr.shape[:2])
    step = max(BAND // width, WINDOW)
    windows = height - WINDOW + 1
    starts = range(0, windows, step)
    squares, similarity = 0.0, 0.0
    for start in starts:
        stop = min(start + step, windows)
        rows = slice(BORDER + start, BORDER + stop + WINDOW - 1)
        y, y_hr = (rgb_to_y(image[rows, BORDER:-BORDER]) for image in (sr, hr))
        similarity += (stop - start) * ssim(y_hr, y, data_range=255)
        # The rows that the next band has too count there.
        own = slice(None) if stop == windows else slice(0, stop - start)
        squares += float(np.sum(np.square(y_hr[own].astype(np.float64) - y[own])))
    mean_square = squares / (height * width)
    decibels = math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)
    return decibels, similarity / windows


def super_resolve(
    enlarge: Callable[[np.ndarray], np.ndarray], lr: np.ndarray, reach: int | None = None
) -> np.ndarray:
    """Enlarges one image.

    Args:
        enlarge: LR to SR images, float32 [1, h, w, 3] to [1, 4h, 4w, 3] in [-1, 1].
        lr: uint8 [H, W, 3].
        reach: As for `validate`.

    Returns:
        uint8 [4H, 4W, 3].
    """
    height, width = lr.shape[:2]
    if reach is None or height * width <= LARGEST:
        return _enlarged(enlarge, lr)
    side = max(math.isqrt(LARGEST), 4 * reach)
    sr = np.empty((SCALE * height, SCALE * width, 3), np.uint8)
    for row in spans(height, side, reach):
        for column in spans(width, side, reach):
            tile = lr[row.start : row.stop, column.start : column.stop]
            large = _enlarged(enlarge, tile)
            sr[row.of_result(), column.of_result()] = large[row.of_tile(), column.of_tile()]
    return sr


def _enlarged(enlarge: Callable[[np.ndarray], np.ndarray], lr: np.ndarray) -> np.ndarray:
    return from_signed(np.asarray(enlarge(to_signed(lr)[None]))[0])


class Span(NamedTuple):
    """A tile along one side, LR pixels: it reads start … stop, and first … last of it counts."""

    start: int
    stop: int
    first: int
    last: int

    def of_result(self) -> slice:
        """Where it lies in the result."""
        return slice(SCALE * self.first, SCALE * self.last)

    def of_tile(self) -> slice:
        """What of the enlarged tile counts."""
        return slice(SCALE * (self.first - self.start), SCALE * (self.last - self.start))


def spans(size: int, side: int, reach: int) -> list[Span]:
    """Tiles of equal size along one side of an image.

    Args:
        size: The image's side.
        side: A tile's, more than twice the reach.
        reach: How many pixels at an edge within the image do not count.

    Returns:
        Tiles whose counting parts follow on each other from 0 to `size`. (All have the same size,
        as an engine may compile a program for each.)
    """
    if size <= side:
        return [Span(0, size, 0, size)]
    found, first = [], 0
    while first < size:
        start = min(max(first - reach, 0), size - side)
        stop = start + side
        last = size if stop == size else stop - reach
        found.append(Span(start, stop, first, last))
        first = last
    return found


def _middle(image: np.ndarray) -> np.ndarray:
    """The square in the middle, at most STRIP_SIDE pixels wide."""
    rows, columns = (_middle_span(size) for size in image.shape[:2])
    return image[rows, columns]


def _middle_of_bicubic(lr: np.ndarray) -> np.ndarray:
    """The same square of the interpolated image, without the rest of it."""
    cuts, squares = [], []
    for size in lr.shape[:2]:
        span = _middle_span(SCALE * size)
        first = max(span.start // SCALE - _BICUBIC_REACH, 0)
        last = min(-(-span.stop // SCALE) + _BICUBIC_REACH, size)
        cuts.append(slice(first, last))
        squares.append(slice(span.start - SCALE * first, span.stop - SCALE * first))
    return bicubic_upscale(lr[tuple(cuts)])[tuple(squares)]


def _middle_span(size: int) -> slice:
    start = max((size - STRIP_SIDE) // 2, 0)
    return slice(start, min(start + STRIP_SIDE, size))
