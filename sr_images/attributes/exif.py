"""EXIF blocks, rewritten entry by entry: what is not known here stays byte for byte.

Pillow forgets the types of entries and moves maker notes, whose inner offsets then point nowhere.
"""

from __future__ import annotations

import dataclasses
import struct

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SHORT, _LONG, _ASCII, _UNDEFINED = 3, 4, 2, 7

ORIENTATION, SOFTWARE, X_RESOLUTION = 0x0112, 0x0131, 0x011A
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
PIXEL_X, PIXEL_Y, MAKER_NOTE = 0xA002, 0xA003, 0x927C
_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101


@dataclasses.dataclass
class Entry:
    """One value.

    Attributes:
        kind: The type's number in the TIFF standard.
        count: Of values of this type.
        value: Their bytes, in the block's byte order.
    """

    kind: int
    count: int
    value: bytes


Entries = dict[int, Entry]


@dataclasses.dataclass
class ExifBlock:
    """A block, taken apart.

    Attributes:
        order: "<" or ">".
        main: Entries that describe the picture.
        exif: Those of the camera.
        gps: Those of the place.
        interop: Those of interoperability.
        maker_offset: Where the maker note begins in the block; 0 if there is none.
    """

    order: str = "<"
    main: Entries = dataclasses.field(default_factory=dict)
    exif: Entries = dataclasses.field(default_factory=dict)
    gps: Entries = dataclasses.field(default_factory=dict)
    interop: Entries = dataclasses.field(default_factory=dict)
    maker_offset: int = 0

    def number(self, value: int) -> Entry:
        """An entry of one whole number."""
        return Entry(_LONG, 1, struct.pack(f"{self.order}L", value))

    def short(self, value: int) -> Entry:
        """An entry of one whole number of 16 bits."""
        return Entry(_SHORT, 1, struct.pack(f"{self.order}H", value))


def text_entry(text: str) -> Entry:
    """An entry of text."""
    value = text.encode("utf-8") + b"\0"
    return Entry(_ASCII, len(value), value)


def upright(block: bytes) -> bytes | None:
    """The block with orientation 1 and without its thumbnail; None if it is damaged."""
    try:
        parts = parse(block)
    except (ValueError, struct.error):
        return None
    if ORIENTATION in parts.main:
        parts.main[ORIENTATION] = parts.short(1)
    return serialise(parts)


def orientation_of(block: bytes) -> int:
    """The orientation that a block tells, 1 to 8; 1 if it tells none."""
    try:
        parts = parse(block)
        entry = parts.main[ORIENTATION]
        (value,) = struct.unpack(f"{parts.order}H", entry.value[:2])
    except (KeyError, ValueError, struct.error):
        return 1
    return value if 1 <= value <= 8 else 1


def has(block: bytes, tag: int) -> bool:
    """Whether an entry that describes the picture is in a block; False of a damaged one."""
    try:
        return tag in parse(block).main
    except (ValueError, struct.error):
        return False


def resized(parts: ExifBlock, height: int, width: int) -> None:
    """Sets the size that a picture has, where the block tells one."""
    for entries, tag, size in (
        (parts.exif, PIXEL_X, width),
        (parts.exif, PIXEL_Y, height),
        (parts.main, _IMAGE_WIDTH, width),
        (parts.main, _IMAGE_LENGTH, height),
    ):
        if tag in entries:
            entries[tag] = parts.number(size)


def parse(block: bytes) -> ExifBlock:
    """Takes a block apart; the thumbnail is left out.

    Raises:
        ValueError: It is no EXIF block.
        struct.error: It is cut off.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        raise ValueError("not an EXIF block")
    (start,) = struct.unpack_from(f"{order}L", block, 4)
    parts = ExifBlock(order)
    parts.main, _ = _entries(block, order, start)
    parts.exif, offsets = _sub_entries(block, order, parts.main, EXIF_IFD)
    parts.gps, _ = _sub_entries(block, order, parts.main, GPS_IFD)
    parts.interop, _ = _sub_entries(block, order, parts.exif, INTEROP_IFD)
    parts.maker_offset = offsets.get(MAKER_NOTE, 0)
    return parts


def _sub_entries(
    block: bytes, order: str, parent: Entries, pointer: int
) -> tuple[Entries, dict[int, int]]:
    entry = parent.pop(pointer, None)
    if entry is None or len(entry.value) < 4:
        return {}, {}
    try:
        return _entries(block, order, struct.unpack_from(f"{order}L", entry.value)[0])
    except struct.error:
        return {}, {}


def _entries(block: bytes, order: str, start: int) -> tuple[Entries, dict[int, int]]:
    """The entries of one directory, and where their values lie; damaged entries are left out."""
    entries, offsets, total = {}, {}, 0
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if at + 12 > len(block):
            break
        tag, kind, number = struct.unpack_from(f"{order}HHL", block, at)
        size = _SIZES.get(kind, 0) * number
        (offset,) = (at + 8,) if size <= 4 else struct.unpack_from(f"{order}L", block, at + 8)
        if kind in _SIZES and offset + size <= len(block):
            total += size
            if total > 2 * len(block):  # entries that share their bytes, many times
                raise ValueError("damaged EXIF block")
            entries[tag] = Entry(kind, number, block[offset : offset + size])
            offsets[tag] = offset if size > 4 else 0
    return entries, offsets


def serialise(parts: ExifBlock) -> bytes:
    """Puts a block together; the maker note stays where it was."""
    maker = parts.exif.get(MAKER_NOTE)
    body = bytearray(8)
    places: dict[int, int] = {}
    if maker is not None and parts.maker_offset >= 8:
        body = bytearray(parts.maker_offset) + maker.value
        places = {MAKER_NOTE: parts.maker_offset}
    order, main, exif = parts.order, dict(parts.main), dict(parts.exif)
    if parts.interop:
        exif[INTEROP_IFD] = parts.number(_append(body, parts.interop, order, {}))
    if exif:
        main[EXIF_IFD] = parts.number(_append(body, exif, order, places))
    if parts.gps:
        main[GPS_IFD] = parts.number(_append(body, parts.gps, order, {}))
    start = _append(body, main, order, {})
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body[:8] = mark + struct.pack(f"{order}L", start)
    return bytes(body)


def _append(body: bytearray, entries: Entries, order: str, places: dict[int, int]) -> int:
    """Adds a directory with the values that do not fit into it; returns where it begins."""
    body += b"\0" * (len(body) % 2)
    start = len(body)
    directory = bytearray(struct.pack(f"{order}H", len(entries)))
    values = start + 2 + 12 * len(entries) + 4
    outside = bytearray()
    for tag in sorted(entries):
        entry = entries[tag]
        directory += struct.pack(f"{order}HHL", tag, entry.kind, entry.count)
        if len(entry.value) <= 4:
            directory += entry.value.ljust(4, b"\0")
        elif tag in places:
            directory += struct.pack(f"{order}L", places[tag])
        else:
            directory += struct.pack(f"{order}L", values + len(outside))
            outside += entry.value + b"\0" * (len(entry.value) % 2)
    body += directory + b"\0\0\0\0" + outside
    return start
