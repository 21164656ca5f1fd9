"""JPEG XL: pixels by imagecodecs in their depth; profile and metadata by pillow-jxl."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pillow_jxl

from sr_images.decoders.one_frame import OneFrame
from sr_images.decoders.samples import Decoded
from sr_images.decoders.with_pillow import decode_jpeg
from sr_images.floats import checked_floats
from sr_images.picture import Attributes
from sr_program.errors import DataError

_CODESTREAM = b"\xff\x0a"
_RATIOS = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class JxlFrames(OneFrame):
    """The picture of a JPEG XL file."""

    def _size(self) -> tuple[int, int, int]:
        self._content = self._source.content()
        # The depth comes later than the size; what is decoded has 8 bits at least.
        return *stated_size(self._content), 24

    def _decode(self) -> Decoded:
        is_jpeg, info, data, icc, boxes = pillow_jxl.Decoder(num_threads=0)(self._content)
        if is_jpeg:
            return decode_jpeg(bytes(data), self._source.name)
        attributes = Attributes(
            icc=bytes(icc) if icc else None,
            exif=_exif(_box(boxes, b"Exif")),
            xmp=_box(boxes, b"xml ") or None,
        )
        samples = imagecodecs.jpegxl_decode(self._content, numthreads=1)
        if samples.shape[:2] != (info.height, info.width) or samples.ndim > 3:
            raise DataError(f"{self._source.name}: is an animated JPEG XL; save it as PNG or WebP")
        if samples.dtype.kind == "f":
            samples = checked_floats(samples, self._source.name)
        if samples.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"samples are {samples.dtype}")
        return Decoded(samples, attributes)


def stated_size(content: bytes) -> tuple[int, int]:
    """Height and width, as the head of a file says.

    Reference:
        ISO/IEC 18181-1, size header.

    Raises:
        ValueError: There is no head.
    """
    start = content.find(_CODESTREAM, 0 if content.startswith(_CODESTREAM) else 12)
    if start < 0:
        raise ValueError("no codestream")
    bits = _Bits(content[start + 2 : start + 18])
    if bits.take(1):
        height = 8 * (bits.take(5) + 1)
        ratio = bits.take(3)
        return height, _width(height, ratio) if ratio else 8 * (bits.take(5) + 1)
    height = bits.side()
    ratio = bits.take(3)
    return height, _width(height, ratio) if ratio else bits.side()


def _width(height: int, ratio: int) -> int:
    across, down = _RATIOS[ratio]
    return height * across // down


class _Bits:
    """Reads numbers from bytes, the lowest bit first."""

    def __init__(self, content: bytes) -> None:
        self._bits = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        value = self._bits & (2**count - 1)
        self._bits >>= count
        return value

    def side(self) -> int:
        return self.take((9, 13, 18, 30)[self.take(2)]) + 1


def _exif(box: bytes) -> bytes | None:
    """The block, without the offset that comes before it."""
    return (box[4:] if box[4:8] in (b"II*\0", b"MM\0*") else box) or None


def _box(boxes: list, kind: bytes) -> bytes:
    for box in boxes:
        if bytes(box.box_type) == kind:
            return bytes(box.data)
    return b""
