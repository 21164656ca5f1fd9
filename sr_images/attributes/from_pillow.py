"""Attributes of a file that Pillow has opened."""

from __future__ import annotations

from typing import Any

from PIL import Image

from sr_images.attributes import exif, raw_profiles
from sr_images.picture import Attributes

_IPTC_RESOURCE = 0x0404


def attributes_of(image: Image.Image) -> Attributes:
    """What the file says of its picture."""
    info = image.info
    comment = info.get("comment")
    return Attributes(
        icc=_bytes(info.get("icc_profile")),
        exif=exif_of(info.get("exif")) or raw_profiles.exif_of(info),
        xmp=_bytes(info.get("xmp")) or raw_profiles.xmp_of(info),
        iptc=_iptc(info.get("photoshop")) or raw_profiles.iptc_of(info),
        dpi=_dpi(info.get("dpi")) if _tells_dpi(image) else None,
        # JPEG 2000: there it names the encoder
        texts={"Comment": _text(comment)} if comment and image.format != "JPEG2000" else {},
        duration_ms=_duration(info.get("duration")),
    )


def orientation_of(image: Image.Image) -> int:
    """How the stored picture is to be turned, by EXIF or else XMP; 1 if neither says so."""
    try:
        value = image.getexif().get(0x0112, 1)
        told = value if isinstance(value, int) and 1 <= value <= 8 else 1
    except Exception:  # a damaged block; the pixels may be sound
        told = 1
    # Of such texts Pillow reads one kind only.
    is_said = told != 1 or "exif" in image.info
    return told if is_said else raw_profiles.orientation_of(image.info)


def exif_of(block: Any) -> bytes | None:
    """An EXIF block without the head that JPEG adds; None for an empty one."""
    content = _bytes(block)
    return exif.without_head(content) or None if content else None


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode() or None
    return bytes(value) or None if isinstance(value, bytes | bytearray) else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        return bytes(value).decode("latin-1")


def _iptc(resources: Any) -> bytes | None:
    return _bytes(resources.get(_IPTC_RESOURCE)) if isinstance(resources, dict) else None


def _dpi(value: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(one) for one in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # 1 is what Pillow makes of a file that does not tell a unit
    return (across, down) if 1 < across < 1e6 and 1 < down < 1e6 else None


def _tells_dpi(image: Image.Image) -> bool:
    """Whether a resolution is in the file: Pillow says 72 where a JPEG has EXIF without one."""
    if image.format != "JPEG" or image.info.get("jfif_unit") in (1, 2):
        return True
    block = exif_of(image.info.get("exif"))
    return block is not None and exif.has(block, exif.X_RESOLUTION)


def _duration(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None
