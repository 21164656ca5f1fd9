"""Every kind of file is read in its own depth, with its colours, and bad ones end in one line."""

import io
import struct
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from benchmarks.studies.drawn_files import drawn_files, exif_block, scene
from sr_images.pictures_in import Limits, open_pictures, read_picture
from sr_program.errors import DataError

COLOUR = scene()
RAMP = np.tile(np.linspace(20_000, 24_000, 64).astype(np.uint16), (48, 1))
RAMP_RGB = np.stack([RAMP] * 3, axis=-1)


def saved(image, name, **options):
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def tiff(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, metadata=None, **options)
    return file.getvalue()


@pytest.mark.parametrize("name", sorted(drawn_files()))
def test_every_kind_is_read(name):
    content = drawn_files()[name]
    with open_pictures(content) as pictures:
        frames = list(pictures)
    assert len(frames) == pictures.count == (3 if "animation" in name else 1 + ("pages" in name))
    assert pictures.is_animation == ("animation" in name)
    deep = "uint16" if "16" in name or "rgb10" in name or name == "npy_rgba" else "uint8"
    floats = any(word in name for word in ("float", "half", "double"))
    assert frames[0].pixels.dtype == ("float32" if floats else deep)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_16_bits_stay_in_a_tiff(order, planar):
    array = RAMP_RGB if planar == "contig" else np.moveaxis(RAMP_RGB, 2, 0)
    content = tiff(array, byteorder=order, planarconfig=planar, photometric="rgb")
    picture = read_picture(content)
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, RAMP_RGB)


@pytest.mark.parametrize("array", [RAMP, RAMP_RGB], ids=["gray", "rgb"])
def test_16_bits_stay_in_a_png(array):
    written = cv2.imencode(".png", array)[1].tobytes()
    picture = read_picture(written)
    np.testing.assert_array_equal(picture.pixels.squeeze(), array)
    assert picture.is_gray == (array.ndim == 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_stay(dtype):
    values = (COLOUR / 255).astype(dtype)
    picture = read_picture(tiff(values, photometric="rgb"))
    assert picture.pixels.dtype == np.float32
    np.testing.assert_allclose(picture.pixels, values.astype(np.float32), atol=1e-7)


def test_32_bit_numbers_become_floats():
    values = RAMP.astype(np.uint32) * 65537
    picture = read_picture(tiff(values, photometric="minisblack"))
    np.testing.assert_allclose(picture.pixels[:, :, 0], values / (2**32 - 1), atol=1e-7)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0.0, np.nan], "NaN or infinite"),
        ([0.0, np.inf], "NaN or infinite"),
        ([0.0, 255.0], "from 0 to 255; scale"),
        ([-1.0, 1.0], "from -1 to 1; scale"),
    ],
)
def test_other_floats_are_refused(values, told):
    array = np.resize(np.array(values, np.float32), (4, 4))
    with pytest.raises(DataError, match=told):
        read_picture(tiff(array, photometric="minisblack"))
    file = io.BytesIO()
    np.save(file, array)
    with pytest.raises(DataError, match=told):
        read_picture(file.getvalue())


def opaque_files():
    image = Image.fromarray(COLOUR)
    alpha = image.copy()
    alpha.putalpha(255)
    palette = image.quantize(16)
    yield "rgba", saved(alpha, "PNG"), COLOUR
    yield "tiff", saved(alpha, "TIFF"), COLOUR
    yield "bmp", saved(alpha, "BMP"), COLOUR
    yield "tga", saved(alpha, "TGA"), COLOUR
    gray = image.convert("L")
    yield "la", saved(alpha.convert("LA"), "PNG"), np.array(gray)[:, :, None]
    colours = np.array(palette.convert("RGB"))
    yield "palette", saved(palette, "PNG", transparency=b"\xff" * 16), colours
    yield "unused key", saved(image, "PNG", transparency=(1, 2, 3)), COLOUR


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in opaque_files()])
def test_an_opaque_alpha_is_none(content, expected):
    picture = read_picture(content)
    assert picture.alpha is None
    np.testing.assert_array_equal(picture.pixels, expected)


def test_alpha_stays_with_its_hidden_colours():
    rgba = np.dstack([COLOUR, COLOUR[:, :, 0]])
    rgba[:4, :, 3] = 0
    for content in (saved(Image.fromarray(rgba), name) for name in ("PNG", "TIFF")):
        picture = read_picture(content)
        np.testing.assert_array_equal(picture.pixels, COLOUR)
        np.testing.assert_array_equal(picture.alpha, rgba[:, :, 3])


def test_premultiplied_alpha_is_divided_out():
    alpha = np.full((4, 4), 51, np.uint8)
    colours = np.full((4, 4, 3), (51, 10, 0), np.uint8)
    content = tiff(np.dstack([colours, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    np.testing.assert_array_equal(read_picture(content).pixels[0, 0], (255, 50, 0))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_transparent_gray_of_few_bits(bits):
    """Pillow compares the key with the stretched level."""
    levels = np.arange(2**bits, dtype=np.uint8)
    row = np.packbits(np.unpackbits(levels[:, None], axis=1)[:, 8 - bits :].reshape(-1))
    head = struct.pack(">IIBBBBB", len(levels), 1, bits, 0, 0, 0, 0)
    body = zlib.compress(b"\0" + row.tobytes())
    chunks = ((b"IHDR", head), (b"tRNS", b"\0\1"), (b"IDAT", body), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n"
    for kind, chunk in chunks:
        content += struct.pack(">I", len(chunk)) + kind + chunk
        content += struct.pack(">I", zlib.crc32(kind + chunk))
    picture = read_picture(content)
    np.testing.assert_array_equal(picture.pixels[0, :, 0], levels * (255 // (2**bits - 1)))
    assert picture.alpha is not None
    np.testing.assert_array_equal(picture.alpha[0], np.where(levels == 1, 0, 255))


def test_gray_palettes_and_1_bit_are_gray():
    gray = Image.fromarray(COLOUR).convert("L")
    assert read_picture(saved(gray.convert("P"), "PNG")).is_gray
    bits = read_picture(saved(gray.convert("1"), "PNG"))
    assert bits.is_gray and set(np.unique(bits.pixels)) <= {0, 255}
    assert not read_picture(saved(Image.fromarray(COLOUR).quantize(8), "PNG")).is_gray


def test_cmyk_without_a_profile_is_converted_as_pillow_does():
    inks = Image.fromarray(COLOUR).convert("CMYK")
    for content in (saved(inks, "TIFF"), saved(inks, "JPEG", quality=100, subsampling=0)):
        pixels = read_picture(content).pixels.astype(float)
        expected = np.array(Image.open(io.BytesIO(content)).convert("RGB"), float)
        assert np.abs(pixels - expected).max() <= 1
        assert np.abs(pixels - COLOUR).mean() <= 3


def test_cmyk_of_a_jpeg_without_adobes_marker_is_no_negative():
    inks = np.array(Image.fromarray(COLOUR).convert("CMYK"))
    adobe = saved(Image.fromarray(255 - inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    at = adobe.index(b"\xff\xee")
    length = int.from_bytes(adobe[at + 2 : at + 4], "big")
    content = adobe[:at] + adobe[at + 2 + length :]
    assert b"Adobe" not in content
    assert np.abs(read_picture(content).pixels.astype(float) - COLOUR).mean() <= 3


def test_lab_and_ycbcr_become_rgb():
    image = Image.fromarray(COLOUR)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    in_lab = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    assert in_lab is not None
    for content in (saved(in_lab, "TIFF"), saved(image.convert("YCbCr"), "TIFF")):
        picture = read_picture(content)
        assert picture.attributes.icc is None
        assert np.abs(picture.pixels.astype(float) - COLOUR).mean() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_orientation_is_applied_and_reset(name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(COLOUR), name, exif=exif)
    stored = Image.open(io.BytesIO(content))
    upright = np.array(ImageOps.exif_transpose(stored).convert("RGB"))
    picture = read_picture(content)
    np.testing.assert_array_equal(picture.pixels, upright)
    if picture.attributes.exif:
        again = Image.Exif()
        again.load(picture.attributes.exif)
        assert again.get(0x0112, 1) == 1


def test_animations_tell_durations_and_loops():
    frames = [Image.fromarray(np.roll(COLOUR, 9 * at, axis=1)) for at in range(3)]
    durations = [100, 250, 40]
    options = {"append_images": frames[1:], "duration": durations, "loop": 2, "save_all": True}
    for name in ("PNG", "WEBP", "GIF"):
        lossless = {"lossless": True} if name == "WEBP" else {}
        with open_pictures(saved(frames[0], name, **options, **lossless)) as pictures:
            found = list(pictures)
        assert (pictures.count, pictures.loop, pictures.is_animation) == (3, 2, True)
        assert [frame.attributes.duration_ms for frame in found] == durations
        if name != "GIF":
            for frame, drawn in zip(found, frames, strict=True):
                np.testing.assert_array_equal(frame.pixels, np.array(drawn))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_only_its_end_is_read(progressive):
    content = saved(Image.fromarray(scene(80, 120)), "JPEG", progressive=progressive)
    whole = read_picture(content).pixels
    for missing in (1, 2):
        np.testing.assert_array_equal(read_picture(content[:-missing]).pixels, whole)
    for missing in (6, 40, len(content) // 2):
        with pytest.raises(DataError, match="is damaged.*truncated"):
            read_picture(content[:-missing])


def test_the_content_tells_the_format(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(Image.fromarray(COLOUR), "PNG"))
    with open_pictures(path) as pictures:
        assert pictures.format == "PNG"
    for content in (b"", b"hello", b"\x89PN"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"photo\.jpg: is not an image"):
            read_picture(path)
    with pytest.raises(DataError, match=r"gone\.png: No such file"):
        read_picture(tmp_path / "gone.png")


def huge_png(width, height):
    """All black, 1 bit a pixel."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-width // 8))
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, chunk in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b"")):
        content += struct.pack(">I", len(chunk)) + kind + chunk
        content += struct.pack(">I", zlib.crc32(kind + chunk))
    return content


def test_pixels_are_limited_and_the_limit_can_be_raised():
    content = huge_png(16_320, 12_240)
    with open_pictures(content) as pictures:  # a phone's photo of 200 megapixels
        assert pictures.count == 1
    with pytest.raises(DataError, match=r"199,756,800 in all, more than max_pixels=1000"):
        open_pictures(content, limits=Limits(max_pixels=1000))


def test_what_grows_too_much_is_refused():
    content = tiff(np.zeros((10_000, 9_000), np.uint8), compression="zstd", photometric=1)
    with pytest.raises(DataError, match=r"max_ratio=1100; raise it"):
        open_pictures(content)
    with open_pictures(content, limits=Limits(max_ratio=1e9)) as pictures:
        assert pictures.count == 1


def test_frames_are_limited():
    with pytest.raises(DataError, match=r"3 frames or pages, more than max_frames=2; raise it"):
        open_pictures(drawn_files()["gif_animation"], limits=Limits(max_frames=2))


def test_10_and_12_bits_are_stretched_to_16():
    levels = np.linspace(0, 1023, 64).astype(np.uint16)
    ten = np.repeat(np.tile(levels, (64, 1))[:, :, None], 3, axis=2)
    content = imagecodecs.avif_encode(ten, level=100, bitspersample=10, speed=10)
    pixels = read_picture(bytes(content)).pixels
    assert pixels.dtype == np.uint16
    assert pixels.min() < 100 and pixels.max() > 65_400
    assert np.abs(pixels / 65535 - ten / 1023).max() < 0.01


def test_attributes_of_a_photo():
    said = {"exif": exif_block(), "dpi": (300, 300), "comment": b"drawn", "icc_profile": b"x" * 200}
    attributes = read_picture(saved(Image.fromarray(COLOUR), "JPEG", **said)).attributes
    assert (attributes.icc, attributes.dpi) == (b"x" * 200, (300, 300))
    assert attributes.texts == {"Comment": "drawn"}
    exif = Image.Exif()
    exif.load(attributes.exif or b"")
    assert (exif[0x010F], exif[0x0112]) == ("DrawnCam", 1)
    assert exif.get_ifd(0x8825)[2] == (48.0, 0.0, 0.0)
