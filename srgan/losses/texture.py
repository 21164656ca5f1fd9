"""L_texture: how much fine structure there is, and not where.

L_pixel and L_vgg compare place by place, so that a texture whose place cannot be known from the LR
image costs less if it is left out. L_texture compares the energies of small windows in seven bands
of the luma at two scales, as logarithms, and asks for as much of each band as HR has there. It is
not in the paper; statistics of windows in place of positions are an idea of Sajjadi et al., arXiv
1612.07919, Section 4.2.3, who take those of VGG features.

A pixel shuffle could supply all energy by a grid of `period` pixels. So a window's energies and
means are also taken of each of its period² phases by themselves, and have to be even as HR's are.
L_grid asks for that alone, in larger windows, where a grid stands out of the texture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from sr_images.luma import LUMA_WEIGHTS

_LUMA = np.array(LUMA_WEIGHTS, np.float32).reshape(1, 1, 3, 1)

# Second differences across, down and mixed; first differences across, down and along both
# diagonals. Each sums to 0.
_BANDS = np.stack(
    [
        [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
        [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
        [[1, -1, 0], [-1, 1, 0], [0, 0, 0]],
        [[0, 0, 0], [-1, 1, 0], [0, 0, 0]],
        [[0, -1, 0], [0, 1, 0], [0, 0, 0]],
        [[-1, 0, 0], [0, 1, 0], [0, 0, 0]],
        [[0, -1, 0], [1, 0, 0], [0, 0, 0]],
    ],
    axis=-1,
)[:, :, np.newaxis].astype(np.float32)
BANDS = _BANDS / np.sqrt(np.square(_BANDS).sum((0, 1), keepdims=True))

# Pixels of each phase along a window's side, of L_texture and of L_grid.
_SAMPLES, _GRID_SAMPLES = 4, 8

# Rows and columns of a crop that the bands of the half-sized image may lack.
_MARGIN = 8

# The energy of 0.3 grey levels, about that of rounding: what is less is as good as nothing.
_FLOOR = (0.3 / 127.5) ** 2

# Weights beside that of the energies: of their balance between the bands, which the eye sees
# whatever the contrast; and of the phases' means, which a grid shows in.
_BALANCE, _GRID = 2.0, 3.0


def texture_loss(hr: Any, sr: Any, period: int) -> Any:
    """Distances of log energies, of their balance, and among phases; means over all windows.

    With r the logarithm of SR's over HR's energy of a window and band, and r̄ its mean over all
    bands of the window: ρ(r) + 2·ρ(r − r̄), where ρ(x) = 2·(√(1 + x²) − 1), which is x² for small x.
    To this the mean of both scales is added of |logarithm of the ratio of the phases' shares of the
    energy| + 3·ρ(difference of the phases' means in units of HR's amplitude).

    Args:
        hr: [B, H, W, 3] in [-1, 1]; sides known, at least 4·period + 8.
        sr: The same shape.
        period: A power of 2 from 2 on: the scale of the pixel shuffle.

    Returns:
        A float32 scalar.
    """
    pair = [_luma(hr), _luma(sr)]
    # As many as fit at half size too, where the bands take a margin twice as wide.
    windows = _windows(hr, _SAMPLES * period)
    ratios, evenness = [], []
    for phases in (period, period // 2):
        hr_energy, hr_mean = _statistics(pair[0], phases, windows, _SAMPLES)
        sr_energy, sr_mean = _statistics(pair[1], phases, windows, _SAMPLES)
        (hr_whole, hr_share), (sr_whole, sr_share) = map(_shares, (hr_energy, sr_energy))
        ratios.append(sr_whole - hr_whole)
        amplitude = ops.sqrt(hr_energy + _FLOOR)
        evenness.append(ops.mean(ops.abs(sr_share - hr_share)))
        evenness.append(_GRID * ops.mean(_rho((sr_mean - hr_mean) / amplitude)))
        pair = [_half(x) for x in pair]
    ratio = ops.concatenate(ratios, axis=-1)
    balance = ratio - ops.mean(ratio, axis=-1, keepdims=True)
    energies = ops.mean(_rho(ratio)) + _BALANCE * ops.mean(_rho(balance))
    return energies + sum(evenness) / 2


def grid_loss(hr: Any, sr: Any, period: int) -> Any:
    """How far the means of the phases are from HR's, in units of what chance makes of them.

    A phase's mean over n pixels of noise with HR's amplitude a deviates by a/√n, so with d the
    difference of the means the loss is the mean of ρ(d·√n/a) over all phases, bands, windows of
    8·period pixels, and both scales.

    Args:
        hr: [B, H, W, 3] in [-1, 1]; sides known, at least 8·period + 8.
        sr: The same shape.
        period: A power of 2 from 2 on: the scale of the pixel shuffle.

    Returns:
        A float32 scalar.
    """
    pair = [_luma(hr), _luma(sr)]
    windows = _windows(hr, _GRID_SAMPLES * period)
    distances = []
    for phases in (period, period // 2):
        energy, hr_mean = _statistics(pair[0], phases, windows, _GRID_SAMPLES)
        _, sr_mean = _statistics(pair[1], phases, windows, _GRID_SAMPLES)
        # √n is 8, the side of n pixels of one phase.
        chance = ops.sqrt(ops.mean(energy, axis=(2, 4), keepdims=True) + _FLOOR) / _GRID_SAMPLES
        distances.append(ops.mean(_rho((sr_mean - hr_mean) / chance)))
        pair = [_half(x) for x in pair]
    return sum(distances) / 2


def _luma(image: Any) -> Any:
    return ops.conv(ops.cast(image, "float32"), _LUMA, data_format="channels_last")


def _half(luma: Any) -> Any:
    return ops.average_pool(luma, 2, 2, data_format="channels_last")


def _windows(image: Any, side: int) -> tuple[int, int]:
    """How many windows fit down and across."""
    return (image.shape[1] - _MARGIN) // side, (image.shape[2] - _MARGIN) // side


def _rho(x: Any) -> Any:
    return 2.0 * (ops.sqrt(1.0 + ops.square(x)) - 1.0)


def _shares(energy: Any) -> tuple[Any, Any]:
    """Log energies of whole windows, [B, n, m, bands], and of the phases relative to them."""
    logarithm = ops.log(ops.mean(energy, axis=(2, 4), keepdims=True) + _FLOOR)
    return logarithm[:, :, 0, :, 0], ops.log(energy + _FLOOR) - logarithm


def _statistics(luma: Any, phases: int, windows: tuple[int, int], samples: int) -> tuple[Any, Any]:
    """Mean square and mean of each band, window and phase; [B, n, p, m, p, bands] each."""
    bands = ops.conv(luma, BANDS, padding="valid", data_format="channels_last")
    down, across = windows
    side = samples * phases
    bands = bands[:, : down * side, : across * side]
    count = bands.shape[-1]
    parts = ops.reshape(bands, (-1, down, samples, phases, across, samples, phases, count))
    return ops.mean(ops.square(parts), axis=(2, 5)), ops.mean(parts, axis=(2, 5))
