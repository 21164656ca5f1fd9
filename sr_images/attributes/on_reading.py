"""Attributes of a file, made true for the upright picture that is decoded from it."""

from __future__ import annotations

import dataclasses

from sr_images.attributes import exif, xmp
from sr_images.picture import Attributes


def of_upright_picture(attributes: Attributes, sides_turned: bool) -> Attributes:
    """The attributes with orientation 1, and without thumbnails, which show the stored picture.

    Args:
        attributes: As the file has them.
        sides_turned: Height and width have changed places.
    """
    dpi = attributes.dpi
    return dataclasses.replace(
        attributes,
        exif=exif.upright(attributes.exif) if attributes.exif else None,
        xmp=xmp.upright(attributes.xmp) if attributes.xmp else None,
        dpi=(dpi[1], dpi[0]) if dpi and sides_turned else dpi,
    )
