"""GIF files, frame by frame, each with 256 colours of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from sr_images.encoders.with_pillow import duration_of, image_of
from sr_images.picture import Attributes, Picture

_COLOURS = 255  # and one that is transparent
_TRANSPARENT = 255
_HALF = 128
_TO_BACKGROUND = 2  # the frame is removed before the next
_MOST_LOOP = 65_535


def encode(file: IO[bytes], frames: Iterator[Picture], count: int, loop: int | None) -> None:
    """Writes a picture or an animation. A pixel is opaque or transparent, from half on.

    Args:
        file: Open for writing.
        frames: uint8, all of one size.
        count: Of the frames.
        loop: How often it is shown, 0 for ever; None is once.
    """
    for number, frame in enumerate(frames):
        if number == 0:
            height, width = frame.size
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0))
            if count > 1 and loop is not None:
                repeats = struct.pack("<H", min(loop, _MOST_LOOP))
                file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + repeats + b"\0")
            file.write(_comment(frame.attributes))
        duration = duration_of(frame.attributes) if count > 1 else 0
        _write_frame(file, frame, duration, removed=count > 1 and frame.alpha is not None)
    file.write(b";")


def _write_frame(file: IO[bytes], frame: Picture, duration: int, removed: bool) -> None:
    image = image_of(Picture(frame.pixels))
    few = image if image.mode == "L" and frame.alpha is None else _with_few_colours(image)
    options: dict[str, Any] = {"include_color_table": True}
    if duration:
        options["duration"] = duration
    if frame.alpha is not None:
        few = few.copy()
        indices: NDArray[Any] = np.array(few)
        indices[frame.alpha < _HALF] = _TRANSPARENT
        palette = few.getpalette()
        few = Image.fromarray(indices, "P")
        few.putpalette((palette or [])[: 3 * _COLOURS] + [0] * 3)
        options |= {"transparency": _TRANSPARENT}
    if removed:
        options["disposal"] = _TO_BACKGROUND
    for piece in GifImagePlugin.getdata(few, **options):
        file.write(piece)


def _with_few_colours(image: Image.Image) -> Image.Image:
    return image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.FLOYDSTEINBERG)


def _comment(attributes: Attributes) -> bytes:
    content = attributes.texts.get("Comment", "").encode()
    if not content:
        return b""
    blocks = (content[at : at + 255] for at in range(0, len(content), 255))
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
