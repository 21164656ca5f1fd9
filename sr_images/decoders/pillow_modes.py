"""A picture of Pillow's, in any of its modes, as samples."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from sr_images import icc as profiles
from sr_images.decoders.samples import Decoded, Samples, has_gray_colours

# Modes whose array is what a Decoded holds.
_PLAIN = ("L", "LA", "RGB", "RGBA")


def decoded_of(
    image: Image.Image, icc: bytes | None, keep_colours: bool, key_scale: int, name: str
) -> Decoded:
    """The samples of a loaded picture.

    A palette becomes RGB, or gray if all colours that occur are; a drawing of 1 bit becomes gray.

    Args:
        image: Loaded.
        icc: Its profile.
        keep_colours: A palette of grays becomes RGB as well: frames of an animation are alike.
        key_scale: What a transparent gray in `image.info` is to be multiplied with.
        name: What a warning calls the picture.

    Raises:
        ValueError: A mode that is not known here.
    """
    mode = image.mode
    if mode in ("P", "PA"):
        return _of_palette(image, keep_colours or bool(icc))
    if mode == "1":
        key_scale = 1  # Pillow has stretched it
    if mode in ("1", "L", "RGB") and image.info.get("transparency") is not None:
        return _with_transparent_colour(image, key_scale)
    if mode == "1":
        return Decoded(_levels(image))
    if mode in _PLAIN:
        return Decoded(np.array(image))
    if mode == "CMYK":
        return Decoded(profiles.cmyk_to_rgb(_inks(image), icc, name))
    return _of_rare_mode(image)


def _of_rare_mode(image: Image.Image) -> Decoded:
    mode = image.mode
    if mode in ("RGBa", "La"):
        return Decoded(np.array(image), premultiplied=True)
    if mode == "RGBX":
        return Decoded(np.array(image)[:, :, :3])
    if mode == "YCbCr":
        return Decoded(np.array(image.convert("RGB")))
    if mode.startswith("I;16"):
        return Decoded(np.array(image).astype(np.uint16))
    if mode == "I":  # Netpbm
        return Decoded(np.clip(np.array(image), 0, 65535).astype(np.uint16))
    raise ValueError(f"colour model {mode}")


def _levels(image: Image.Image) -> Samples:
    samples = np.array(image)
    return samples if image.mode != "1" else samples.astype(np.uint8) * np.uint8(255)


def _of_palette(image: Image.Image, keep_colours: bool) -> Decoded:
    has_alpha = image.mode == "PA" or image.info.get("transparency") is not None
    samples: Samples = np.array(image.convert("RGBA" if has_alpha else "RGB"))
    if not keep_colours and has_gray_colours(samples[..., :3]):
        samples = np.delete(samples, (1, 2), axis=2)
    return Decoded(samples)


def _with_transparent_colour(image: Image.Image, key_scale: int) -> Decoded:
    samples = _levels(image)
    key = np.atleast_1d(np.asarray(image.info["transparency"], np.int64)) * key_scale
    colours = samples.reshape(*samples.shape[:2], -1)
    if key.shape != colours.shape[2:]:
        return Decoded(samples)
    transparent = (colours == key).all(axis=2)
    return Decoded(samples, alpha=np.where(transparent, 0, 255).astype(np.uint8))


def _inks(image: Image.Image) -> Samples:
    """Inks, 0 is none. Pillow takes each JPEG for one of Adobe's, which store them inverted."""
    if image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)
    return np.array(image)
