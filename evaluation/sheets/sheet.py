"""One sheet: the same crop of several versions of an image, side by side, with their scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sr_images.luma import rgb_to_y
from sr_program.errors import DataError

_MARGIN = 8
_LINE = 18
_FONT_SIZE = 14
_FRAME = (220, 40, 30)
# More pixels than anybody looks at, and 0.8 GB of them.
_MOST_PIXELS = 2**28


class Crop(NamedTuple):
    """A rectangle of an image, pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclasses.dataclass(frozen=True)
class Panel:
    """One version of the image.

    Attributes:
        label: Its name.
        image: uint8 [H, W, 3].
        caption: Lines below the name, such as scores.
    """

    label: str
    image: NDArray[np.uint8]
    caption: tuple[str, ...] = ()


def where_they_differ(
    first: NDArray[np.uint8], second: NDArray[np.uint8], width: int, height: int
) -> Crop:
    """The rectangle of a size in which two images differ most, in squared luma.

    Args:
        first: uint8 [H, W, 3].
        second: The same shape.
        width: Of the rectangle; at most that of the images.
        height: Likewise.
    """
    rows, columns = first.shape[:2]
    width, height = min(width, columns), min(height, rows)
    difference = rgb_to_y(first).astype(np.float64) - rgb_to_y(second)
    sums = cv2.integral(difference**2)
    windows = (sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]) + sums[
        :-height, :-width
    ]
    y, x = np.unravel_index(int(np.argmax(windows)), windows.shape)
    return Crop(int(x), int(y), width, height)


def draw_sheet(
    whole: NDArray[np.uint8], panels: Sequence[Panel], crop: Crop, *, title: str, zoom: int
) -> NDArray[np.uint8]:
    """Draws the whole image with the crop framed, and beside it the crop of every panel.

    Args:
        whole: The image at the left, uint8 [H, W, 3].
        panels: From left to right.
        crop: Inside of every panel's image.
        title: Below the whole image.
        zoom: Each pixel of a crop becomes a square of so many pixels.

    Returns:
        uint8 [H', W', 3].

    Raises:
        DataError: It would be too large.
    """
    font = ImageFont.load_default(_FONT_SIZE)
    crop_size = crop.width * zoom, crop.height * zoom
    whole_width = max(1, round(whole.shape[1] * crop_size[1] / whole.shape[0]))
    lines = 1 + max(len(panel.caption) for panel in panels)
    widths = [whole_width, *(_panel_width(panel, crop_size[0], font) for panel in panels)]
    size = (
        sum(widths) + _MARGIN * (len(widths) + 1),
        crop_size[1] + lines * _LINE + 2 * _MARGIN,
    )
    if size[0] * size[1] > _MOST_PIXELS:
        raise DataError(
            f"{title}: the sheet would have {size[0]}x{size[1]} pixels; choose a smaller zoom "
            "or crop"
        )
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    sheet.paste(_framed(whole, crop, (whole_width, crop_size[1])), (_MARGIN, _MARGIN))
    below = _MARGIN + crop_size[1] + 2
    draw.text((_MARGIN, below), title, "black", font)
    x = 2 * _MARGIN + whole_width
    for panel, width in zip(panels, widths[1:], strict=True):
        inside = panel.image[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
        # Whole squares, so that nothing is interpolated once more.
        enlarged = np.kron(inside, np.ones((zoom, zoom, 1), np.uint8))
        sheet.paste(Image.fromarray(enlarged), (x, _MARGIN))
        for number, line in enumerate((panel.label, *panel.caption)):
            draw.text((x, below + number * _LINE), line, "black", font)
        x += width + _MARGIN
    return np.array(sheet)


def _panel_width(panel: Panel, crop_width: int, font: Any) -> int:
    texts = (font.getlength(line) for line in (panel.label, *panel.caption))
    return max(crop_width, round(max(texts)) + 1)


def _framed(whole: NDArray[np.uint8], crop: Crop, size: tuple[int, int]) -> Image.Image:
    """The whole image at another size, with the crop framed."""
    image = Image.fromarray(whole).resize(size, Image.Resampling.LANCZOS)
    across, down = size[0] / whole.shape[1], size[1] / whole.shape[0]
    left, top = round(crop.x * across), round(crop.y * down)
    # Where the whole image is shown smaller than it is, a small crop keeps a pixel.
    right = max(left, round((crop.x + crop.width) * across) - 1)
    bottom = max(top, round((crop.y + crop.height) * down) - 1)
    draw = ImageDraw.Draw(image)
    # Drawn after the resize, so that the lines stay sharp; white outside, for dark and red images.
    draw.rectangle([left - 1, top - 1, right + 1, bottom + 1], outline="white", width=1)
    draw.rectangle([left, top, right, bottom], outline=_FRAME, width=2)
    return image
