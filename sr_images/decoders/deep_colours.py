"""Pictures deeper than 8 bits a channel, of which Pillow drops the low bits: by imagecodecs."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np

from sr_images.attributes.png_chunks import SIGNATURE
from sr_images.decoders.jp2_depths import HEAD, depths_of
from sr_images.decoders.samples import Decoded, Samples, scaled
from sr_images.decoders.source import Source
from sr_program.errors import DataError


def is_deep(source: Source, chunks: dict[str, bytes]) -> bool:
    """Whether a file has more than 8 bits a channel.

    Args:
        source: A PNG, JPEG 2000 or AVIF file; others are not.
        chunks: Of a PNG.
    """
    if source.format == "PNG":
        return chunks["IHDR"][8] == 16
    return bits_of(source) > 8


def bits_of(source: Source) -> int:
    """Bits a channel of a JPEG 2000 or AVIF file; 8 of any other."""
    if source.format == "JP2":
        return max(depths_of(source), default=8)
    if source.format == "AVIF":
        head = source.beginning(HEAD)
        at = head.find(b"av1C")
        flags = head[at + 6] if 0 <= at < len(head) - 6 else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    return 8


def decode(source: Source, chunks: dict[str, bytes]) -> Decoded:
    """The pixels of such a file.

    Raises:
        RuntimeError: The file is damaged.
        DataError: It has channels that are not known here.
    """
    if source.format == "PNG":
        return _decode_png(source.content(), chunks.get("tRNS", b""))
    if source.format == "JP2" and len(depths := set(depths_of(source))) > 1:
        raise _unsupported(source, f"channels of {', '.join(map(str, sorted(depths)))} bits")
    decoder = imagecodecs.jpeg2k_decode if source.format == "JP2" else imagecodecs.avif_decode
    samples = decoder(source.content())
    if samples.dtype != np.uint16 or samples.ndim not in (2, 3):
        raise _unsupported(source, f"{samples.dtype} {list(samples.shape)}")
    return Decoded(scaled(samples, 2 ** bits_of(source) - 1))


def _unsupported(source: Source, kind: str) -> DataError:
    return DataError(
        f"{source.name}: is a {source.format} of {kind}, which is not supported; convert it to "
        "unsigned numbers of 8 or 16 bits"
    )


def jp2_profile(source: Source) -> bytes | None:
    """The ICC profile of a JPEG 2000 file."""
    head = source.beginning(HEAD)
    at = head.find(b"colr")
    if at < 4 or head[at + 4 : at + 5] != b"\2":
        return None
    (length,) = struct.unpack_from(">I", head, at - 4)
    return head[at + 7 : at - 4 + length] or None


def _decode_png(content: bytes, key: bytes) -> Decoded:
    """With `key`, the content of the chunk tRNS: the colour that is transparent."""
    samples = imagecodecs.png_decode(_pixels_alone(content))
    colours = samples.reshape(*samples.shape[:2], -1)
    if len(key) != 2 * colours.shape[2] or colours.shape[2] not in (1, 3):
        return Decoded(samples)
    transparent = (colours == np.frombuffer(key, ">u2")).all(axis=2)
    alpha: Samples = np.where(transparent, 0, 65535).astype(np.uint16)
    return Decoded(samples, alpha=alpha)


def _pixels_alone(content: bytes) -> bytes:
    """The file without what libpng would apply or complain of, and with an end."""
    parts, at = [SIGNATURE], len(SIGNATURE)
    while at + 8 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] in (b"IHDR", b"IDAT"):
            parts.append(content[at:end])
        at = end
    return b"".join([*parts, b"\0\0\0\0IEND\xaeB`\x82"])
