"""Colours of an AVIF or HEIC that has code points and no profile are not lost."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from sr_images.attributes.nclx import with_colours
from sr_images.encoding import Encoding
from sr_images.picture import Attributes
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import write_picture

RGB = np.random.default_rng(4).integers(40, 216, (6, 8, 3), np.uint8).repeat(4, 0).repeat(4, 1)


def avif(primaries: int, transfer: int) -> bytes:
    content = imagecodecs.avif_encode(
        RGB, level=100, pixelformat="444", primaries=primaries, transfer=transfer
    )
    return bytes(content)


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 16), (1, 16), (9, 1)])
def test_code_points_become_those_of_a_png(primaries: int, transfer: int) -> None:
    picture = read_picture(avif(primaries, transfer))
    expected = bytes([primaries, transfer, 0, 1])
    assert picture.attributes.colour_chunks == {"cICP": expected}
    file = io.BytesIO()
    write_picture(file, picture, Encoding(format="png"))
    assert b"cICP" + expected in file.getvalue()


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (1, 1), (2, 2), (1, 6)])
def test_srgb_needs_none(primaries: int, transfer: int) -> None:
    assert read_picture(avif(primaries, transfer)).attributes.colour_chunks == {}


def test_a_jpeg_gets_a_profile_of_display_p3() -> None:
    file = io.BytesIO()
    write_picture(file, read_picture(avif(12, 13)), Encoding(format="jpg", quality=100))
    image = Image.open(file)
    icc = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    lab = ImageCms.profileToProfile(red, icc, ImageCms.createProfile("LAB"), outputMode="LAB")
    lightness, a, _ = (float(value) for value in lab.getpixel((0, 0)))  # pyright: ignore
    # Display P3's red in CIELAB of D50: 56.2, 79.7; sRGB's is 54.3, 80.8.
    assert lightness * 100 / 255 == pytest.approx(56.2, abs=0.5)
    assert abs(np.asarray(image).astype(int) - RGB).mean() < 3
    assert a > 0


def test_a_profile_and_a_file_without_the_box_stay_as_they_are() -> None:
    profile = Attributes(icc=b"profile")
    assert with_colours(profile, avif(12, 13)) is profile
    assert with_colours(Attributes(), b"colr") == Attributes()
    assert with_colours(Attributes(), b"colrnclx\0\x0c\0") == Attributes()
