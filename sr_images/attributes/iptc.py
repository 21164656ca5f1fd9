"""IPTC records, and the resources of Photoshop in which files keep them."""

from __future__ import annotations

import struct

_HEAD = b"Photoshop 3.0\0"
_RECORDS = 0x0404
_MOST = 65_533  # bytes of a segment
_MARK = 0x1C  # begins a record
# City, sublocation, state, code and name of the country, and content location code and name.
_PLACES = {(2, dataset) for dataset in (26, 27, 90, 92, 95, 100, 101)}


def jpeg_segment(records: bytes) -> bytes | None:
    """The segment APP13; None if the records are too long for one."""
    resource = struct.pack(">4sHHL", b"8BIM", _RECORDS, 0, len(records)) + records
    content = _HEAD + resource + b"\0" * (len(records) % 2)
    if len(content) > _MOST:
        return None
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def records_of(content: bytes) -> bytes | None:
    """The records in Photoshop's resources, or bare; None if there are none."""
    if content.startswith(b"\x1c"):
        return content
    at = 0
    while content[at : at + 4] == b"8BIM" and at + 12 <= len(content):
        (kind,) = struct.unpack_from(">H", content, at + 4)
        name = content[at + 6] // 2 * 2 + 2  # bytes, of an even number
        if len(content) < at + 10 + name:
            break
        (length,) = struct.unpack_from(">L", content, at + 6 + name)
        at += 10 + name
        if kind == _RECORDS:
            return content[at : at + length] or None
        at += length + length % 2
    return None


def without_place(records: bytes) -> bytes | None:
    """The records without where the photo was taken; what follows a damaged one is left out."""
    kept, at = [], 0
    while at + 5 <= len(records) and records[at] == _MARK:
        record, dataset, length = struct.unpack_from(">BBH", records, at + 1)
        if length & 0x8000:  # the length's own length
            size = length & 0x7FFF
            length = int.from_bytes(records[at + 5 : at + 5 + size], "big") + size
        end = at + 5 + length
        if (record, dataset) not in _PLACES:
            kept.append(records[at:end])
        at = end
    return b"".join(kept) or None
