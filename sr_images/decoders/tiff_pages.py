"""The pages of a TIFF file. ImageJ and tifffile may store several behind one directory."""

from __future__ import annotations

import copy
import math

import tifffile

from sr_images.limits import Limits
from sr_program.errors import DataError

_REDUCED, _MASK = 1, 4  # bits of NewSubfileType: a preview, and a mask


def pages_of(tiff: tifffile.TiffFile, name: str, limits: Limits) -> list[tifffile.TiffPage]:
    """The pages in turn, without previews unless there is nothing else.

    Args:
        tiff: The file.
        name: What messages call it.
        limits: How many there may be.

    Raises:
        DataError: There are none or more, or they are stored in a way that is not supported.
    """
    limits.check_frames(name, len(tiff.pages))
    pages = [_page(tiff, number) for number in range(len(tiff.pages))]
    shown = [page for page in pages if not int(page.subfiletype) & (_REDUCED | _MASK)]
    counts = [_stored(page, len(pages)) for page in shown]
    limits.check_frames(name, sum(counts))
    found: list[tifffile.TiffPage] = []
    for page, count in zip(shown, counts, strict=True):
        found += [page] if count == 1 else _behind_one_another(page, count, name)
    if not pages:
        raise DataError(f"{name}: holds no picture; replace the file")
    return found or pages[:1]


def _page(tiff: tifffile.TiffFile, number: int) -> tifffile.TiffPage:
    page = tiff.pages[number]
    assert isinstance(page, tifffile.TiffPage)
    return page


def _stored(page: tifffile.TiffPage, directories: int) -> int:
    """How many pages a directory stands for, as its description says."""
    # Both write stacks of this kind without compression, else the description is a copy.
    if directories > 1 or page.compression != 1:
        return 1
    if page.shaped_description:
        said = tifffile.tifffile.shaped_description_metadata(page.shaped_description)
        if said.get("truncated"):
            return max(1, math.prod(said["shape"]) // max(1, math.prod(page.shape)))
    if page.imagej_description:
        said = tifffile.tifffile.imagej_description_metadata(page.imagej_description)
        return max(1, int(said.get("images", 1)))
    return 1


def _behind_one_another(page: tifffile.TiffPage, count: int, name: str) -> list[tifffile.TiffPage]:
    if page.compression != 1 or page.is_subsampled or not page.is_contiguous:
        raise DataError(
            f"{name}: stores {count} pages as one that is not plain; save each as a page of its own"
        )
    pages = [copy.copy(page) for _ in range(count)]
    length = sum(page.databytecounts)
    for number, one in enumerate(pages):
        one.dataoffsets = tuple(offset + number * length for offset in page.dataoffsets)
    return pages
