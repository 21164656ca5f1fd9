"""Energy of a grid of 4 pixels, which a generator may print into its results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SIDE = 32  # of a window, pixels; a multiple of the period
_STEP = 16
_PERIOD = 4


def grid_energy(luma: NDArray[np.floating]) -> NDArray[np.float64]:
    """Power of an image's spectrum at the periods 2 and 4 pixels, window by window.

    A pattern that repeats every 4 pixels in both directions has power at 16 points of the
    spectrum only: at 0, 1/4, 1/2 and 3/4 of a cycle a pixel, down and across. It is summed over
    these without the first (the mean), in windows of 32 pixels under Hann's, 16 pixels apart.
    Other structures have power there too: compare with the HR image.

    Args:
        luma: Y, float [H, W], grey levels, no side under 32 pixels.

    Returns:
        [rows, columns] of windows, squared grey levels; of a pattern alone it is the variance.

    Raises:
        ValueError: The image is smaller than a window.
    """
    windows = _windows(luma)
    taper = np.hanning(_SIDE + 1)[:-1]
    weights = np.outer(taper, taper)
    centred = windows - windows.mean(axis=(2, 3), keepdims=True)
    spectrum = np.fft.fft2(centred * weights)[..., :: _SIDE // _PERIOD, :: _SIDE // _PERIOD]
    power = np.abs(spectrum) ** 2 / weights.sum() ** 2
    power[..., 0, 0] = 0
    return power.sum(axis=(2, 3))


@dataclass(frozen=True)
class GridRatio:
    """Energy of a grid in SR images divided by that in HR, over windows of all images.

    Attributes:
        flat: In the quarter of the windows in which HR varies least.
        textured: In the quarter in which it varies most.
    """

    flat: float
    textured: float


def grid_ratio(
    hr_images: Iterable[NDArray[np.floating]], sr_images: Iterable[NDArray[np.floating]]
) -> GridRatio:
    """Compares the grids of a set of results with what the originals have at these periods.

    Args:
        hr_images: Y of the originals, see `grid_energy`.
        sr_images: Y of the results, of the same sizes.

    Raises:
        ValueError: An image is smaller than a window.
    """
    variances, energies = [], []
    for hr, sr in zip(hr_images, sr_images, strict=True):
        variances.append(_windows(hr).var(axis=(2, 3)).ravel())
        energies.append(np.stack([grid_energy(hr).ravel(), grid_energy(sr).ravel()]))
    order = np.argsort(np.concatenate(variances), kind="stable")
    energy = np.concatenate(energies, axis=1)[:, order]
    quarter = max(1, len(order) // 4)
    sums = [energy[:, :quarter].sum(axis=1), energy[:, -quarter:].sum(axis=1)]
    return GridRatio(*(float(sr / hr) if hr else float("inf") for hr, sr in sums))


def _windows(luma: NDArray[np.floating]) -> NDArray[np.float64]:
    if min(luma.shape) < _SIDE:
        raise ValueError(f"a grid shows in {_SIDE}x{_SIDE} pixels or more, not in {luma.shape}")
    windows = np.lib.stride_tricks.sliding_window_view(luma.astype(np.float64), (_SIDE, _SIDE))
    return windows[::_STEP, ::_STEP]
