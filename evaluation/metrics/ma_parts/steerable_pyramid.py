"""Real steerable pyramid in the frequency domain: two scales of six orientations.

The spectrum is cut by radial masks, raised cosines one octave wide, into a high-pass residual,
two rings and a low-pass residual, and each ring by angular masks cos^5 into oriented bands. The
masks are tabulated and interpolated linearly; that is part of the metric's definition.

A real image's spectrum is known by one half-plane, and so are the bands: they are real too,
because the masks of a ring, odd times imaginary, keep the symmetry, and where an even length has a
single frequency without a partner, the masks of all bands are zero.

Reference: J. Portilla, E. Simoncelli, "A parametric texture model based on joint statistics of
complex wavelet coefficients", 2000.
"""

from math import factorial, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

NUM_ORIENTATIONS = 6

_ORDER = NUM_ORIENTATIONS - 1
_RADIAL_STEPS = 256  # an octave
_ANGULAR_STEPS = 1024  # half a turn

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


class SteerablePyramid(NamedTuple):
    """The bands of an image [H, W]; with H2 = ceil((H - 1/2)/2), H3 likewise from H2."""

    highpass: Floats
    """[H, W], the highest frequencies."""
    fine: list[Floats]
    """One [H, W] an orientation."""
    coarse: list[Floats]
    """One [H2, W2] an orientation."""
    lowpass: Floats
    """[H3, W3]."""


def steerable_pyramid(image: Floats) -> SteerablePyramid:
    """Decomposes an image, which is taken to repeat itself beyond its borders.

    Args:
        image: float64 [H, W], any range.

    Returns:
        float64 bands in the image's units, times 4 for each halving of the size.
    """
    radius, angle = _frequencies(*image.shape)
    spectrum = np.asarray(fft.rfft2(image), np.complex128)
    highpass = _image_of(spectrum, _high_mask(radius, 0), image.shape)
    spectrum *= _low_mask(radius, 0)
    shapes = [image.shape, _half(image.shape), _half(_half(image.shape))]
    rings = []
    for scale in (1, 2):
        # (-1j)**5: an odd mask gives a real band with an imaginary factor
        rings.append(spectrum * (-1j * _high_mask(radius, scale)))
        spectrum = _central(spectrum, shapes[scale - 1], shapes[scale])
        radius = _central(radius, shapes[scale - 1], shapes[scale])
        spectrum *= _low_mask(radius, scale)
    fine, coarse = [], []
    for orientation in range(NUM_ORIENTATIONS):
        mask = _angular_mask(angle, orientation)
        fine.append(_image_of(rings[0], mask, shapes[0]))
        mask = _central(mask, shapes[0], shapes[1])
        coarse.append(_image_of(rings[1], mask, shapes[1]))
    return SteerablePyramid(highpass, fine, coarse, _image_of(spectrum, 1.0, shapes[2]))


def _image_of(spectrum: Spectrum, mask: Floats | float, shape: tuple[int, ...]) -> Floats:
    return np.asarray(fft.irfft2(spectrum * mask, shape, overwrite_x=True), np.float64)


def _half(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple((length + 1) // 2 for length in shape)


def _frequencies(height: int, width: int) -> tuple[Floats, Floats]:
    """Octaves of the radius, 0 at half the sampling rate, and angle: [H, W//2 + 1], FFT order."""
    y = fft.fftfreq(height, 1 / 2)[:, np.newaxis]
    x = fft.rfftfreq(width, 1 / 2)[np.newaxis]
    radius = np.sqrt(x**2 + y**2)
    radius[0, 0] = x[0, 1]  # no logarithm of zero
    return np.log2(radius), np.arctan2(y, x)


def _central(spectrum: NDArray, shape: tuple[int, ...], smaller: tuple[int, ...]) -> NDArray:
    """The low frequencies of a half-plane: those of an image of another size."""
    rows = (smaller[0] + 1) // 2
    negative = shape[0] - (smaller[0] - rows)
    columns = smaller[1] // 2 + 1
    return np.concatenate([spectrum[:rows, :columns], spectrum[negative:, :columns]])


# Cosine from -1 - 1/256 to 1/256 octaves, 0 to 1 in between, the ends repeated.
_RISE: Floats = np.abs(np.cos(np.arange(-_RADIAL_STEPS - 1, 2) * (np.pi / 2 / _RADIAL_STEPS)))
_RISE[[0, -1]] = _RISE[[1, -2]]
_FALL: Floats = np.sqrt(1 - _RISE**2)


def _high_mask(radius: Floats, octaves: int) -> Floats:
    """0 up to one octave below the upper end, 1 from the upper end on, which is at -`octaves`."""
    return _interpolated(_RISE, (radius + (octaves + 1)) * _RADIAL_STEPS + 1)


def _low_mask(radius: Floats, octaves: int) -> Floats:
    """What lets pass what `_high_mask` stops: the squares of the two add up to 1."""
    return _interpolated(_FALL, (radius + (octaves + 1)) * _RADIAL_STEPS + 1)


# From -2π - π/1024 to π + π/1024, in steps of π/1024. The gain makes the squares of the
# orientations add up to 1.
_STEPS_OF_A_TURN = np.arange(-2 * _ANGULAR_STEPS - 1, _ANGULAR_STEPS + 2, dtype=np.float64)
_TURN: Floats = _STEPS_OF_A_TURN * (np.pi / _ANGULAR_STEPS)
_GAIN = 2**_ORDER * factorial(_ORDER) / sqrt(NUM_ORIENTATIONS * factorial(2 * _ORDER))
_LOBES: Floats = _GAIN * np.cos(_TURN) ** _ORDER


def _angular_mask(angle: Floats, orientation: int) -> Floats:
    """The lobe of an orientation, at angles of a half-plane.

    The reference measures an angle in steps as wide as the table's first one, whose rounding is
    worth 1e-10 of a band, and a band is the mean of both half-planes. Hence the position in the
    table is that of the angle midway between a frequency and its opposite, which for 0 is π.
    """
    halves = np.where(angle > 0, 0.5, -0.5)
    origin = _TURN[0] + np.pi * orientation / NUM_ORIENTATIONS
    midway = (angle - np.pi * halves - origin) / (_TURN[1] - _TURN[0])
    return _interpolated(_LOBES, midway + _ANGULAR_STEPS * halves)


def _interpolated(table: Floats, position: Floats) -> Floats:
    """Values between a table's entries, linearly; beyond its ends, those of the ends."""
    return np.interp(position, np.arange(len(table)), table)
