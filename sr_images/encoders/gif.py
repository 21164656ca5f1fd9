"""GIF files, frame by frame, each with 256 colours of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from sr_images.encoders.with_pillow import duration_of, image_of
from sr_images.picture import Attributes, Picture

_COLOURS = 255  # and one that is transparent
_TRANSPARENT = 255
_WHITE = 255
_HALF = 128
_STAYS, _TO_BACKGROUND = 1, 2  # what becomes of a frame before the next is shown
_MOST_LOOP = 65_535
_MOST_DURATION = 655_350  # milliseconds; hundredths of a second have 16 bits


class _Frame(NamedTuple):
    """A frame that waits until it is known what becomes of it; a byte a pixel."""

    image: Image.Image
    is_transparent: bool
    duration: int


def encode(file: IO[bytes], frames: Iterator[Picture], count: int, loop: int | None) -> None:
    """Writes a picture or an animation. A pixel is opaque or transparent, from half on.

    A frame is removed if the next one, or the first one after the last, has transparent pixels:
    it would be seen through them. So it waits for the next.

    Args:
        file: Open for writing.
        frames: uint8, all of one size.
        count: Of the frames.
        loop: How often it is shown, 0 for ever; None is once.
    """
    first = next(frames)
    _write_head(file, first, count, loop)
    waiting = _frame_of(first)
    first_is_transparent = waiting.is_transparent
    del first
    for number, picture in enumerate(frames):
        following = _frame_of(picture)
        _write_frame(file, waiting, number, count, following.is_transparent)
        waiting = following
    _write_frame(file, waiting, count - 1, count, first_is_transparent)
    file.write(b";")


def _write_head(file: IO[bytes], first: Picture, count: int, loop: int | None) -> None:
    height, width = first.size
    file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0))
    if count > 1 and loop is not None:
        repeats = struct.pack("<H", min(loop, _MOST_LOOP))
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + repeats + b"\0")
    file.write(_comment(first.attributes))


def _frame_of(picture: Picture) -> _Frame:
    image, alpha = image_of(Picture(picture.pixels)), picture.alpha
    duration = min(duration_of(picture.attributes), _MOST_DURATION)
    if alpha is None or alpha.min() >= _HALF:
        return _Frame(image if picture.is_gray else _with_few_colours(image), False, duration)
    few = _with_few_colours(image)
    indices: NDArray[Any] = np.array(few)
    indices[alpha < _HALF] = _TRANSPARENT
    holed = Image.fromarray(indices, "P")
    holed.putpalette(few.getpalette() or [])
    return _Frame(holed, True, duration)


def _write_frame(file: IO[bytes], frame: _Frame, number: int, count: int, removed: bool) -> None:
    image = frame.image
    options: dict[str, Any] = {"include_color_table": True}
    if count > 1:
        options |= {"duration": frame.duration, "disposal": _TO_BACKGROUND if removed else _STAYS}
    # Pillow's reader leaves nothing behind only if this frame and the first name such a colour.
    if frame.is_transparent or (count > 1 and (removed or number == 0)):
        options["transparency"] = _TRANSPARENT
        image = _with_few_colours(image) if image.mode == "L" else image
    for piece in GifImagePlugin.getdata(image, **options):
        file.write(piece)


def _with_few_colours(image: Image.Image) -> Image.Image:
    """An image of 255 colours, with a palette that has one more, for what is transparent."""
    if image.mode == "L":  # all levels but 254, which becomes white
        few = Image.fromarray(np.minimum(np.array(image), _COLOURS - 1), "P")
        palette = [level for level in (*range(_COLOURS - 1), _WHITE) for _ in range(3)]
    else:
        few = image.quantize(_COLOURS, dither=Image.Dither.FLOYDSTEINBERG)
        palette = few.getpalette() or []
    few.putpalette(palette + [0] * (3 * (_COLOURS + 1) - len(palette)))
    return few


def _comment(attributes: Attributes) -> bytes:
    content = attributes.texts.get("Comment", "").encode()
    if not content:
        return b""
    blocks = (content[at : at + 255] for at in range(0, len(content), 255))
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
