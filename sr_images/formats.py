"""The formats of picture files: told apart by content when read, by suffix when written."""

from __future__ import annotations

from pathlib import Path

# Suffix (lower case) → format, of files that can be written.
WRITABLE = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".jxl": "JXL",
    ".npy": "NPY",
}
# The same of files that can only be read.
_ONLY_READ = {
    ".jpe": "JPEG",
    ".jp2": "JP2",
    ".j2k": "JP2",
    ".jpf": "JP2",
    ".jpx": "JP2",
    ".tga": "TGA",
    ".mpo": "JPEG",
    ".dib": "BMP",
    ".hif": "HEIC",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
    ".pcx": "PCX",
    ".sgi": "SGI",
    ".qoi": "QOI",
}
READABLE = {**WRITABLE, **_ONLY_READ}

# Files with these suffixes (lower case) are pictures: for the listing of folders.
READABLE_SUFFIXES = tuple(READABLE)

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2"),
    (b"\xff\x4f\xff\x51", "JP2"),
    (b"\x93NUMPY", "NPY"),
    (b"BM", "BMP"),
    (b"qoif", "QOI"),
    (b"\x01\xda", "SGI"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")


def format_of(head: bytes, suffix: str = "") -> str | None:
    """The format of a file, by its content.

    Args:
        head: The first 64 bytes of the file or more.
        suffix: The end of its name. TGA and PCX have no mark of their own in front.

    Returns:
        "PNG", "JPEG", "WEBP", …; None if it is no picture that is known here.
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _format_of_brands(head)
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    if head[:1] == b"\x0a" and READABLE.get(suffix.lower()) == "PCX":
        return "PCX"
    return "TGA" if _may_be_tga(head) else None


def _format_of_brands(head: bytes) -> str | None:
    end = min(len(head), int.from_bytes(head[:4], "big"))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    if any(brand in _HEIC_BRANDS for brand in brands) or brands[0] in (b"mif1", b"msf1"):
        return "HEIC"
    return None


def _may_be_tga(head: bytes) -> bool:
    """Whether the head of 18 bytes makes sense: kind, depth, and a size that is not zero."""
    return (
        len(head) >= 18
        and head[1] in (0, 1)
        and head[2] in (1, 2, 3, 9, 10, 11)
        and head[16] in (8, 15, 16, 24, 32)
        and head[12:14] != b"\0\0"
        and head[14:16] != b"\0\0"
        and (head[1] == 1) == (head[2] in (1, 9))
    )


def format_of_suffix(path: Path) -> str | None:
    """The format that a file's name asks for when it is written; None for an unknown suffix."""
    return WRITABLE.get(path.suffix.lower())
