"""Colours that an AVIF or HEIC file states by code points instead of a profile, in a box `nclx`.

They become what a PNG has for the same, its chunk cICP (ITU-T H.273), and a profile where there is
one of such colours.
"""

from __future__ import annotations

import dataclasses
import struct

from sr_images.attributes.colour_chunks import profile_of
from sr_images.picture import Attributes

# The box stands in the file's head, among the properties of its pictures.
HEAD_BYTES = 1 << 16
_BOX = b"colrnclx"

# Code points that say nothing, or nearly what sRGB is.
_PRIMARIES_OF_SRGB = (0, 1, 2)
_TRANSFERS_LIKE_SRGB = (0, 1, 2, 6, 13, 14, 15)


def with_colours(attributes: Attributes, head: bytes, *, is_gray: bool = False) -> Attributes:
    """Attributes with the colours that the file's head states, if they are not sRGB.

    Args:
        attributes: What else the file says; a profile comes before code points.
        head: The file's first bytes.
        is_gray: The pixels are gray.
    """
    place = head.find(_BOX)
    stated = head[place + len(_BOX) : place + len(_BOX) + 4]
    if attributes.icc is not None or place < 0 or len(stated) < 4:
        return attributes
    primaries, transfer = struct.unpack(">HH", stated)
    if primaries in _PRIMARIES_OF_SRGB and transfer in _TRANSFERS_LIKE_SRGB:
        return attributes
    if max(primaries, transfer) > 255:
        return attributes
    # RGB, of the full range: so it is decoded.
    chunks = {"cICP": bytes([primaries, transfer, 0, 1])}
    icc = profile_of(chunks, is_gray=is_gray)
    return dataclasses.replace(attributes, icc=icc, colour_chunks=chunks)
