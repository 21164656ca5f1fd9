"""Attributes of a page of a TIFF file."""

from __future__ import annotations

import struct

import tifffile

from sr_images.attributes import exif
from sr_images.picture import Attributes

# Entries that describe the picture, rather than how the file stores it: description, make, model,
# software, date, artist, host, copyright, ratings, and Windows' title to subject.
DESCRIPTIVE = (
    *(0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298),
    *(0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
)
XMP, IPTC, ICC = 700, 33723, 34675
_DESCRIPTION = 0x010E
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
# What programs write about how the file stores its pixels.
_STRUCTURE = (b'{"shape"', b"ImageJ=", b"<?xml")


def attributes_of(page: tifffile.TiffPage, buffer: exif.Buffer) -> tuple[Attributes, int]:
    """What a page says, and its orientation, 1 to 8.

    Args:
        page: Of a file.
        buffer: The file.
    """
    tiff = page.parent
    order = tiff.byteorder
    try:
        parts = exif.parse_directory(buffer, order, page.offset, big=tiff.is_bigtiff)
    except (ValueError, struct.error):
        return Attributes(), 1
    found = {tag: parts.main.pop(tag, None) for tag in (ICC, XMP, IPTC)}
    icc, xmp, records = (entry.value if entry else None for entry in found.values())
    orientation = _number(parts.main.get(exif.ORIENTATION), order) or 1
    dpi = _dpi(parts.main, order)
    parts.main = {
        tag: entry
        for tag, entry in parts.main.items()
        if tag in DESCRIPTIVE and not (tag == _DESCRIPTION and entry.value.startswith(_STRUCTURE))
    }
    parts.maker_offset = 0
    block = exif.serialise(parts) if parts.main or parts.exif or parts.gps else None
    attributes = Attributes(icc=icc or None, exif=block, xmp=xmp or None, iptc=records, dpi=dpi)
    return attributes, orientation if 1 <= orientation <= 8 else 1


def _number(entry: exif.Entry | None, order: str) -> int:
    if entry is None or len(entry.value) < 2:
        return 0
    return struct.unpack(f"{order}H", entry.value[:2])[0]


def _dpi(entries: exif.Entries, order: str) -> tuple[float, float] | None:
    unit = _number(entries.get(_UNIT), order) if _UNIT in entries else 2
    numbers = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        value = entries[tag].value if tag in entries else b""
        if len(value) != 8:
            return None
        above, below = struct.unpack(f"{order}LL", value)
        numbers.append(above / below if below else 0.0)
    per_inch = {2: 1.0, 3: 2.54}.get(unit)
    across, down = numbers
    if per_inch is None or not (0 < across < 1e6 and 0 < down < 1e6):
        return None
    return across * per_inch, down * per_inch
