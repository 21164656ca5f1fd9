"""EXIF, XMP and IPTC in the texts of a PNG, as ImageMagick writes them: "Raw profile type exif".

A line break, the profile's name, its length in bytes, and then the bytes as hexadecimal text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sr_images.attributes import exif, iptc, xmp

_KEYWORD = "raw profile type "
_REWRITTEN = (_KEYWORD + "exif", _KEYWORD + "app1", _KEYWORD + "xmp")
_IPTC = (_KEYWORD + "iptc", _KEYWORD + "8bim")
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"


def is_rewritten(keyword: str) -> bool:
    """Whether a text is EXIF or XMP: what it says is corrected, and written elsewhere."""
    return keyword.lower() in _REWRITTEN


def is_iptc(keyword: str) -> bool:
    """Whether a text is IPTC, which a PNG holds nowhere else."""
    return keyword.lower() in _IPTC


def exif_of(texts: Mapping[Any, Any]) -> bytes | None:
    """The EXIF block without the head that JPEG adds.

    Args:
        texts: By keyword; other values are left alone.
    """
    for content in _contents(texts, _REWRITTEN):
        block = exif.without_head(content)
        if block.startswith((b"II*\0", b"MM\0*")):
            return block
    return None


def xmp_of(texts: Mapping[Any, Any]) -> bytes | None:
    """The XMP packet; arguments as of `exif_of`."""
    for content in _contents(texts, _REWRITTEN):
        packet = content.removeprefix(_XMP_HEAD)
        if packet.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            return packet
    return None


def iptc_of(texts: Mapping[Any, Any]) -> bytes | None:
    """The IPTC-IIM records; arguments as of `exif_of`."""
    found = (iptc.records_of(content) for content in _contents(texts, _IPTC))
    return next((records for records in found if records), None)


def orientation_of(texts: Mapping[Any, Any]) -> int:
    """The orientation that EXIF or else XMP tells, 1 to 8; 1 if neither does."""
    block, packet = exif_of(texts), xmp_of(texts)
    if block and exif.has(block, exif.ORIENTATION):
        return exif.orientation_of(block)
    return xmp.orientation_of(packet) if packet else 1


def _contents(texts: Mapping[Any, Any], keywords: tuple[str, ...]) -> list[bytes]:
    """The bytes of such texts; those that are damaged are left out."""
    found = []
    for keyword, text in texts.items():
        if isinstance(keyword, str) and isinstance(text, str) and keyword.lower() in keywords:
            try:
                found.append(bytes.fromhex("".join(text.split("\n")[3:])))
            except ValueError:
                continue
    return found
