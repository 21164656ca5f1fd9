"""What ImageMagick writes into the texts of a PNG is read as EXIF, XMP and IPTC."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from benchmarks.studies.drawn_files import XMP, exif_block, scene
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import Encoding, write_picture

COLOUR = scene()
RECORDS = b"\x1c\x02\x78\x00\x05drawn" + b"\x1c\x02\x5a\x00\x06Munich"
RESOURCES = b"8BIM\x04\x25\x01n\0\0\0\x02zz8BIM\x04\x04\0\0\0\0\0\x15" + RECORDS + b"\0"


def raw(kind: str, content: bytes) -> str:
    """The text, as ImageMagick's png.c writes it."""
    digits = content.hex()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return "\n".join(["", kind, f"{len(content):8d}", *lines, ""])


def png(*texts: tuple[str, bytes], late: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    for kind, content in texts:
        keyword, text = f"Raw profile type {kind}", raw(kind, content)
        data = keyword.encode() + b"\0" + text.encode()
        info.add(b"tEXt", data, after_idat=late)
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def written(content: bytes, suffix: str, **options) -> Image.Image:
    file = io.BytesIO()
    write_picture(file, read_picture(content), Encoding(suffix, **options))
    image = Image.open(file)
    image.load()
    return image


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", ["exif", "APP1"])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
@pytest.mark.parametrize("strip", ["none", "gps", "all"])
@pytest.mark.parametrize("heads", [1, 2])
def test_exif_is_applied_once_and_can_be_stripped(kind, suffix, strip, late, heads):
    block = b"Exif\0\0" * (heads - 1) + exif_block()
    image = written(png((kind, block), late=late), suffix, strip=strip)
    assert image.size == (24, 32)
    assert ImageOps.exif_transpose(image).size == (24, 32)
    if suffix == "png":
        np.testing.assert_array_equal(np.array(image), np.rot90(COLOUR, -1))
    assert image.getexif().get(0x010F) == (None if strip == "all" else "DrawnCam")
    assert bool(image.getexif().get_ifd(0x8825)) == (strip == "none")
    assert not any("raw profile" in str(key).lower() for key in image.info)


@pytest.mark.parametrize(
    "text", [("xmp", XMP), ("APP1", b"http://ns.adobe.com/xap/1.0/\0" + XMP)], ids=["xmp", "APP1"]
)
def test_xmp_is_corrected(text):
    image = written(png(text), "png", strip="gps")
    np.testing.assert_array_equal(np.array(image), np.rot90(COLOUR, -1))
    packet = image.info["XML:com.adobe.xmp"]
    assert 'tiff:Orientation="1"' in packet and "GPS" not in packet
    assert not any("raw profile" in str(key).lower() for key in image.info)


@pytest.mark.parametrize("content", [RECORDS, RESOURCES], ids=["bare", "resources"])
def test_iptc_is_kept(content):
    image = written(png(("iptc", content)), "jpg")
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    assert image.info["photoshop"][0x0404] == RECORDS
    kept = written(png(("iptc", content)), "png").info["Raw profile type iptc"]
    assert kept == raw("iptc", content)
    stripped = [written(png(("iptc", content)), suffix, strip="gps") for suffix in ("jpg", "png")]
    assert stripped[0].info["photoshop"][0x0404] == RECORDS[:10]
    assert "Raw profile type iptc" not in stripped[1].info


@pytest.mark.parametrize("text", ["", "\nexif\n  4\nxyz", "\nexif\n", "\nexif\n 6\n457869660000"])
def test_damaged_texts_say_nothing(text):
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", text)
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "PNG", pnginfo=info)
    picture = read_picture(file.getvalue())
    np.testing.assert_array_equal(picture.pixels, COLOUR)
    assert (picture.attributes.exif, dict(picture.attributes.texts)) == (None, {})


def test_the_chunk_goes_before_the_text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", raw("exif", exif_block()))
    file = io.BytesIO()
    upright = Image.Exif()
    upright[0x010F] = "Other"
    Image.fromarray(COLOUR).save(file, "PNG", pnginfo=info, exif=upright)
    image = written(file.getvalue(), "png")
    assert image.size == (32, 24) and image.getexif()[0x010F] == "Other"


def test_the_place_in_resources_of_photoshop_is_left_out():
    kept = written(png(("8bim", RESOURCES)), "png")
    assert kept.info["Raw profile type 8bim"] == raw("8bim", RESOURCES)
    assert "Raw profile type 8bim" not in written(png(("8bim", RESOURCES)), "png", strip="gps").info
