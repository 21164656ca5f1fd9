"""Netpbm and SGI pictures of up to 16 bits a channel, of which Pillow keeps the upper 8.

Pillow has read the head, and reads gray Netpbm in its depth.

Reference:
    Netpbm's manual, ppm; P. Haeberli, "The SGI Image File Format", version 1.00.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from sr_images.decoders.samples import Decoded, Samples, scaled
from sr_images.decoders.source import Source

_PLAIN = b"P3"  # Netpbm as text
_SGI_HEAD = 512
_SGI_DEPTH, _SGI_PACKING = 3, 2  # where these are in the head
_COUNT, _LITERAL = 0x7F, 0x80  # of the word before a run


def is_wide(image: Image.Image, source: Source) -> bool:
    """Whether a file has more than 8 bits a channel, and Pillow would drop some.

    Args:
        image: As Pillow has opened it, not loaded.
        source: Its file.
    """
    if source.format == "SGI":
        return source.head[_SGI_DEPTH] == 2
    return source.format == "PPM" and image.mode == "RGB" and _netpbm_white(image) > 255


def decode(image: Image.Image, source: Source) -> Decoded:
    """The pixels of such a file.

    Raises:
        ValueError: The file is damaged.
    """
    shape = (image.height, image.width, len(image.getbands()))
    if source.format == "SGI":
        return Decoded(_sgi(source.content(), shape))
    white = _netpbm_white(image)
    assert isinstance(image, ImageFile)
    body = source.content()[image.tile[0].offset :]
    text = source.head.startswith(_PLAIN)
    numbers = _of_text(body, shape, white) if text else _of_words(body, shape)
    return Decoded(scaled(numbers, white))


def _netpbm_white(image: Image.Image) -> int:
    """The highest level, which Pillow hands to its decoder; the usual one if it does not."""
    assert isinstance(image, ImageFile)
    args = image.tile[0].args
    white = args[-1] if isinstance(args, tuple) else 255
    return white if isinstance(white, int) else 255


def _of_words(body: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    count = int(np.prod(shape))
    if len(body) < 2 * count:
        raise ValueError("the file is truncated")
    return np.frombuffer(body, ">u2", count).reshape(shape).astype(np.uint16)


def _of_text(body: bytes, shape: tuple[int, ...], white: int) -> NDArray[np.uint16]:
    count = int(np.prod(shape))
    words = re.sub(rb"#[^\r\n]*", b"", body).split()[:count]
    if len(words) < count:
        raise ValueError("the file is truncated")
    numbers = np.array([int(word) for word in words])
    if numbers.min() < 0 or numbers.max() > white:
        raise ValueError(f"a level is not in 0..{white}")
    return numbers.reshape(shape).astype(np.uint16)


def _sgi(content: bytes, shape: tuple[int, int, int]) -> Samples:
    """Planes, which start with the lowest row."""
    height, width, channels = shape
    if not content[_SGI_PACKING]:
        planes = _of_words(content[_SGI_HEAD:], (channels, height, width))
    else:
        rows = channels * height
        starts = np.frombuffer(content, ">u4", rows, _SGI_HEAD).tolist()
        planes = np.stack([_unpacked(content, start, width) for start in starts])
        planes = planes.reshape(channels, height, width)
    return np.moveaxis(planes[:, ::-1], 0, 2)


def _unpacked(content: bytes, start: int, width: int) -> NDArray[np.uint16]:
    """A row: words that tell how many follow as they are, or how often the next one comes."""
    words = np.frombuffer(content, ">u2", min(2 * width + 2, (len(content) - start) // 2), start)
    row, done, at = np.zeros(width, np.uint16), 0, 0
    while done < width:
        told = int(words[at])
        count, is_literal = told & _COUNT, bool(told & _LITERAL)
        if not count or done + count > width:
            raise ValueError("a row of another length")
        following = words[at + 1 : at + 1 + (count if is_literal else 1)]
        if len(following) < (count if is_literal else 1):
            raise ValueError("the file is truncated")
        row[done : done + count] = following
        done, at = done + count, at + 1 + len(following)
    return row
