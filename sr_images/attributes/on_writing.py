"""Attributes of a picture, made true for the file that is written."""

from __future__ import annotations

import dataclasses
import struct

from absl import logging

from sr_images import icc as profiles
from sr_images.attributes import colour_chunks, exif, iptc, raw_profiles, settings, xmp
from sr_images.encoding import HOLDS, Encoding
from sr_images.picture import Attributes, Pixels


def of_written_picture(
    attributes: Attributes,
    height: int,
    width: int,
    name: str,
    encoding: Encoding,
    told: str = "the result",
) -> Attributes:
    """The attributes with the size of the result, less what is stripped, with the settings.

    Args:
        attributes: Of the picture; its colours are those of the profile.
        height: Of the result, pixels.
        width: Of the result, pixels.
        name: The format.
        encoding: How it is written.
        told: What a warning calls the file.
    """
    _warn_of_colours(attributes, name, encoding, told)
    if encoding.strip == "all":
        return Attributes(
            icc=attributes.icc,
            colour_chunks=attributes.colour_chunks,
            duration_ms=attributes.duration_ms,
        )
    packet = attributes.xmp
    if packet:
        packet = xmp.upright(xmp.resized(packet, height, width))
    written = dataclasses.replace(
        attributes, exif=_exif(attributes.exif, height, width, encoding), xmp=packet
    )
    if encoding.strip == "gps":
        written = _without_place(written)
    return settings.added(written, name, encoding.settings) if encoding.settings else written


def keeps_colours(name: str, encoding: Encoding) -> bool:
    """Whether a profile is written, rather than the pixels converted."""
    return HOLDS[name].icc and encoding.icc == "keep"


def in_srgb(pixels: Pixels, attributes: Attributes, told: str) -> tuple[Pixels, Attributes]:
    """Pixels as sRGB shows them, and their attributes without a profile.

    Args:
        pixels: [H, W, 3] or [H, W, 1].
        attributes: Their profile is converted from; one that cannot be used stays.
        told: What a warning calls the picture.
    """
    if not attributes.icc:
        return pixels, attributes
    converted = profiles.to_srgb(pixels, attributes.icc, told)
    if converted is None:
        return pixels, attributes
    return converted, dataclasses.replace(attributes, icc=None, colour_chunks={})


def _warn_of_colours(attributes: Attributes, name: str, encoding: Encoding, told: str) -> None:
    if attributes.icc or not colour_chunks.is_beyond_profiles(attributes.colour_chunks):
        return
    if name != "PNG":
        logging.warning(
            "%s: its colours (PQ, HLG or others that no profile is made for) are lost in %s and "
            "will look different; use .png",
            told,
            name,
        )
    elif encoding.icc == "convert":
        logging.warning("%s: its colours cannot be converted and stay as cICP names them", told)


def _without_place(attributes: Attributes) -> Attributes:
    """The attributes without where the photo was taken, except in EXIF."""
    packet, records = attributes.xmp, attributes.iptc
    return dataclasses.replace(
        attributes,
        xmp=xmp.without_place(packet) if packet else None,
        iptc=iptc.without_place(records) if records else None,
        texts={
            keyword: text
            for keyword, text in attributes.texts.items()
            if "gps" not in keyword.lower() and not raw_profiles.is_iptc(keyword)
        },
    )


def _exif(block: bytes | None, height: int, width: int, encoding: Encoding) -> bytes | None:
    if not block:
        return None
    try:
        parts = exif.parse(block)
    except (ValueError, struct.error):
        return None
    exif.resized(parts, height, width)
    if exif.ORIENTATION in parts.main:  # a picture is upright
        parts.main[exif.ORIENTATION] = parts.short(1)
    if encoding.strip == "gps":
        parts.gps.clear()
    return exif.serialise(parts)
