"""What a photo's EXIF says in entries of any type comes out of the TIFF as it was."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.studies.drawn_files import scene
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import Encoding, write_picture

_RATING = 0x4746


def exif_of(kind, count, packed):
    """A block with one entry."""
    value = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<L", 26) + bytes(4)
    entry = struct.pack("<HHL", _RATING, kind, count) + value[:4]
    return b"Exif\0\0II*\0\x08\0\0\0\1\0" + entry + bytes(4) + (packed if len(packed) > 4 else b"")


# The type's number, how a value is packed, and what it is.
KINDS = [
    (3, "<H", (5,)),
    (4, "<I", (4_000_000_000,)),
    (4, "<III", (1, 2, 3)),
    (5, "<II", (7, 2)),
    (6, "<b", (-5,)),
    (8, "<h", (-5,)),
    (9, "<i", (-2_000_000_000,)),
    (9, "<iii", (-1, 2, 3)),
    (10, "<iiii", (-7, 2, 1, 3)),
    (11, "<f", (0.5,)),
    (12, "<d", (0.1,)),
    (13, "<I", (9,)),
]


@pytest.mark.parametrize(("kind", "packing", "values"), KINDS)
@pytest.mark.parametrize("is_big", [False, True])
def test_an_entry_of_any_type_keeps_its_value(kind, packing, values, is_big, monkeypatch):
    if is_big:
        monkeypatch.setattr("sr_images.encoders.with_tifffile._MOST_CLASSIC", 0)
    file, written = io.BytesIO(), io.BytesIO()
    count = len(values) // (2 if kind in (5, 10) else 1)
    exif = exif_of(kind, count, struct.pack(packing, *values))
    Image.fromarray(scene()).save(file, "JPEG", exif=exif)
    write_picture(written, read_picture(file.getvalue()), Encoding("tif"))
    with tifffile.TiffFile(io.BytesIO(written.getvalue())) as tiff:
        page = tiff.pages[0]
        assert tiff.is_bigtiff == is_big and isinstance(page, tifffile.TiffPage)
        tag = page.tags[_RATING]
    assert (tag.dtype, tag.count) == (kind, count)
    np.testing.assert_array_equal(np.atleast_1d(tag.value), np.array(values))
