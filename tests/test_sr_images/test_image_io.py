import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sr_images.image_io import (
    IMAGE_SUFFIXES,
    decode_rgb,
    from_signed,
    is_gray,
    read_rgb,
    to_signed,
    write_rgb,
)
from sr_program.errors import DataError, UsageError


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (13, 17, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif", ".tiff", ".PNG"])
def test_lossless_formats_keep_every_pixel(tmp_path, photo, suffix):
    path = tmp_path / f"photo{suffix}"
    write_rgb(path, photo)
    np.testing.assert_array_equal(read_rgb(path), photo)
    np.testing.assert_array_equal(np.array(Image.open(path)), photo)
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_of_a_file_is_decoded_like_the_file(tmp_path, photo):
    write_rgb(tmp_path / "photo.png", photo)
    content = (tmp_path / "photo.png").read_bytes()
    np.testing.assert_array_equal(decode_rgb(content, "photo"), photo)
    with pytest.raises(DataError, match=r"^the third photo: is damaged"):
        decode_rgb(content[:-300], "the third photo")
    save_16_bit_colour(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"^deep: has 16 or more bits"):
        decode_rgb((tmp_path / "deep.png").read_bytes(), "deep")


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_jpeg_keeps_colours_at_full_resolution(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (200, 40, 40)
    stripes[:, 1::2] = (40, 40, 200)
    write_rgb(path, stripes)
    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # type: ignore
    # with halved chroma resolution neighbouring stripes would share their colour
    assert np.abs(read_rgb(path).astype(int) - stripes).max() < 30


def test_every_readable_suffix_is_writable(tmp_path, photo):
    for suffix in IMAGE_SUFFIXES:
        write_rgb(tmp_path / f"photo{suffix}", photo)


@pytest.mark.parametrize("name", ["photo.gif", "photo", "photo.png.txt"])
def test_unknown_suffix(tmp_path, photo, name):
    with pytest.raises(UsageError, match=rf"{name}: cannot write .* \.png"):
        write_rgb(tmp_path / name, photo)
    assert list(tmp_path.iterdir()) == []


def test_only_rgb_bytes_are_written(tmp_path, photo):
    for image in (photo[..., 0], photo.astype(np.float32), np.zeros((2, 2, 4), np.uint8)):
        with pytest.raises(ValueError, match="expected uint8"):
            write_rgb(tmp_path / "photo.png", image)
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_the_old_file(tmp_path, photo, monkeypatch):
    path = tmp_path / "photo.png"
    write_rgb(path, photo)

    def full_disk(self, file, *args, **kwargs):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(OSError, match="disk full"):
        write_rgb(path, 255 - photo)
    np.testing.assert_array_equal(read_rgb(path), photo)
    assert list(tmp_path.iterdir()) == [path]


def test_gray_palette_and_1_bit_become_rgb(tmp_path):
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "gray.png"), np.stack([gray] * 3, -1))

    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]], np.uint8)
    palette = Image.fromarray(colours).quantize(4)
    assert palette.mode == "P"
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "palette.png"), colours)

    bits = np.array([[True, False], [False, True]])
    Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "bits.png")[..., 0], np.where(bits, 255, 0))
    assert is_gray(tmp_path / "gray.png") and is_gray(tmp_path / "bits.png")
    assert not is_gray(tmp_path / "palette.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    """The eight cases as the EXIF standard words them: where row 0 and column 0 are shown."""
    stored = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3) * 40
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.T,
        6: stored[::-1].T,
        7: stored[::-1, ::-1].T,
        8: stored[:, ::-1].T,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    Image.fromarray(np.stack([stored] * 3, -1)).save(path, exif=exif)
    np.testing.assert_array_equal(read_rgb(path)[..., 0], upright)


def save_16_bit_colour(path):
    """Pillow cannot write such a file, and reads it as 8 bits without a word."""
    cv2.imwrite(str(path), np.full((4, 4, 3), 40000, np.uint16))


def save_animation(path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def save_palette_with_transparency(path):
    Image.new("P", (4, 4)).save(path, transparency=0)


UNSUPPORTED = {
    "alpha.png": (lambda path: Image.new("RGBA", (4, 4)).save(path), "transparency"),
    "gray_alpha.png": (lambda path: Image.new("LA", (4, 4)).save(path), "transparency"),
    "palette.png": (save_palette_with_transparency, "transparency"),
    "colour_key.png": (
        lambda path: Image.new("RGB", (4, 4)).save(path, transparency=(0, 0, 0)),
        "transparency",
    ),
    "gray16.png": (lambda path: Image.new("I;16", (4, 4)).save(path), "16 or more bits"),
    "colour16.png": (save_16_bit_colour, "16 or more bits"),
    "colour16.tif": (save_16_bit_colour, "16 or more bits"),
    "float.tif": (lambda path: Image.new("F", (4, 4)).save(path), "16 or more bits"),
    "cmyk.jpg": (lambda path: Image.new("CMYK", (4, 4)).save(path), "colour model CMYK"),
    "animation.png": (save_animation, "several frames"),
    "animation.webp": (save_animation, "several frames"),
    "pages.tif": (save_animation, "several frames"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported_kinds_are_refused_with_a_remedy(tmp_path, name):
    save, reason = UNSUPPORTED[name]
    save(tmp_path / name)
    with pytest.raises(DataError, match=reason) as caught:
        read_rgb(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: has ") and "\n" not in message
    assert any(remedy in message for remedy in ("convert it", "flatten it", "save one of them"))


def test_camera_jpeg_with_a_preview(tmp_path, photo):
    """Cameras store the photo and its preview as a multi-picture file; the photo is meant."""
    path = tmp_path / "camera.jpg"
    first, preview = Image.fromarray(photo), Image.new("RGB", (4, 4))
    first.save(path, "MPO", save_all=True, append_images=[preview], quality=95)
    assert read_rgb(path).shape == photo.shape


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # pytest forgets the filter of image_io
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_named(tmp_path, suffix, share):
    path = tmp_path / f"photo{suffix}"
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    write_rgb(path, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError) as caught:
        read_rgb(path)
    assert str(caught.value).startswith(f"{path}: is ") and "\n" not in str(caught.value)


def test_no_image_at_all(tmp_path):
    for name, content in (("empty.png", b""), ("text.jpg", b"hello"), ("magic.png", b"\x89PNG")):
        (tmp_path / name).write_bytes(content)
        for read in (read_rgb, is_gray):
            with pytest.raises(DataError, match=f"{name}: is not an image"):
                read(tmp_path / name)
    with pytest.raises(DataError, match=r"gone\.png: No such file"):
        read_rgb(tmp_path / "gone.png")
    with pytest.raises(DataError, match="Is a directory"):
        read_rgb(tmp_path)


def png_header(width, height):
    """A PNG that claims a size and has no pixels."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_huge_images_are_refused(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(20_000, 20_000))
    with pytest.raises(DataError, match=r"huge\.png: has more than .* pixels; crop or shrink"):
        read_rgb(path)


def test_pillow_adds_no_warnings(tmp_path, photo, subprocess_environment):
    """Large photos below the limit, and damage that is reported as an error."""
    write_rgb(tmp_path / "damaged.tif", photo)
    content = (tmp_path / "damaged.tif").read_bytes()
    (tmp_path / "damaged.tif").write_bytes(content[:-8])
    (tmp_path / "large.png").write_bytes(png_header(10_000, 10_000))
    code = (
        "import sys\nfrom sr_images.image_io import is_gray, read_rgb\n"
        "assert not is_gray('large.png')\n"
        "try: read_rgb('damaged.tif')\nexcept ValueError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=subprocess_environment,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_signed_range_by_hand():
    signed = to_signed(np.array([0, 51, 255], np.uint8))
    assert signed.dtype == np.float32
    np.testing.assert_allclose(signed, [-1, -0.6, 1], atol=1e-7)
    levels = from_signed(np.array([-1.2, -1, -0.6, 0, 1, 3], np.float32))
    assert levels.dtype == np.uint8
    np.testing.assert_array_equal(levels, [0, 0, 51, 128, 255, 255])  # 127.5 rounds up


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signed_range_and_back(dtype):
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(from_signed(to_signed(levels).astype(dtype)), levels)


@given(st.floats(-2, 2, width=32))
def test_from_signed_is_the_nearest_level(value):
    level = int(from_signed(np.array([value], np.float32))[0])
    exact = min(max((value + 1) * 127.5, 0), 255)
    assert abs(level - exact) <= 0.5 + 1e-4
