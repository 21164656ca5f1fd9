"""The chunks of a PNG file beside its pixels, into attributes and back.

Pillow keeps neither cICP nor the bytes of gAMA, cHRM and sRGB, and refuses long texts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import IO

from sr_images.attributes import colour_chunks, raw_profiles
from sr_images.picture import Attributes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_CHUNKS = ("cICP", "gAMA", "cHRM", "sRGB")
XMP_KEYWORD = "XML:com.adobe.xmp"

_MOST_INFLATED = 2**26  # bytes of a text or profile
_MOST_KEPT = 2**26  # bytes of a chunk; larger ones are left out
_INCH = 0.0254
_GRAY = (b"\0", b"\4")  # kinds of colour, in IHDR


def read_chunks(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """The chunks of a PNG file, in order; the pixels (IDAT, fdAT) without their content.

    Ends where the file does, whether the last chunk is whole or not.

    Args:
        file: At its start.

    Yields:
        Name and content.
    """
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        name = kind.decode("latin-1")
        if name in ("IDAT", "fdAT") or length > _MOST_KEPT:
            file.seek(length + 4, 1)
            yield name, b""
            continue
        content = file.read(length)
        if len(content) < length or name == "IEND":
            return
        file.seek(4, 1)
        yield name, content


def attributes_of(chunks: Mapping[str, bytes], texts: Mapping[str, str]) -> Attributes:
    """What the chunks say.

    Args:
        chunks: The last chunk of each name.
        texts: As `texts_of` gives them.
    """
    others = {
        keyword: text
        for keyword, text in texts.items()
        if keyword != XMP_KEYWORD and not raw_profiles.is_rewritten(keyword)
    }
    xmp = texts.get(XMP_KEYWORD)
    is_gray = chunks.get("IHDR", b"")[9:10] in _GRAY
    return Attributes(
        # Other formats, and conversions, need the colours of the other chunks as a profile.
        icc=_profile(chunks.get("iCCP", b"")) or colour_chunks.profile_of(chunks, is_gray=is_gray),
        exif=chunks.get("eXIf") or raw_profiles.exif_of(texts),
        xmp=xmp.encode() if xmp else raw_profiles.xmp_of(texts),
        iptc=raw_profiles.iptc_of(texts),
        dpi=_dpi(chunks.get("pHYs", b"")),
        texts=others,
        colour_chunks={name: chunks[name] for name in COLOUR_CHUNKS if name in chunks},
    )


def texts_of(name: str, content: bytes) -> dict[str, str]:
    """The keyword and the text of a tEXt, zTXt or iTXt chunk; nothing of a damaged one."""
    try:
        key, rest = content.split(b"\0", 1)
        keyword = key.decode("latin-1")
        if name == "tEXt":
            return {keyword: rest.decode("latin-1")}
        if name == "zTXt":
            return {keyword: _inflated(rest[1:]).decode("latin-1")}
        compressed = rest[0] == 1
        _, _, text = rest[2:].split(b"\0", 2)
        return {keyword: (_inflated(text) if compressed else text).decode("utf-8")}
    except (ValueError, IndexError, zlib.error):
        return {}


def chunks_of(attributes: Attributes) -> list[tuple[str, bytes]]:
    """The chunks that say so, those that belong before the pixels."""
    chunks = [
        (name, attributes.colour_chunks[name])
        for name in COLOUR_CHUNKS
        if name in attributes.colour_chunks
    ]
    if attributes.icc and not _say_all(attributes.colour_chunks, attributes.icc):
        chunks.append(("iCCP", b"ICC profile\0\0" + zlib.compress(attributes.icc)))
        # the standard: a file has one of the two
        chunks = [chunk for chunk in chunks if chunk[0] != "sRGB"]
    if attributes.dpi:
        across, down = (round(value / _INCH) for value in attributes.dpi)
        if min(across, down) > 0 and max(across, down) < 2**31:
            chunks.append(("pHYs", struct.pack(">IIB", across, down, 1)))
    if attributes.exif:
        chunks.append(("eXIf", attributes.exif))
    chunks += [_text_chunk(keyword, text) for keyword, text in attributes.texts.items()]
    if attributes.xmp:
        text = attributes.xmp.decode("utf-8", "replace")
        chunks.append(("iTXt", f"{XMP_KEYWORD}\0\0\0\0\0{text}".encode()))
    return chunks


def _say_all(chunks: Mapping[str, bytes], icc: bytes) -> bool:
    """Whether a profile was made of these chunks."""
    is_gray = icc[16:20] == b"GRAY"
    return bool(chunks) and icc == colour_chunks.profile_of(chunks, is_gray=is_gray)


def _text_chunk(keyword: str, text: str) -> tuple[str, bytes]:
    # the standard: 1 to 79 characters of Latin-1
    key = keyword.encode("latin-1", "replace")[:79].strip() or b"Comment"
    try:
        return "tEXt", key + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        return "iTXt", key + b"\0\0\0\0\0" + text.encode()


def _profile(content: bytes) -> bytes | None:
    _, _, rest = content.partition(b"\0")
    try:
        return _inflated(rest[1:]) if rest else None
    except (ValueError, zlib.error):
        return None


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(content, _MOST_INFLATED)
    if inflater.unconsumed_tail:
        raise ValueError(f"more than {_MOST_INFLATED} bytes")
    return text


def _dpi(content: bytes) -> tuple[float, float] | None:
    if len(content) != 9 or content[8] != 1:
        return None
    across, down = struct.unpack(">II", content[:8])
    return (across * _INCH, down * _INCH) if across and down else None
