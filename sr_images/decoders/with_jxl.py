"""JPEG XL: pixels by imagecodecs in their depth; profile and metadata by pillow-jxl."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pillow_jxl

from sr_images.decoders.jxl_head import head_of
from sr_images.decoders.one_frame import OneFrame
from sr_images.decoders.samples import Decoded, Samples, scaled
from sr_images.decoders.with_pillow import decode_jpeg
from sr_images.floats import checked_floats
from sr_images.picture import Attributes
from sr_program.errors import DataError


class JxlFrames(OneFrame):
    """The picture of a JPEG XL file."""

    def _size(self) -> tuple[int, int, int]:
        self._content = self._source.content()
        self._head = head_of(self._content)
        # There may be fewer channels or more; what is decoded has 8 bits at least.
        return self._head.height, self._head.width, 3 * max(8, self._head.bits)

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
        return Decoded(self._stretched(samples), attributes)

    def _stretched(self, samples: Samples) -> Samples:
        """With white at the top: whole numbers come as the file stores them, in 1 to 16 bits."""
        if samples.dtype.kind == "f":
            return checked_floats(samples, self._source.name)
        bits = self._head.bits
        if self._head.is_float or samples.dtype != (np.uint8 if bits <= 8 else np.uint16):
            raise DataError(
                f"{self._source.name}: is a JPEG XL of {bits} bits a channel; convert it to 8 or "
                "16 bits"
            )
        return scaled(samples, 2**bits - 1)


def _exif(box: bytes) -> bytes | None:
    """The block, without the offset that comes before it."""
    return (box[4:] if box[4:8] in (b"II*\0", b"MM\0*") else box) or None


def _box(boxes: list, kind: bytes) -> bytes:
    for box in boxes:
        if bytes(box.box_type) == kind:
            return bytes(box.data)
    return b""
