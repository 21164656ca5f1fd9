"""The samples of a TIFF page, in any of its colour models and depths, as a picture has them."""

from __future__ import annotations

import numpy as np
import tifffile
from PIL import Image

from sr_images import icc as profiles
from sr_images.decoders.samples import Decoded, Samples, has_gray_colours, scaled
from sr_images.floats import checked_floats
from sr_images.levels import in_depth
from sr_program.errors import DataError

_KINDS = tifffile.PHOTOMETRIC
_RAW = (32803, 34892)  # colour filter array, linear raw
_INK_SET, _INKS = 332, 334  # entries
_PREMULTIPLIED, _ALPHA = 1, 2  # of ExtraSamples
_COLOURS = {
    _KINDS.MINISWHITE: 1,
    _KINDS.MINISBLACK: 1,
    _KINDS.RGB: 3,
    _KINDS.PALETTE: 1,
    _KINDS.YCBCR: 3,
    _KINDS.CIELAB: 3,
    _KINDS.ICCLAB: 3,
    _KINDS.SEPARATED: 4,
}


def decoded_page(
    page: tifffile.TiffPage, icc: bytes | None, name: str
) -> tuple[Decoded, bytes | None]:
    """Decodes a page.

    Args:
        page: Of a file that is open.
        icc: Its profile.
        name: What messages call the file.

    Returns:
        The samples, and the profile that they still have.

    Raises:
        DataError: Its kind is not supported.
        Exception: The decoder raises nearly anything on damaged files.
    """
    _refuse(page, name)
    samples = np.moveaxis(page.asarray().reshape(page.shaped), 0, -2)[0]  # [H, W, planes, samples]
    samples = samples.reshape(*samples.shape[:2], -1)
    colours = _COLOURS[_KINDS(page.photometric)]
    if samples.shape[2] < colours:
        raise DataError(f"{name}: holds {samples.shape[2]} of {colours} channels")
    rest, extra = samples.shape[2] - colours, [int(one) for one in page.extrasamples]
    # as others read it: the channel behind RGB is alpha if nothing else is said
    kinds = extra or ([_ALPHA] if page.photometric == _KINDS.RGB and rest == 1 else [])
    alpha_at = next((at for at, kind in enumerate(kinds[:rest]) if kind in (1, 2)), None)
    if page.photometric <= 1 and rest > 1 and alpha_at is None:
        raise DataError(f"{name}: has {samples.shape[2]} channels, which are neither gray nor RGB")
    pixels, icc = _colours(page, samples[:, :, :colours], icc, name)
    if alpha_at is None:
        return Decoded(pixels), icc
    alpha = _levels(page, samples[:, :, colours + alpha_at], name)
    # a place in a palette cannot have been multiplied
    premultiplied = kinds[alpha_at] == _PREMULTIPLIED and page.photometric != _KINDS.PALETTE
    return Decoded(pixels, alpha=in_depth(alpha, pixels.dtype), premultiplied=premultiplied), icc


def _refuse(page: tifffile.TiffPage, name: str) -> None:
    if page.photometric in _RAW:
        raise DataError(f"{name}: is a camera's raw photo; develop it into a TIFF or JPEG")
    if page.photometric not in _COLOURS:
        kind = getattr(page.photometric, "name", page.photometric)
        raise DataError(f"{name}: is a TIFF of the colour model {kind}; convert it to RGB")
    if page.photometric == _KINDS.SEPARATED and not _is_cmyk(page):
        raise DataError(f"{name}: is a TIFF of other inks than CMYK; convert it to RGB")
    if page.dtype is None or page.dtype.kind not in "bufe":
        kind = "unknown numbers" if page.dtype is None else page.dtype.name
        raise DataError(f"{name}: is a TIFF of {kind}; convert it to unsigned numbers or floats")


def _is_cmyk(page: tifffile.TiffPage) -> bool:
    """Whether the inks are those four: nothing else is said, and no other channel is an ink."""
    said = {tag: page.tags.valueof(tag) for tag in (_INK_SET, _INKS)}
    inks = page.samplesperpixel - len(page.extrasamples)
    return said[_INK_SET] in (None, 1) and said[_INKS] in (None, 4) and inks <= 4


def _colours(
    page: tifffile.TiffPage, samples: Samples, icc: bytes | None, name: str
) -> tuple[Samples, bytes | None]:
    if page.photometric in (_KINDS.CIELAB, _KINDS.ICCLAB):
        rgb = profiles.lab_to_rgb(_lab(page, samples, name))
        return rgb if samples.dtype.kind == "f" else in_depth(rgb, samples.dtype), None
    if page.photometric == _KINDS.PALETTE:
        return _of_palette(page, samples[:, :, 0], keep_colours=bool(icc)), icc
    levels = _levels(page, samples, name)
    if page.photometric == _KINDS.SEPARATED:
        return profiles.cmyk_to_rgb(levels, icc, name), None
    if page.photometric == _KINDS.MINISWHITE:
        white = levels.dtype.type(1) if levels.dtype.kind == "f" else np.iinfo(levels.dtype).max
        return white - levels, icc
    if page.photometric == _KINDS.YCBCR and page.compression not in (6, 7):
        if levels.dtype != np.uint8:
            raise DataError(f"{name}: is a TIFF of YCbCr in {levels.dtype}; convert it to RGB")
        image = Image.fromarray(np.ascontiguousarray(levels), "YCbCr")
        return np.array(image.convert("RGB")), icc
    return levels, icc


def _levels(page: tifffile.TiffPage, samples: Samples, name: str) -> Samples:
    """As uint8, uint16 or float32, white at the top."""
    if samples.dtype.kind == "f":
        return checked_floats(samples, name)
    bits = page.bitspersample
    if samples.dtype == np.bool_ or bits == 1:
        return samples.astype(np.uint8) * np.uint8(255)
    if not isinstance(bits, int):
        raise DataError(f"{name}: is a TIFF of {bits} bits a channel; convert it to 8 bits")
    if bits > 16:
        return (samples / np.float64(2**bits - 1)).astype(np.float32)
    return scaled(samples, 2**bits - 1)


def _lab(page: tifffile.TiffPage, samples: Samples, name: str) -> Samples:
    """L 0..100, a and b of stored samples, float32."""
    of_icc, bits = page.photometric == _KINDS.ICCLAB, page.bitspersample
    values = samples.astype(np.float32)
    if samples.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise DataError(f"{name}: holds NaN or infinite values; replace them by numbers")
        return values
    if bits not in (8, 16):
        raise DataError(f"{name}: is a TIFF of Lab in {bits} bits; convert it to 8 or 16 bits")
    white = np.iinfo(samples.dtype).max
    step = (white + 1) / 256  # levels of a unit of a or b
    values[:, :, 0] *= 100 / (65280 if of_icc and white == 65535 else white)
    chroma = values[:, :, 1:] / step
    values[:, :, 1:] = chroma - 128 if of_icc else np.where(chroma < 128, chroma, chroma - 256)
    return values


def _of_palette(page: tifffile.TiffPage, indices: Samples, keep_colours: bool) -> Samples:
    palette = np.asarray(page.colormap)
    # the standard has 16 bits; some programs write 8
    table = (palette >> 8 if palette.max() > 255 else palette).astype(np.uint8).T
    samples = table[indices.astype(np.intp)]
    return samples[:, :, :1] if not keep_colours and has_gray_colours(samples) else samples
