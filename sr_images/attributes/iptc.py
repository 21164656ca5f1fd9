"""IPTC records in the segment of a JPEG in which Photoshop keeps its resources."""

from __future__ import annotations

import struct

_HEAD = b"Photoshop 3.0\0"
_RECORDS = 0x0404
_MOST = 65_533  # bytes of a segment


def jpeg_segment(records: bytes) -> bytes | None:
    """The segment APP13; None if the records are too long for one."""
    resource = struct.pack(">4sHHL", b"8BIM", _RECORDS, 0, len(records)) + records
    content = _HEAD + resource + b"\0" * (len(records) % 2)
    if len(content) > _MOST:
        return None
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content
