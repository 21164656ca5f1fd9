"""Colours that a PNG names without an ICC profile are kept by other formats, or converted."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.studies.drawn_files import scene
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import Encoding, write_picture

COLOUR = scene()
D65, SRGB = (0.3127, 0.3290), (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)


def chrm(white, primaries):
    return struct.pack(">8L", *(round(value * 100_000) for value in (*white, *primaries)))


def gama(exponent):
    return struct.pack(">L", round(exponent * 100_000))


def png(pixels, **chunks):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    content = file.getvalue()
    for kind, chunk in chunks.items():
        named = kind.encode() + chunk
        named = struct.pack(">L", len(chunk)) + named + struct.pack(">L", zlib.crc32(named))
        content = content[:33] + named + content[33:]
    return content


def written(content, suffix, **options):
    file = io.BytesIO()
    write_picture(file, read_picture(content), Encoding(suffix, **options))
    return file.getvalue()


def matrix(white, primaries):
    """From linear RGB to XYZ."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in np.reshape(primaries, (3, 2))]).T
    x, y = white
    return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])


def srgb_of(levels):
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def bt709_of(levels):
    return np.where(levels < 0.081, levels / 4.5, ((levels + 0.099) / 1.099) ** (1 / 0.45))


def shown(pixels, primaries, to_linear):
    """The pixels as sRGB shows them: the white is the same, so nothing is adapted."""
    linear = to_linear(pixels / 255)
    linear = linear @ (np.linalg.inv(matrix(D65, SRGB)) @ matrix(D65, primaries)).T
    linear = np.clip(linear, 0, 1)
    levels = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * levels


CASES = {
    "linear": ({"gAMA": gama(1)}, SRGB, lambda levels: levels),
    "gamma": ({"gAMA": gama(1 / 1.8), "cHRM": chrm(D65, SRGB)}, SRGB, lambda levels: levels**1.8),
    "cHRM": ({"cHRM": chrm(D65, P3)}, P3, srgb_of),
    "both": (
        {"gAMA": gama(1 / 2.2), "cHRM": chrm(D65, P3)},
        P3,
        lambda levels: levels ** (1 / 0.45455),
    ),
    "P3": ({"cICP": bytes([12, 13, 0, 1])}, P3, srgb_of),
    "BT.2020": ({"cICP": bytes([9, 1, 0, 1])}, BT2020, bt709_of),
    "2.8": ({"cICP": bytes([1, 5, 0, 1])}, SRGB, lambda levels: levels**2.8),
    "cICP first": ({"cICP": bytes([12, 13, 0, 1]), "gAMA": gama(1), "sRGB": b"\0"}, P3, srgb_of),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_they_are_converted(case, suffix):
    chunks, primaries, to_linear = CASES[case]
    content = written(png(COLOUR, **chunks), suffix, icc="convert")
    with Image.open(io.BytesIO(content)) as image:
        assert not image.info.keys() & {"icc_profile", "gamma", "chromaticity"}
        found = np.array(image.convert("RGB"), float)
    assert b"cICP" not in content
    assert np.abs(found - shown(COLOUR, primaries, to_linear)).max() <= 2


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", ["tif", "webp"])
def test_they_are_kept_as_a_profile(case, suffix):
    chunks, primaries, to_linear = CASES[case]
    with Image.open(io.BytesIO(written(png(COLOUR, **chunks), suffix))) as image:
        np.testing.assert_array_equal(np.array(image.convert("RGB")), COLOUR)
        profile = io.BytesIO(image.info["icc_profile"])
        srgb = ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image.convert("RGB"), profile, srgb, ImageCms.Intent(1))
    expected = shown(COLOUR, primaries, to_linear)
    assert np.abs(np.array(found, float) - expected).max() <= 2


@pytest.mark.parametrize("case", CASES)
def test_from_png_to_png_they_stay(case):
    content = written(png(COLOUR, **CASES[case][0]), "png")
    for kind, chunk in CASES[case][0].items():
        assert kind.encode() + chunk in content
    assert b"iCCP" not in content


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_gray(suffix):
    gray = np.tile(np.arange(0, 256, 8).astype(np.uint8), (24, 1))
    content = png(gray, gAMA=gama(1), cHRM=chrm(D65, P3))
    with Image.open(io.BytesIO(written(content, suffix))) as image:
        assert image.mode == "L" and image.info["icc_profile"][16:20] == b"GRAY"
    with Image.open(io.BytesIO(written(content, suffix, icc="convert"))) as image:
        expected = shown(np.repeat(gray[:, :, None], 3, axis=2), SRGB, lambda levels: levels)
        assert np.abs(np.array(image, float) - expected[:, :, 0]).max() <= 2


@pytest.mark.parametrize("suffix", ["webp", "avif"])
def test_gray_where_a_format_has_none(suffix):
    gray = np.tile(np.arange(0, 256, 8).astype(np.uint8), (24, 1))
    content = png(gray, gAMA=gama(1))
    with Image.open(io.BytesIO(written(content, suffix))) as image:
        assert "icc_profile" not in image.info
        expected = shown(np.repeat(gray[:, :, None], 3, axis=2), SRGB, lambda levels: levels)
        assert np.abs(np.array(image.convert("RGB"), float) - expected).max() <= 3


@pytest.mark.parametrize(
    "chunks",
    [
        {"sRGB": b"\0", "gAMA": gama(1)},
        {"gAMA": gama(0.45455)},
        {"gAMA": gama(0.45455), "cHRM": chrm(D65, SRGB)},
        {"cICP": bytes([1, 13, 0, 1])},
        {"gAMA": gama(0)},
        {"cHRM": chrm((0.3, 0), SRGB)},
        {"cHRM": chrm(D65, (0.1, 0.1, 0.2, 0.2, 0.3, 0.3))},
        {"cHRM": chrm(D65, (0, 0, 0, 0, 0, 0))},
    ],
)
def test_srgb_and_what_is_damaged_need_none(chunks, caplog):
    picture = read_picture(png(COLOUR, **chunks))
    assert picture.attributes.icc is None
    with Image.open(io.BytesIO(written(png(COLOUR, **chunks), "webp"))) as image:
        assert "icc_profile" not in image.info
    assert not caplog.records


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_warning_tells_of_colours_that_no_profile_holds(transfer, caplog):
    content = png(COLOUR, cICP=bytes([9, transfer, 0, 1]))
    written(content, "png")
    assert not caplog.records
    for suffix in ("webp", "jpg", "tif", "bmp"):
        caplog.clear()
        written(content, suffix)
        (record,) = caplog.records
        assert "will look different; use .png" in record.getMessage()
    caplog.clear()
    assert bytes([9, transfer, 0, 1]) in written(content, "png", icc="convert")
    (record,) = caplog.records
    assert "cannot be converted" in record.getMessage()
