"""Small picture files of every kind that is read, drawn and encoded by other libraries."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from sr_images.icc import srgb_profile
from sr_program.machine.optional_packages import is_installed

_HEIGHT, _WIDTH = 24, 32


def scene(height: int = _HEIGHT, width: int = _WIDTH) -> NDArray[np.uint8]:
    """Colours that run over the picture, and a bright disc; uint8 [H, W, 3]."""
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    colours = np.stack([40 + 150 * rows, 60 + 120 * columns, 180 - 100 * rows], axis=-1)
    disc = (rows - 0.3) ** 2 + (columns - 0.6) ** 2 < 0.03
    colours[disc] = (250, 220, 90)
    return colours.astype(np.uint8)


def exif_block() -> bytes:
    """Camera, date, place, resolution and orientation 6."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x0132] = "DrawnCam", 6, "2024:05:06 07:08:09"
    camera, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    camera[0x9003], camera[0xA002], camera[0xA003] = "2024:05:06 07:08:09", _WIDTH, _HEIGHT
    place[1], place[2] = "N", (48.0, 0.0, 0.0)
    return exif.tobytes()


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    b'tiff:Orientation="6" exif:PixelXDimension="32" exif:GPSLatitude="48,0N">'
    b"<exif:PixelYDimension>24</exif:PixelYDimension></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def drawn_files() -> dict[str, bytes]:
    """Name of a kind, whose beginning is the suffix → content of a file."""
    return dict([*_still(), *_animated(), *_of_tiff(), *_deep(), *_optional()])


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def _still() -> Iterable[tuple[str, bytes]]:
    colour = Image.fromarray(scene())
    gray, palette = colour.convert("L"), colour.quantize(16)
    alpha = colour.copy()
    alpha.putalpha(gray)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "drawn")
    texts.add_itxt("parameters", "steps: 20 ü", zip=True)
    said = {"exif": exif_block(), "xmp": XMP, "icc_profile": srgb_profile()}
    yield "png_rgb", _saved(colour, "PNG", pnginfo=texts, dpi=(300, 300), **said)
    yield "png_gray", _saved(gray, "PNG")
    yield "png_rgba", _saved(alpha, "PNG")
    yield "png_gray_alpha", _saved(alpha.convert("LA"), "PNG")
    yield "png_palette", _saved(palette, "PNG", transparency=b"\0\x80")
    yield "png_1_bit", _saved(gray.convert("1"), "PNG")
    yield "png_key", _saved(colour, "PNG", transparency=(250, 220, 90))
    yield "jpg_rgb", _saved(colour, "JPEG", dpi=(300, 300), comment=b"drawn", **said)
    yield "jpg_gray", _saved(gray, "JPEG")
    yield "jpg_progressive", _saved(colour, "JPEG", progressive=True)
    yield "jpg_cmyk", _saved(colour.convert("CMYK"), "JPEG")
    yield "webp_lossless", _saved(alpha, "WEBP", lossless=True, exact=True, **said)
    yield "webp_lossy", _saved(colour, "WEBP")
    yield "bmp_rgb", _saved(colour, "BMP")
    yield "bmp_palette", _saved(palette, "BMP")
    yield "gif_still", _saved(palette, "GIF")
    yield "avif_rgb", _saved(colour, "AVIF", speed=10, **said)
    yield "avif_alpha", _saved(alpha, "AVIF", speed=10)
    yield "jp2_rgb", _saved(colour, "JPEG2000")
    yield "tga_rgb", _saved(colour, "TGA", compression="tga_rle")
    yield "ppm_rgb", _saved(colour, "PPM")
    yield "sgi_rgb", _saved(colour, "SGI")
    yield "qoi_rgb", bytes(imagecodecs.qoi_encode(scene()))


def _animated() -> Iterable[tuple[str, bytes]]:
    frames = [Image.fromarray(np.roll(scene(), 8 * number, axis=1)) for number in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100, "loop": 0}
    for suffix, name in (("png", "PNG"), ("gif", "GIF"), ("webp", "WEBP"), ("avif", "AVIF")):
        yield f"{suffix}_animation", _saved(frames[0], name, **options)
    yield "jpg_mpo", _saved(frames[0], "MPO", save_all=True, append_images=frames[1:2])


def _of_tiff() -> Iterable[tuple[str, bytes]]:
    colour = scene()
    gray = colour[:, :, 1]
    alpha = np.dstack([colour, gray])
    deep = colour.astype(np.uint16) * 257
    floats = colour.astype(np.float32) / 255
    rgb: dict[str, Any] = {"photometric": "rgb"}
    kinds: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
        "rgb_lzw": (colour, {**rgb, "compression": "lzw", "predictor": True}),
        "rgb_jpeg": (colour, {**rgb, "compression": "jpeg"}),
        "rgb_deflate_tiles": (colour, {**rgb, "compression": "zlib", "tile": (16, 16)}),
        "rgb_planar": (np.moveaxis(colour, 2, 0), {**rgb, "planarconfig": "separate"}),
        "rgba": (alpha, {**rgb, "extrasamples": ["unassalpha"]}),
        "rgb16_big_endian": (deep, {**rgb, "byteorder": ">"}),
        "rgb16_big": (deep, {**rgb, "bigtiff": True}),
        "rgb_float": (floats, rgb),
        "rgb_half": (floats.astype(np.float16), rgb),
        "gray_double": (floats[:, :, 0].astype(np.float64), {"photometric": "minisblack"}),
        "gray16": (deep[:, :, 0], {"photometric": "minisblack", "compression": "zstd"}),
        "white_is_zero": (gray, {"photometric": "miniswhite"}),
        "cmyk": (alpha, {"photometric": "separated"}),
        "lab": (colour, {"photometric": "cielab"}),
        "pages": (np.stack([colour, colour[::-1]]), rgb),
    }
    for name, (array, options) in kinds.items():
        file = io.BytesIO()
        order = options.pop("byteorder", "<")
        big = options.pop("bigtiff", False)
        tifffile.imwrite(file, array, byteorder=order, bigtiff=big, metadata=None, **options)
        yield f"tif_{name}", file.getvalue()
    image = Image.fromarray(colour)
    yield "tif_said", _saved(image, "TIFF", exif=exif_block(), icc_profile=srgb_profile())
    yield "tif_palette", _saved(image.quantize(16), "TIFF")
    yield "tif_fax", _saved(image.convert("1"), "TIFF", compression="group4")


def _deep() -> Iterable[tuple[str, bytes]]:
    deep = scene().astype(np.uint16) * 257 + 3
    yield "png_rgb16", bytes(imagecodecs.png_encode(deep))
    yield "png_gray_alpha16", bytes(imagecodecs.png_encode(np.ascontiguousarray(deep[:, :, :2])))
    yield "jp2_rgb16", bytes(imagecodecs.jpeg2k_encode(deep, level=0))
    yield "avif_rgb10", bytes(imagecodecs.avif_encode(deep >> 6, bitspersample=10, speed=10))
    for name, array in (
        ("rgb", scene()),
        ("rgb16", deep),
        ("gray_float", scene()[:, :, 0] / 255),
        ("rgba", np.dstack([deep, deep[:, :, 0]])),
    ):
        file = io.BytesIO()
        np.save(file, array)
        yield f"npy_{name}", file.getvalue()
    yield "pgm_gray16", b"P5 4 2 65535\n" + bytes(range(16))


def _optional() -> Iterable[tuple[str, bytes]]:
    if is_installed("jxl"):
        yield from _jxl()
    if is_installed("heic"):
        yield from _heic()


def _jxl() -> Iterable[tuple[str, bytes]]:
    yield "jxl_rgb", bytes(imagecodecs.jpegxl_encode(scene(), lossless=True))
    alpha = np.dstack([scene(), scene()[:, :, 0]]).astype(np.uint16) * 257
    yield "jxl_rgba16", bytes(imagecodecs.jpegxl_encode(alpha, lossless=True))


def _heic() -> Iterable[tuple[str, bytes]]:
    import pillow_heif

    heif = pillow_heif.from_pillow(Image.fromarray(scene(64, 64)))
    file = io.BytesIO()
    heif.save(file, quality=60, exif=exif_block())
    yield "heic_rgb", file.getvalue()
