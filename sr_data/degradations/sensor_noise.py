"""Noise of a camera's sensor: its variance grows with the light, its grain is the demosaicing's.

Reference: A. Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
raw-data", IEEE Transactions on Image Processing 17(10), 2008; the Poisson part is taken as a normal
variable with its variance, as there in Section II.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

# Bilinear demosaicing: of green, which has every other pixel, and of red or blue, one in four.
_GREEN = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
_RED_OR_BLUE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4


def noise_deviation(image: NDArray[np.floating], shot: float, read: float) -> NDArray[np.floating]:
    """Standard deviation of the noise at each pixel: √(shot · x + read²), of the same shape.

    Args:
        image: x, grey levels; below 0 as 0.
        shot: the variance that a grey level adds, grey levels.
        read: standard deviation in the dark, grey levels.
    """
    return np.sqrt(shot * np.maximum(image, 0) + read**2)


def pixel_noise(
    image: NDArray[np.float32], shot: float, read: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Noise of which every value is independent of all others, with `noise_deviation`.

    Args:
        image: float32 [H, W, 3], grey levels.
        shot: as for `noise_deviation`.
        read: as for `noise_deviation`.
        rng: draws H * W * 3 normal values.

    Returns:
        float32 [H, W, 3], to be added to the image.
    """
    drawn = rng.standard_normal(image.shape, np.float32)
    return drawn * noise_deviation(image, shot, read).astype(np.float32)


def mosaic_noise(
    image: NDArray[np.float32],
    shot: float,
    read: float,
    rng: np.random.Generator,
    *,
    corner: tuple[int, int] = (0, 0),
    smoothing: float = 0.0,
) -> NDArray[np.float32]:
    """Noise as bilinear demosaicing of a Bayer pattern leaves it: spots, and coloured ones.

    A pixel of the sensor sees one colour, with `noise_deviation` of it; the other two come from
    its neighbours. So the noise of a colour is correlated between neighbours, red and blue over
    wider spots than green. Its variance is, on average over the four places of the pattern, 5/8
    of the sensor's for green and 9/16 for red and blue. Interpolation is linear, so the noise is
    interpolated alone, and the image stays as sharp as it is.

    Args:
        image: float32 [H, W, 3], RGB, grey levels.
        shot: as for `noise_deviation`.
        read: as for `noise_deviation`.
        rng: draws H * W normal values.
        corner: row and column, 0 or 1, of the first red pixel; blue is diagonal to it.
        smoothing: standard deviation of a Gaussian over the noise, pixels; what is left where the
            camera removes noise.

    Returns:
        float32 [H, W, 3], to be added to the image.
    """
    height, width = image.shape[:2]
    drawn = rng.standard_normal((height, width), np.float32)
    noise = np.zeros_like(image)
    for channel, parity in ((0, (0, 0)), (1, (0, 1)), (1, (1, 0)), (2, (1, 1))):
        row, column = ((start + shift) % 2 for start, shift in zip(corner, parity, strict=True))
        site = np.s_[row::2, column::2]
        noise[..., channel][site] = drawn[site] * noise_deviation(
            image[..., channel][site], shot, read
        )
    kernels = (_RED_OR_BLUE, _GREEN, _RED_OR_BLUE)
    # A reflection about the edge pixel keeps the pattern's period of two.
    channels = [
        cv2.filter2D(noise[..., channel], -1, kernel, borderType=cv2.BORDER_REFLECT_101)
        for channel, kernel in enumerate(kernels)
    ]
    interpolated = cv2.merge(channels)
    if smoothing:
        interpolated = cv2.GaussianBlur(interpolated, (0, 0), smoothing)
    return np.asarray(interpolated, np.float32)
