"""Crops whose LR is degraded as `photo_degradation` draws it; HR stays as it is."""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_data.degradations.blur import gaussian_blur, stretched_blur
from sr_data.degradations.jpeg import through_jpeg
from sr_data.degradations.photo_degradation import (
    Blur,
    DrawnDegradation,
    Noise,
    PhotoDegradation,
    Resize,
    draw_degradation,
)
from sr_data.degradations.reduction import reduce_image
from sr_data.degradations.sensor_noise import mosaic_noise, pixel_noise
from sr_images.rounding import grey_levels

# Context that is degraded around a crop and then cut off, LR pixels: more than blur, reduction and
# resize reach, and than a block of JPEG sticks out.
MARGIN = 8

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Crops(Protocol):
    """What `DecodedPhotos` and `PreparedSource` have in common; lengths are in LR pixels."""

    def fields(self, side: int) -> NDArray[np.int64]:
        """Where crops of a size may begin."""
        ...

    def size(self, image: int, /) -> tuple[int, int]:
        """Rows and columns of an image."""
        ...

    def cut(self, image: int, row: int, column: int, side: int, /) -> Pair:
        """One crop."""
        ...

    def learned(self, image: int, row: int, column: int, side: int, /) -> NDArray[np.uint8]:
        """What a generator learns in a crop: HR, or its mixture with a teacher's image."""
        ...


def cut_degraded(
    crops: Crops,
    place: tuple[int, int, int, int],
    settings: PhotoDegradation,
    rng: np.random.Generator,
) -> Pair:
    """Cuts a crop of which LR is degraded.

    A window around the crop is degraded, so that the crop's own edges are nothing special. At the
    edge of the image the window is shifted; in an image that is smaller it is smaller.

    Args:
        crops: where to cut.
        place: number of the image, first row, first column and side, LR pixels.
        settings: what is drawn.
        rng: of this crop alone.

    Returns:
        (hr, lr), uint8, as `crops.cut` gives them; both the same as there if a clean crop is drawn.
    """
    image, row, column, side = place
    drawn = draw_degradation(settings, rng)
    if drawn is None:
        return crops.cut(*place)
    rows, columns = crops.size(image)
    window = min(side + 2 * MARGIN, rows, columns)
    top, left = (
        min(max(start - (window - side) // 2, 0), length - window)
        for start, length in ((row, rows), (column, columns))
    )
    hr, lr = crops.cut(image, top, left, window)
    degraded = degrade(hr, lr, drawn, rng)
    row, column, scale = row - top, column - left, len(hr) // len(lr)
    return (
        hr[scale * row :, scale * column :][: scale * side, : scale * side],
        degraded[row : row + side, column : column + side],
    )


def degrade(
    hr: NDArray[np.uint8],
    lr: NDArray[np.uint8],
    drawn: DrawnDegradation,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Makes an LR image with a given degradation; nothing is moved by it.

    It is computed in floating point up to the noise, then clipped and rounded as a camera does, and
    encoded. What needs no computing before the encoding stays integer-exact.

    Args:
        hr: uint8 [scale * h, scale * w, 3], RGB.
        lr: uint8 [h, w, 3], its exact bicubic reduction.
        drawn: what happens.
        rng: draws the values of the noise.

    Returns:
        uint8 [h, w, 3], RGB.
    """
    scale = len(hr) // len(lr)
    if drawn.blur is None and drawn.kernel == "bicubic":
        image = lr.astype(np.float32)
    else:
        sharp = hr if drawn.blur is None else _blurred(hr, drawn.blur, scale)
        image = reduce_image(sharp, drawn.kernel, scale)
    if drawn.resize is not None:
        image = to_and_fro(image, drawn.resize)
    if drawn.noise is not None:
        image = image + _noise(image, drawn.noise, rng)
    degraded = grey_levels(image, np).astype(np.uint8)
    for jpeg in drawn.jpegs:
        degraded = through_jpeg(
            degraded, jpeg.quality, half_colour=jpeg.half_colour, corner=jpeg.corner
        )
    return degraded


def to_and_fro(image: NDArray[np.float32], resize: Resize) -> NDArray[np.float32]:
    """Resizes an image and brings it back to its size; the middles of both stay one.

    Args:
        image: float32 [H, W, 3].
        resize: the factor, and how.

    Returns:
        float32 [H, W, 3]; cubic interpolation overshoots.
    """
    height, width = image.shape[:2]
    other = tuple(max(1, round(side * resize.factor)) for side in (width, height))
    plainer = cv2.INTER_AREA if resize.factor < 1 else cv2.INTER_LINEAR
    there = cv2.resize(image, other, interpolation=cv2.INTER_CUBIC if resize.cubic else plainer)
    plainer = cv2.INTER_LINEAR if resize.factor < 1 else cv2.INTER_AREA
    way_back = cv2.INTER_CUBIC if resize.cubic_back else plainer
    return np.asarray(cv2.resize(there, (width, height), interpolation=way_back), np.float32)


def _blurred(image: NDArray[np.uint8], blur: Blur, scale: int) -> NDArray[np.float32]:
    along, across = scale * blur.along, scale * blur.across
    if along == across:
        return gaussian_blur(image, along)
    return stretched_blur(image, along, across, blur.angle)


def _noise(
    image: NDArray[np.float32], noise: Noise, rng: np.random.Generator
) -> NDArray[np.float32]:
    if noise.corner is None:
        return pixel_noise(image, noise.shot, noise.read, rng)
    return mosaic_noise(
        image, noise.shot, noise.read, rng, corner=noise.corner, smoothing=noise.smoothing
    )
