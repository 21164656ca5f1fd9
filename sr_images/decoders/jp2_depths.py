"""JPEG 2000 of fewer than 8 bits a channel: Pillow shifts the levels, and white becomes gray."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sr_images.decoders.samples import scaled
from sr_images.decoders.source import Source
from sr_program.errors import DataError

HEAD = 2**20  # bytes in which the channels of a file are told
_SIZE = b"\xff\x4f\xff\x51"  # how the codestream starts: with the size and the channels
_YCC = 18  # a colour space


def depths_of(source: Source) -> list[int]:
    """Bits of each channel of a JPEG 2000 file; none if it does not say."""
    head = source.beginning(HEAD)
    at = head.find(_SIZE)
    if at < 0:
        return []
    count = int.from_bytes(head[at + 40 : at + 42], "big")
    return [(depth & 0x7F) + 1 for depth in head[at + 42 : at + 42 + 3 * count : 3]]


def in_full_range(image: Image.Image, source: Source) -> Image.Image:
    """A picture with its levels stretched so that white stays white.

    Args:
        image: Loaded from the file.
        source: A JPEG 2000 file.

    Raises:
        DataError: The levels cannot be told from what Pillow makes of them.
    """
    depths, bands = depths_of(source), image.getbands()
    if min(depths, default=8) >= 8:
        return image
    if len(depths) != len(bands) or max(depths) > 8 or _is_ycc(source):
        raise DataError(
            f"{source.name}: is a JPEG 2000 of {', '.join(map(str, depths))} bits, in channels or "
            "colours that are not supported; convert it to RGB in 8 or 16 bits"
        )
    table: list[int] = []
    for band, bits in zip(bands, depths, strict=True):
        levels = np.arange(256) >> (8 - bits)
        # places in a palette are no levels
        table += (levels if band == "P" else scaled(levels, 2**bits - 1)).tolist()
    return image.point(table)


def _is_ycc(source: Source) -> bool:
    head = source.beginning(HEAD)
    at = head.find(b"colr")
    return at > 0 and head[at + 4] == 1 and head[at + 7 : at + 11] == _YCC.to_bytes(4, "big")
