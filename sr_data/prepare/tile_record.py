"""One tile of a photo as bytes: the content of one record of a prepared set.

A record holds, numbers little-endian and without sign:

    4 bytes   the letters SRT1
    4 bytes   number of the photo in its shard
    4 bytes   number of the tile in its photo
    2 bytes   height h of the LR tile
    2 bytes   width w of the LR tile
    4h·4w·3   HR pixels, rows of RGB
    h·w·3     LR pixels, rows of RGB

Pixels lie there as they are, because a training step reads dozens of tiles: they are used in place.
What checks the bytes (a hash a record), and compresses them where that is wished, is ArrayRecord.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from sr_data.pairs import SCALE

_HEADER = struct.Struct("<4sIIHH")
_MAGIC = b"SRT1"


def encode_tile(photo: int, tile: int, hr: NDArray[np.uint8], lr: NDArray[np.uint8]) -> bytes:
    """The record of a tile.

    Args:
        photo: number of the photo in its shard.
        tile: number of the tile in its photo.
        hr: uint8 [4h, 4w, 3], RGB.
        lr: uint8 [h, w, 3], RGB.
    """
    height, width = lr.shape[:2]
    if hr.shape != (SCALE * height, SCALE * width, 3) or lr.shape != (height, width, 3):
        raise ValueError(f"HR {list(hr.shape)} is not {SCALE} times LR {list(lr.shape)}")
    if hr.dtype != np.uint8 or lr.dtype != np.uint8:
        raise ValueError(f"expected uint8, got {hr.dtype} and {lr.dtype}")
    header = _HEADER.pack(_MAGIC, photo, tile, height, width)
    return b"".join((header, hr.tobytes(), lr.tobytes()))


def decode_tile(
    record: bytes, photo: int, tile: int, height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pixels of a record, which must be the one that is expected.

    Args:
        record: as `encode_tile` made it.
        photo: number of the photo in its shard.
        tile: number of the tile in its photo.
        height: of the LR tile.
        width: of the LR tile.

    Returns:
        (hr, lr): uint8 [4h, 4w, 3] and [h, w, 3], RGB; views of `record`, which cannot be written
            to.

    Raises:
        ValueError: it is another record, or none.
    """
    header = _HEADER.pack(_MAGIC, photo, tile, height, width)
    hr_size, lr_size = SCALE * height * SCALE * width * 3, height * width * 3
    if record[: len(header)] != header or len(record) != len(header) + hr_size + lr_size:
        raise ValueError(f"holds another record where tile {tile} of photo {photo} should be")
    hr = np.frombuffer(record, np.uint8, hr_size, len(header))
    lr = np.frombuffer(record, np.uint8, lr_size, len(header) + hr_size)
    return hr.reshape(SCALE * height, SCALE * width, 3), lr.reshape(height, width, 3)
