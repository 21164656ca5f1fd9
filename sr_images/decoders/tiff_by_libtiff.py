"""TIFF pages that libtiff alone decodes: subsampled YCbCr, JPEG of the old kind, rare compressions.

Nothing else is tried with it: it reads past damage, and then the pixels are wrong.
"""

from __future__ import annotations

import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from sr_images.decoders.pillow_modes import decoded_of
from sr_images.decoders.samples import Decoded
from sr_images.decoders.source import Source
from sr_program.errors import DataError

_PLAIN = 1  # compressions
OLD_JPEG = 6
_JPEGS = (OLD_JPEG, 7, 33007, 34892)


def is_for_libtiff(page: tifffile.TiffPage) -> bool:
    """Whether tifffile does not know the kind of a page, whatever state its data are in.

    Of JPEG of the old kind it knows some files, not all.
    """
    return _is_subsampled(page) or not _is_known(page)


def decoded_by_libtiff(
    page: tifffile.TiffPage, source: Source, icc: bytes | None
) -> tuple[Decoded, bytes | None]:
    """Decodes a page through Pillow.

    Args:
        page: Of a file that is open.
        source: The file.
        icc: Its profile.

    Returns:
        The samples, upright, for Pillow turns them; and the profile that they still have.

    Raises:
        DataError: libtiff does not know the compression either.
        Exception: Decoders raise nearly anything on damaged files.
    """
    if page.bitspersample not in (1, 8):
        raise _unsupported(page, source.name)
    if page.compression not in (_PLAIN, *_JPEGS) and _is_known(page):
        _check_segments(page)
    try:
        with source.open() as file, TiffImageFile(file) as image:
            image.seek(page.index)
            image.load()
            decoded = decoded_of(image, icc, False, 1, source.name)
    except Exception:
        if _is_known(page):
            raise
        raise _unsupported(page, source.name) from None
    return decoded, None if image.mode == "CMYK" else icc


def _is_subsampled(page: tifffile.TiffPage) -> bool:
    """Whether colours have fewer pixels, which tifffile reads in JPEG alone."""
    return page.is_subsampled and (page.compression not in _JPEGS or page.planarconfig == 2)


def _is_known(page: tifffile.TiffPage) -> bool:
    return page.compression == _PLAIN or page.compression in tifffile.TIFF.DECOMPRESSORS


def _check_segments(page: tifffile.TiffPage) -> None:
    """Raises an error if data are damaged, which libtiff may pass over."""
    decompress = tifffile.TIFF.DECOMPRESSORS[page.compression]
    segments = page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts)
    for data, _ in segments:
        decompress(data)


def _unsupported(page: tifffile.TiffPage, name: str) -> DataError:
    kind = getattr(page.compression, "name", page.compression)
    return DataError(
        f"{name}: is a TIFF of {page.bitspersample} bits in the compression {kind}"
        f"{' with subsampled colours' if page.is_subsampled else ''}; save it as RGB in "
        "deflate or LZW"
    )
