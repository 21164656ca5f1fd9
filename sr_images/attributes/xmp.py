"""XMP packets: corrected as text, so that all else in them stays byte for byte."""

from __future__ import annotations

import re

# Properties are written as attributes or as elements.
_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)([1-8])(?=\s*["'<])""")
_SIZES = {
    name: re.compile(rb"""(%s\s*(?:=\s*["']|>)\s*)\d+(?=\s*["'<])""" % name.encode())
    for name in (
        "exif:PixelXDimension",
        "exif:PixelYDimension",
        "tiff:ImageWidth",
        "tiff:ImageLength",
    )
}
_ACROSS = ("exif:PixelXDimension", "tiff:ImageWidth")


def _property(name: bytes) -> re.Pattern[bytes]:
    """An attribute, an element without content, or an element with all that is inside."""
    return re.compile(
        rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')|<(%s)\b[^>]*/>|<(%s)\b[^>]*>.*?</\2\s*>"""
        % (name, name, name),
        re.DOTALL,
    )


_GPS = _property(rb"exif:GPS\w*")
_THUMBNAILS = _property(rb"(?:xmp|xap):Thumbnails")


def orientation_of(packet: bytes) -> int:
    """The orientation that a packet tells, 1 to 8; 1 if it tells none."""
    found = _ORIENTATION.search(packet)
    return int(found[2]) if found else 1


def upright(packet: bytes) -> bytes:
    """The packet with orientation 1 and without thumbnails."""
    return _THUMBNAILS.sub(b"", _ORIENTATION.sub(rb"\g<1>1", packet))


def resized(packet: bytes, height: int, width: int) -> bytes:
    """The packet with the size that its picture has, where it tells one."""
    for name, pattern in _SIZES.items():
        size = b"%d" % (width if name in _ACROSS else height)
        packet = pattern.sub(rb"\g<1>" + size, packet)
    return packet


def without_place(packet: bytes) -> bytes:
    """The packet without where the photo was taken."""
    return _GPS.sub(b"", packet)
