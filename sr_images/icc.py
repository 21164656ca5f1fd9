"""Colours through their ICC profiles, by LittleCMS, in the depth that they have."""

from __future__ import annotations

import functools
from typing import Any

import imagecodecs
import numpy as np
from absl import logging
from numpy.typing import NDArray
from PIL import ImageCms

from sr_images.picture import WHITE

Samples = NDArray[Any]

_RGB, _GRAY, _CMYK = b"RGB ", b"GRAY", b"CMYK"
# As image editors convert: white stays white, and black stays black.
_INTENT = imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC
_FLAGS = imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION
_ROWS = 1024  # at a time; bounds the memory


def space_of(icc: bytes) -> bytes:
    """The colour space of a profile's device: b"RGB ", b"GRAY", b"CMYK" or others."""
    return icc[16:20]


def is_for_rgb(icc: bytes | None) -> bool:
    """Whether there is a profile, and it is one for RGB."""
    return bool(icc) and space_of(icc) == _RGB


def to_srgb(pixels: Samples, icc: bytes, name: str = "the picture") -> Samples | None:
    """Pixels of a profile as sRGB shows them; colours that sRGB lacks are clipped.

    Args:
        pixels: [H, W, 3] RGB or [H, W, 1] gray, in the range of a `Picture`.
        icc: Their profile.
        name: What a warning calls the picture.

    Returns:
        The same shape and dtype; None, with a warning, if the profile cannot be used.
    """
    space, channels = space_of(icc), pixels.shape[2]
    if space == _GRAY and channels == 1:
        converted = _transformed(pixels, icc, "gray", name)
        return None if converted is None else converted[:, :, 1:2]
    if space != _RGB:
        logging.warning("%s: its ICC profile is not for RGB and has no effect", name)
        return None
    if channels == 3:
        return _transformed(pixels, icc, "rgb", name)
    converted = _transformed(np.repeat(pixels, 3, axis=2), icc, "rgb", name)
    return None if converted is None else converted[:, :, 1:2]


def cmyk_to_rgb(inks: Samples, icc: bytes | None, name: str) -> Samples:
    """Printing inks as sRGB shows them.

    Args:
        inks: [H, W, 4], 0 is no ink; in the range of a `Picture`.
        icc: Their profile; without one, and with a profile that cannot be used, each ink takes its
            share of one colour, as Pillow converts.
        name: What a warning calls the picture.

    Returns:
        [H, W, 3] of the same dtype.
    """
    if icc and space_of(icc) == _CMYK and inks.dtype != np.float32:
        converted = _transformed(inks, icc, "cmyk", name)
        if converted is not None:
            return converted
    white = WHITE[inks.dtype.name]
    light = white - inks.astype(np.float64)
    colours = light[:, :, :3] * light[:, :, 3:] / white
    return _in_depth(colours, inks.dtype)


def lab_to_rgb(lab: Samples) -> NDArray[np.float32]:
    """CIELAB of illuminant D50 as sRGB shows it.

    Args:
        lab: float32 [H, W, 3]: L 0..100, a and b.

    Returns:
        float32 [H, W, 3], 0..1.
    """
    transformed = imagecodecs.cms_transform(
        np.ascontiguousarray(lab, np.float32),
        _lab_profile(),
        srgb_profile(),
        colorspace="lab",
        outcolorspace="rgb",
        outdtype=np.float32,
        intent=_INTENT,
    )
    return np.clip(transformed, 0, 1)


@functools.cache
def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@functools.cache
def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _transformed(samples: Samples, icc: bytes, space: str, name: str) -> Samples | None:
    result = np.empty((*samples.shape[:2], 3), samples.dtype)
    if space == "gray":
        samples = samples[:, :, 0]
    try:
        for top in range(0, len(samples), _ROWS):
            rows = imagecodecs.cms_transform(
                np.ascontiguousarray(samples[top : top + _ROWS]),
                icc,
                srgb_profile(),
                colorspace=space,
                outcolorspace="rgb",
                intent=_INTENT,
                flags=_FLAGS,
            )
            result[top : top + _ROWS] = rows
    except (RuntimeError, ValueError) as error:
        logging.warning("%s: its ICC profile cannot be used (%s)", name, error)
        return None
    return np.clip(result, 0, 1, out=result) if samples.dtype == np.float32 else result


def _in_depth(values: NDArray[np.float64], dtype: Any) -> Samples:
    return values.astype(dtype) if dtype == np.float32 else np.floor(values + 0.5).astype(dtype)
