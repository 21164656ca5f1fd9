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
        rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')|<(%s)(?=[\s/>])[^>]*/>|<(%s)(?=[\s>])[^>]*>.*?</\2\s*>"""
        % (name, name, name),
        re.DOTALL,
    )


# Programs have names of their own for the place: drone-dji:GpsLatitude, exif:GPSAltitude.
_NAME = rb"[\w.-]{0,64}"
_PLACE = _property(
    rb"(?!xmlns:)(?i:"
    rb"%(n)s:%(n)s(?:gps|latitude|longitude)%(n)s|%(n)sgps%(n)s:%(n)s"
    rb"|photoshop:(?:City|State|Country)"
    rb"|Iptc4xmpCore:(?:Location|CountryCode)"
    rb"|Iptc4xmpExt:Location(?:Created|Shown))" % {b"n": _NAME}
)
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
    return _PLACE.sub(b"", packet)
