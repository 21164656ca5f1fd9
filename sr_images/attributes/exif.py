"""EXIF blocks, rewritten entry by entry: what is not known here stays byte for byte.

Pillow forgets the types of entries and moves maker notes, whose inner offsets then point nowhere.
"""

from __future__ import annotations

import dataclasses
import mmap
import struct
from collections.abc import Mapping

import numpy as np

Buffer = bytes | mmap.mmap

# Bytes of a value by its type's number; those from 16 on are of BigTIFF.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_HEAD = b"Exif\0\0"
_ASCII, _SHORT, _LONG = 2, 3, 4

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


def without_head(block: bytes) -> bytes:
    """The block without the head that JPEG adds; some programs write it twice."""
    while block.startswith(_HEAD):
        block = block[len(_HEAD) :]
    return block


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
    return parse_directory(block, order, start)


def parse_directory(block: Buffer, order: str, start: int, *, big: bool = False) -> ExifBlock:
    """Takes the description of one picture apart.

    Args:
        block: A block, or a TIFF file.
        order: "<" or ">".
        start: Where the picture's directory begins.
        big: The file is a BigTIFF.

    Raises:
        ValueError: Its entries cannot be true.
        struct.error: It is cut off.
    """
    parts = ExifBlock(order)
    parts.main, _ = _entries(block, order, start, big)
    parts.exif, offsets = _sub_entries(block, order, parts.main, EXIF_IFD, big)
    parts.gps, _ = _sub_entries(block, order, parts.main, GPS_IFD, big)
    parts.interop, _ = _sub_entries(block, order, parts.exif, INTEROP_IFD, big)
    parts.maker_offset = offsets.get(MAKER_NOTE, 0)
    return parts


def _sub_entries(
    block: Buffer, order: str, parent: Entries, pointer: int, big: bool
) -> tuple[Entries, dict[int, int]]:
    entry = parent.pop(pointer, None)
    if entry is None:
        return {}, {}
    try:
        (start,) = struct.unpack(order + {4: "L", 8: "Q"}[len(entry.value)], entry.value)
        return _entries(block, order, start, big)
    except (struct.error, KeyError):
        return {}, {}


def _entries(block: Buffer, order: str, start: int, big: bool) -> tuple[Entries, dict[int, int]]:
    """The entries of one directory, and where their values lie; damaged entries are left out."""
    entries, offsets, total = {}, {}, 0
    head, entry_format, inside, offset_format = (
        ("Q", "HHQ", 8, "Q") if big else ("H", "HHL", 4, "L")
    )
    (count,) = struct.unpack_from(order + head, block, start)
    step = 20 if big else 12
    first = start + struct.calcsize(order + head)
    for at in range(first, min(first + step * count, len(block) - step + 1), step):
        tag, kind, number = struct.unpack_from(order + entry_format, block, at)
        size = _SIZES.get(kind, 0) * number
        offset = at + step - inside
        if size > inside:
            (offset,) = struct.unpack_from(order + offset_format, block, offset)
        if kind in _SIZES and offset + size <= len(block):
            total += size
            if total > 2 * len(block):  # entries that share their bytes, many times
                raise ValueError("damaged EXIF block")
            entries[tag] = Entry(kind, number, bytes(block[offset : offset + size]))
            offsets[tag] = offset if size > inside else 0
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

    def append(entries: Entries) -> Entry:
        body.extend(b"\0" * (len(body) % 2))
        start = len(body)
        body.extend(directory(entries, order, start, places=places))
        return parts.number(start)

    if parts.interop:
        exif[INTEROP_IFD] = append(parts.interop)
    if exif:
        main[EXIF_IFD] = append(exif)
    if parts.gps:
        main[GPS_IFD] = append(parts.gps)
    body[4:8] = append(main).value
    body[:4] = b"II*\0" if order == "<" else b"MM\0*"
    return bytes(body)


def directory(
    entries: Entries,
    order: str,
    start: int,
    *,
    big: bool = False,
    places: Mapping[int, int] | None = None,
) -> bytes:
    """A directory, followed by the values that do not fit into it.

    Args:
        entries: At least one; their values in this byte order.
        order: "<" or ">".
        start: Where it will stand.
        big: In a BigTIFF.
        places: Where values stand already, by tag; they are not written again.
    """
    head, entry_format, inside, offset_format = (
        ("Q", "HHQ", 8, "Q") if big else ("H", "HHL", 4, "L")
    )
    inner = bytearray(struct.pack(order + head, len(entries)))
    after = start + len(inner) + (20 if big else 12) * len(entries) + inside
    outer = bytearray()
    for tag in sorted(entries):
        entry = entries[tag]
        inner += struct.pack(order + entry_format, tag, entry.kind, entry.count)
        if len(entry.value) <= inside:
            inner += entry.value.ljust(inside, b"\0")
        elif places and tag in places:
            inner += struct.pack(order + offset_format, places[tag])
        else:
            inner += struct.pack(order + offset_format, after + len(outer))
            outer += entry.value + b"\0" * (len(entry.value) % 2)
    return bytes(inner + bytes(inside) + outer)


def little_endian(entries: Entries, order: str) -> Entries:
    """Entries with their values in the byte order "<"."""
    if order == "<":
        return entries
    return {
        tag: dataclasses.replace(entry, value=_swapped(entry)) for tag, entry in entries.items()
    }


def _swapped(entry: Entry) -> bytes:
    width = 4 if entry.kind in (5, 10) else _SIZES[entry.kind]  # rationals are two numbers
    return np.frombuffer(entry.value, f">u{width}").astype(f"<u{width}").tobytes()
