"""A sheet of many crops: a row a place, a column a version, for eyes that compare methods."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from evaluation.sheets.sheet import Crop
from sr_images.luma import rgb_to_y

_MARGIN = 8
_LINE = 18
_FONT_SIZE = 14


def most_detailed(image: NDArray[np.uint8], side: int) -> tuple[Crop, float]:
    """The square of an image with the most gradient energy.

    Args:
        image: uint8 [H, W, 3].
        side: Of the square, pixels; at most that of the image.

    Returns:
        The square, and the mean of its squared differences of neighbours, squared grey levels.
    """
    luma = rgb_to_y(image).astype(np.float64)
    energy = np.zeros_like(luma)
    energy[:, 1:] += np.diff(luma, axis=1) ** 2
    energy[1:] += np.diff(luma, axis=0) ** 2
    height, width = (min(side, length) for length in luma.shape)
    sums = cv2.integral(energy)
    below, above = sums[height:], sums[:-height]
    windows = below[:, width:] - below[:, :-width] - above[:, width:] + above[:, :-width]
    y, x = np.unravel_index(int(np.argmax(windows)), windows.shape)
    return Crop(int(x), int(y), width, height), float(windows[y, x] / (height * width))


def draw_rows(
    rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], labels: Sequence[str], zoom: int
) -> NDArray[np.uint8]:
    """Draws crops side by side, enlarged by whole squares, with names above and below.

    Args:
        rows: For each the name below it, and its crops, uint8 [h, w, 3], as many as labels.
        labels: Above the columns.
        zoom: Each pixel becomes a square of so many pixels.

    Returns:
        uint8 [H, W, 3].
    """
    font = ImageFont.load_default(_FONT_SIZE)
    widest = max(crop.shape[1] for _, crops in rows for crop in crops) * zoom
    column = max(widest, *(round(font.getlength(label)) + 1 for label in labels)) + _MARGIN
    heights = [crops[0].shape[0] * zoom + _LINE + _MARGIN for _, crops in rows]
    size = (column * len(labels) + _MARGIN, sum(heights) + _LINE + 2 * _MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, label in enumerate(labels):
        draw.text((_MARGIN + number * column, _MARGIN), label, "black", font)
    top = 2 * _MARGIN + _LINE
    for (name, crops), height in zip(rows, heights, strict=True):
        for number, crop in enumerate(crops):
            enlarged = np.kron(crop, np.ones((zoom, zoom, 1), np.uint8))
            sheet.paste(Image.fromarray(enlarged), (_MARGIN + number * column, top))
        draw.text((_MARGIN, top + crops[0].shape[0] * zoom), name, "black", font)
        top += height
    return np.array(sheet)
