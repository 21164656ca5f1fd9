"""MATLAB's `imresize(image, ..., 'bicubic')` for double-precision images.

NIQE and the metric of Ma et al. shrink and enlarge images of doubles with it. The kernel is
`sr_images.keys_kernel`, widened where an axis shrinks (antialiasing); outside of the image lies its
mirror image, as in current MATLAB; nothing is rounded. For 8-bit images, which MATLAB rounds after
each axis, see `sr_images.bicubic`.

Reference: https://www.mathworks.com/help/images/ref/imresize.html
"""

from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from sr_images.bicubic import Edge
from sr_images.keys_kernel import RADIUS, keys_kernel


def imresize(
    image: NDArray[np.float64],
    *,
    scale: float | None = None,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Resizes an image of doubles by bicubic interpolation.

    Scaling by 1/2 is exact for images of whole numbers: the weights are dyadic fractions. An axis
    that keeps its size keeps its values.

    Args:
        image: float64 [H, W], of any range.
        scale: factor of both axes; the result has ceil(scale * H) rows and ceil(scale * W) columns.
        shape: size of the result instead, (rows, columns); the axes may have different factors.

    Returns:
        float64 [rows, columns].

    Raises:
        ValueError: not a non-empty float64 [H, W], not exactly one of `scale` and `shape`, or a
            size or factor that is not positive.
    """
    if image.dtype != np.float64 or image.ndim != 2 or image.size == 0:
        raise ValueError(
            f"expected a non-empty float64 [H, W], got {image.dtype} {list(image.shape)}"
        )
    rows, columns = _plan(image.shape[0], image.shape[1], scale, shape)
    # the axis that shrinks more goes first, as in MATLAB
    if rows[1] <= columns[1]:
        return _resize_columns(_resize_rows(image, *rows), *columns)
    return _resize_rows(_resize_columns(image, *columns), *rows)


def _plan(
    height: int, width: int, scale: float | None, shape: tuple[int, int] | None
) -> tuple[tuple[int, float], tuple[int, float]]:
    """(new length, factor) of the rows and of the columns."""
    if (scale is None) == (shape is None):
        raise ValueError("give either scale or shape")
    if shape is not None:
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"shape must be two numbers >= 1, got {shape}")
        return (shape[0], shape[0] / height), (shape[1], shape[1] / width)
    if scale is None or not 0 < scale < np.inf:
        raise ValueError(f"scale must be a positive number, got {scale}")
    return (ceil(scale * height), scale), (ceil(scale * width), scale)


def _resize_rows(image: NDArray[np.float64], length: int, scale: float) -> NDArray[np.float64]:
    return np.asarray(resizing_matrix(image.shape[0], length, scale) @ image)


def _resize_columns(image: NDArray[np.float64], length: int, scale: float) -> NDArray[np.float64]:
    turned = np.ascontiguousarray(image.T)
    return np.ascontiguousarray(_resize_rows(turned, length, scale).T)


@lru_cache(maxsize=64)
def resizing_matrix(
    length_in: int, length_out: int, scale: float | None = None, edge: Edge = "mirror"
) -> csr_array:
    """The weights that resize one axis; each row adds up to 1.

    Args:
        length_in: samples.
        length_out: samples of the result.
        scale: factor between the two; their quotient if left out.
        edge: what lies outside: "mirror" reflects, "replicate" repeats the outermost sample.

    Returns:
        float64 [length_out, length_in], sorted.
    """
    scale = length_out / length_in if scale is None else scale
    squeeze = min(scale, 1.0)
    width = 2 * RADIUS / squeeze
    centre = np.arange(1, length_out + 1) / scale + 0.5 * (1 - 1 / scale)  # 1-based
    first = np.floor(centre - width / 2)
    positions = first[:, np.newaxis] + np.arange(ceil(width) + 2)
    weights = squeeze * keys_kernel(squeeze * np.abs(centre[:, np.newaxis] - positions))
    weights /= weights.sum(axis=1, keepdims=True)
    sources = positions.astype(np.int64) - 1
    if edge == "replicate":
        sources = np.clip(sources, 0, length_in - 1)
    else:
        folded = sources % (2 * length_in)
        sources = np.minimum(folded, 2 * length_in - 1 - folded)
    targets = np.broadcast_to(np.arange(length_out)[:, np.newaxis], sources.shape)
    used = weights != 0
    entries = (weights[used], (targets[used], sources[used]))
    # adds up what the edge puts together
    matrix = csr_array(entries, shape=(length_out, length_in))
    matrix.sum_duplicates()
    return matrix
