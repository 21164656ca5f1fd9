"""Pillow's images in memory, of any mode, as pictures, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from PIL import Image

from sr_images.attributes.from_pillow import attributes_of, orientation_of
from sr_images.decoders.pillow_modes import decoded_of
from sr_images.decoders.samples import picture_of
from sr_images.picture import Attributes, Picture, squeezed


def picture_of_pillow(image: Image.Image) -> Picture:
    """The picture: upright by EXIF, palettes and inks as RGB, attributes kept.

    Args:
        image: Of 8 or 16 bits a channel.

    Raises:
        ValueError: A mode of other depths, as F.
    """
    image.load()
    attributes = attributes_of(image)
    try:
        decoded = decoded_of(image, attributes.icc, False, 1, "the image")
    except ValueError as error:
        raise ValueError(
            f"a Pillow image of mode {image.mode} has no known range; convert it to RGB, L or I;16"
        ) from error
    if image.mode in ("CMYK", "LAB"):
        attributes = dataclasses.replace(attributes, icc=None)  # the pixels are sRGB now
    return picture_of(
        dataclasses.replace(decoded, attributes=attributes, orientation=orientation_of(image))
    )


def pillow_of_picture(picture: Picture) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA or, of 16-bit gray, I;16.

    Its profile, EXIF and resolution stand in `info`.

    Args:
        picture: uint8, or uint16 gray and opaque.

    Raises:
        ValueError: Pillow has no mode for it.
    """
    samples = picture.samples
    is_deep = picture.pixels.dtype != np.uint8
    if is_deep and (picture.pixels.dtype != np.uint16 or samples.shape[2] > 1):
        raise ValueError(
            f"Pillow has no mode for {picture.pixels.dtype} of {samples.shape[2]} channels"
        )
    image = Image.fromarray(np.ascontiguousarray(squeezed(samples)))
    image.info.update(_info(picture.attributes))
    return image


def _info(attributes: Attributes) -> dict[str, Any]:
    exif = b"Exif\0\0" + attributes.exif if attributes.exif else None
    found = {"icc_profile": attributes.icc, "exif": exif, "dpi": attributes.dpi}
    return {name: value for name, value in found.items() if value is not None}
