"""HEIC, the photos of phones: by pillow-heif."""

from __future__ import annotations

import numpy as np
import pillow_heif

from sr_images.attributes.from_pillow import exif_of
from sr_images.attributes.nclx import HEAD_BYTES, with_colours
from sr_images.decoders.one_frame import OneFrame
from sr_images.decoders.samples import Decoded, scaled
from sr_images.picture import Attributes

_DEEP = ";16"


class HeifFrames(OneFrame):
    """The main picture of a HEIC file."""

    def _size(self) -> tuple[int, int, int]:
        with self._source.open() as file:
            # the pixels are decoded when they are asked for
            self._heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
        width, height = self._heif.size
        return height, width, 64 if _DEEP in self._heif.mode else 32

    def _decode(self) -> Decoded:
        heif = self._heif
        samples = np.asarray(heif)
        if samples.dtype == np.uint16:
            # low bits are empty
            bits = int(heif.info.get("bit_depth", 16))
            samples = scaled(samples >> (16 - bits), 2**bits - 1)
        attributes = Attributes(
            icc=heif.info.get("icc_profile") or None,
            exif=exif_of(heif.info.get("exif")),
            xmp=heif.info.get("xmp") or None,
        )
        head = self._source.beginning(HEAD_BYTES)
        attributes = with_colours(attributes, head, is_gray=samples.ndim == 2)
        return Decoded(
            samples, attributes, premultiplied=bool(getattr(heif, "premultiplied_alpha", False))
        )
