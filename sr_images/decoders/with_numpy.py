"""Arrays that NumPy has saved: [H, W] or [H, W, 1|2|3|4], as `Picture` counts."""

from __future__ import annotations

import numpy as np

from sr_images.decoders.one_frame import OneFrame
from sr_images.decoders.samples import Decoded
from sr_images.floats import checked_floats
from sr_program.errors import DataError

_MOST_HEAD = 10_000  # characters; NumPy's own limit


class NumpyFrames(OneFrame):
    """The picture of a .npy file."""

    def _size(self) -> tuple[int, int, int]:
        with self._source.open() as file:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file, max_header_size=_MOST_HEAD)
            held = self._source.size - file.tell()
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 2, 3, 4)):
            raise DataError(
                f"{self._source.name}: is an array {list(shape)}; save [H, W] or [H, W, C] with 1 "
                "to 4 channels"
            )
        # by kind and size: a dtype of the other byte order is not equal
        if not (dtype.kind == "f" or (dtype.kind == "u" and dtype.itemsize <= 2)):
            raise DataError(
                f"{self._source.name}: is an array of {dtype}; save uint8, uint16, or floats 0..1"
            )
        channels = shape[2] if len(shape) == 3 else 1
        if shape[0] * shape[1] * channels * dtype.itemsize > held:
            raise DataError(f"{self._source.name}: is damaged (the file is truncated); replace it")
        return shape[0], shape[1], channels * dtype.itemsize * 8

    def _decode(self) -> Decoded:
        with self._source.open() as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
        if array.dtype.kind == "f":
            return Decoded(checked_floats(array, self._source.name))
        return Decoded(array.astype(array.dtype.newbyteorder("="), copy=False))
