"""TIFF files of any depth, page by page or strip by strip, with their metadata."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import tifffile

from sr_images.attributes import exif, from_tiff
from sr_images.picture import Attributes, Picture, squeezed

Tag = tuple[int, int, int, Any, bool]

_BYTE, _LONG, _UNDEFINED, _LONG8 = 1, 4, 7, 16
# Files from here on need 64 bits for their offsets. What compression saves is not known beforehand.
_MOST_CLASSIC = 2**32 - 2**25
# Of `struct`, for the types of entries; a rational is two numbers.
_CODES = {
    **{1: "B", 3: "H", 4: "L", 5: "L", 6: "b", 7: "B", 8: "h", 9: "l", 10: "l", 11: "f", 12: "d"},
    13: "L",
}
_ROWS = 64  # of a strip of a picture that is in memory


def encode_pages(file: IO[bytes], pages: Iterator[Picture], count: int) -> None:
    """Writes pictures as pages, each with its attributes.

    Args:
        file: Open for writing and reading.
        pages: At least one; all in memory one after the other.
        count: Of the pages.
    """
    first = next(pages)
    total = (first.pixels.nbytes + 2**16) * count * (2 if first.alpha is not None else 1)
    said, big = [first.attributes], total > _MOST_CLASSIC
    with tifffile.TiffWriter(file, bigtiff=big, byteorder="<") as writer:
        _write_page(writer, first, big)
        for page in pages:
            said.append(page.attributes)
            _write_page(writer, page, big)
    _add_directories(file, said)


def encode_tiles(
    file: IO[bytes],
    tiles: Iterator[np.ndarray],
    shape: tuple[int, int, int],
    dtype: Any,
    tile: int,
    attributes: Attributes,
) -> None:
    """Writes a BigTIFF of tiles as they come.

    Args:
        file: Open for writing and reading.
        tiles: [h, w, C], from the left to the right and then down; smaller at the edges.
        shape: Of the whole, [H, W, C].
        dtype: uint8, uint16 or float32.
        tile: Pixels of a tile's side; a multiple of 16, as the standard asks.
        attributes: Of the picture.
    """
    with tifffile.TiffWriter(file, bigtiff=True, byteorder="<") as writer:
        options = _options(shape[2], attributes, big=True)
        whole = shape[:2] if shape[2] == 1 else shape
        cut = (squeezed(one) for one in tiles)
        writer.write(cut, shape=whole, dtype=dtype, tile=(tile, tile), **options)
    _add_directories(file, [attributes])


def _write_page(writer: tifffile.TiffWriter, picture: Picture, big: bool) -> None:
    samples = picture.samples
    options = _options(samples.shape[2], picture.attributes, big)
    writer.write(squeezed(samples), rowsperstrip=_ROWS, **options)


def _options(channels: int, attributes: Attributes, big: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "photometric": "rgb" if channels >= 3 else "minisblack",
        "compression": "zlib",
        "predictor": True,
        "software": False,
        "metadata": None,
        "extratags": _tags(attributes, big),
    }
    if channels > 1:
        options["planarconfig"] = "contig"
    if channels in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    if attributes.dpi:
        options |= {"resolution": attributes.dpi, "resolutionunit": "INCH"}
    if attributes.icc:
        options["iccprofile"] = attributes.icc
    return options


def _tags(attributes: Attributes, big: bool) -> list[Tag]:
    """Entries of the first directory.

    Those of the camera and of the place get an entry with room for an offset, under the number
    before theirs: tifffile refuses to write their own.
    """
    tags: list[Tag] = []
    if attributes.xmp:
        tags.append((from_tiff.XMP, _BYTE, len(attributes.xmp), attributes.xmp, True))
    if attributes.iptc:
        tags.append((from_tiff.IPTC, _UNDEFINED, len(attributes.iptc), attributes.iptc, True))
    parts = _parts(attributes)
    for tag, entry in exif.little_endian(parts.main, parts.order).items():
        if tag in from_tiff.DESCRIPTIVE:
            tags.append((tag, entry.kind, entry.count, _value(entry), True))
    for tag, entries in ((exif.EXIF_IFD, parts.exif), (exif.GPS_IFD, parts.gps)):
        if entries:
            tags.append((tag - 1, _LONG8 if big else _LONG, 1, 0, True))
    return tags


def _value(entry: exif.Entry) -> Any:
    """As tifffile takes it: bytes, or numbers."""
    code = _CODES.get(entry.kind)
    if code in (None, "B"):
        return entry.value
    size = struct.calcsize(f"<{code}")  # without "<", as long as the machine has it
    return struct.unpack(f"<{len(entry.value) // size}{code}", entry.value)


def _parts(attributes: Attributes) -> exif.ExifBlock:
    try:
        return exif.parse(attributes.exif) if attributes.exif else exif.ExifBlock()
    except (ValueError, struct.error):
        return exif.ExifBlock()


def _add_directories(file: IO[bytes], said: list[Attributes]) -> None:
    """Appends the directories of camera and place, and points at them."""
    all_parts = [_parts(attributes) for attributes in said]
    if not any(parts.exif or parts.gps for parts in all_parts):
        return
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        places = [
            (number, tag, tiff.pages[number].tags[tag - 1])  # type: ignore[union-attr]
            for number in range(len(all_parts))
            for tag in (exif.EXIF_IFD, exif.GPS_IFD)
            if tag - 1 in tiff.pages[number].tags  # type: ignore[union-attr]
        ]
        big = tiff.is_bigtiff
    for number, tag, place in places:
        parts = all_parts[number]
        entries = exif.little_endian(parts.exif if tag == exif.EXIF_IFD else parts.gps, parts.order)
        if tag == exif.EXIF_IFD and parts.interop:
            start = _append(file, exif.little_endian(parts.interop, parts.order), big)
            entries = {**entries, exif.INTEROP_IFD: _pointer(start, big)}
        pointer = _pointer(_append(file, entries, big), big)
        file.seek(place.offset)
        file.write(struct.pack("<H", tag))
        file.seek(place.valueoffset)
        file.write(pointer.value)
    file.seek(0, os.SEEK_END)


def _pointer(start: int, big: bool) -> exif.Entry:
    value = struct.pack("<Q" if big else "<L", start)
    return exif.Entry(_LONG8 if big else _LONG, 1, value)


def _append(file: IO[bytes], entries: exif.Entries, big: bool) -> int:
    start = file.seek(0, os.SEEK_END)
    start += start % 2
    file.seek(start)
    file.write(exif.directory(entries, "<", start, big=big))
    return start
