"""What is written is what other readers read: the table of docs/guide/formats.md, cell by cell."""

import dataclasses
import io
import re
import shutil
import subprocess

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageSequence

from benchmarks.studies.drawn_files import XMP, exif_block, scene
from sr_images.attributes.settings import settings_of
from sr_images.encoding import HOLDS
from sr_images.icc import srgb_profile
from sr_images.picture import Attributes, Picture
from sr_images.pictures_in import open_pictures, read_picture
from sr_images.pictures_out import Encoding, check_encoding, write_picture, write_pictures
from sr_images.strip_writer import write_strips
from sr_program.errors import DataError, UsageError
from sr_program.machine.optional_packages import is_installed

COLOUR = scene(40, 64)
EXIF = exif_block().removeprefix(b"Exif\0\0")  # as a TIFF has it
ALPHA = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None], 40, axis=0)
SUFFIX = {"JPEG": "jpg", "TIFF": "tif"}
ALL = sorted(HOLDS)
LOSSY = {"JPEG": 9.0, "AVIF": 9.0, "HEIC": 9.0, "GIF": 9.0}  # mean distance, levels, at most


def written(picture, name, **options):
    if name in ("HEIC", "JXL") and not is_installed(name.lower()):
        pytest.skip(f"needs the extra {name.lower()}: pip install 'bi-gans-st[{name.lower()}]'")
    file = io.BytesIO()
    write_picture(file, picture, Encoding(SUFFIX.get(name, name.lower()), **options))
    return file.getvalue()


def independent(content, name):
    """The samples as another library than the writer's reads them: [H, W, 3 or 4], or [H, W]."""
    if name == "TIFF":
        return np.array(Image.open(io.BytesIO(content)))
    if name == "NPY":
        return np.load(io.BytesIO(content)).squeeze()
    if name in ("AVIF", "WEBP", "JXL"):
        return getattr(imagecodecs, {"JXL": "jpegxl"}.get(name, name.lower()) + "_decode")(content)
    if name in ("GIF", "HEIC"):
        return np.array(Image.open(io.BytesIO(content)).convert("RGB"))
    levels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert levels is not None
    return levels if levels.ndim == 2 else levels[:, :, [2, 1, 0, 3][: levels.shape[2]]]


@pytest.mark.parametrize("name", ALL)
def test_colours(name):
    found = independent(written(Picture(COLOUR), name), name)[:, :, :3].astype(float)
    assert np.abs(found - COLOUR).mean() <= LOSSY.get(name, 0)


@pytest.mark.parametrize("name", ALL)
def test_gray_stays_gray(name):
    found = independent(written(Picture(COLOUR[:, :, 1:2]), name), name)
    if found.ndim == 3:
        assert np.ptp(found[:, :, :3].astype(int), axis=2).max() <= (1 if name == "HEIC" else 0)
        found = found[:, :, 0]
    assert np.abs(found.astype(float) - COLOUR[:, :, 1]).mean() <= LOSSY.get(name, 0)


@pytest.mark.parametrize("name", ALL)
def test_alpha(name):
    picture = Picture(COLOUR, ALPHA)
    if not HOLDS[name].alpha:
        with pytest.raises(UsageError, match=r"cannot hold transparency; use \.png"):
            written(picture, name)
        return
    content = written(picture, name)
    if name in ("GIF", "HEIC"):
        found = np.array(Image.open(io.BytesIO(content)).convert("RGBA"))[:, :, 3]
    else:
        found = independent(content, name)[:, :, 3]
    expected = np.where(ALPHA < 128, 0, 255) if name == "GIF" else ALPHA
    assert np.abs(found.astype(float) - expected).mean() <= (3 if name in ("AVIF", "HEIC") else 0)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("name", ALL)
def test_depth(name, dtype):
    levels = np.linspace(0, 1, 40 * 64 * 3).reshape(40, 64, 3)
    deep = levels.astype(np.float32) if dtype == "float32" else (levels * 65535).astype(np.uint16)
    content = written(Picture(deep), name)
    if name in ("PNG", "TIFF", "NPY"):
        kept = "uint16" if name == "PNG" else dtype
        found = (
            tifffile.imread(io.BytesIO(content)) if name == "TIFF" else independent(content, name)
        )
        assert found.dtype.name == kept
        if kept == dtype:
            np.testing.assert_array_equal(found, deep)
        else:
            assert np.abs(found / 65535 - deep).max() <= 0.5 / 65535 + 1e-7
    else:
        found = independent(content, name)[:, :, :3]
        assert found.dtype == np.uint8
        if name not in LOSSY:
            white = 1 if dtype == "float32" else 65535
            rounded = np.floor(deep.astype(float) / white * 255 + 0.5)
            np.testing.assert_array_equal(found, rounded)


def other_profile():
    """sRGB's primaries in another order: red is shown as green."""
    primaries = np.array([0.30, 0.60, 0.64, 0.33, 0.15, 0.06])
    return imagecodecs.cms_profile(
        "rgb",
        whitepoint=[0.3127, 0.3290, 1.0],
        primaries=[*primaries[:2], 1, *primaries[2:4], 1, *primaries[4:], 1],
        gamma=2.2,
    )


@pytest.mark.parametrize("icc", ["keep", "convert"])
@pytest.mark.parametrize("name", ALL)
def test_a_profile_stays_or_is_converted(name, icc):
    profile = other_profile()
    picture = Picture(COLOUR, attributes=Attributes(icc=profile))
    content = written(picture, name, icc=icc)
    found = read_picture(content)
    if HOLDS[name].icc and icc == "keep":
        assert found.attributes.icc == profile
        assert np.abs(found.pixels.astype(float) - COLOUR).mean() <= LOSSY.get(name, 0)
        return
    source, srgb = io.BytesIO(profile), ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(Image.fromarray(COLOUR), source, srgb, ImageCms.Intent(1))
    assert expected is not None and found.attributes.icc != profile
    assert name == "JXL" or found.attributes.icc is None
    tolerance = LOSSY.get(name, 0) + 1
    assert np.abs(found.pixels.astype(float) - np.array(expected)).mean() <= tolerance


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIC", "JXL"])
@pytest.mark.parametrize("strip", ["none", "gps", "all"])
def test_metadata(name, strip):
    said = Attributes(exif=EXIF, xmp=XMP, dpi=(300, 300))
    settings = {"Software": "a program", "xi": '0.73 "<&'}
    content = written(Picture(COLOUR, attributes=said), name, strip=strip, settings=settings)
    found = read_picture(content).attributes
    if strip == "all":
        assert (found.exif, found.xmp, dict(found.texts), settings_of(found)) == (
            None,
            None,
            {},
            {},
        )
        assert b"DrawnCam" not in content
        return
    assert settings_of(found) == settings
    exif = Image.Exif()
    exif.load(found.exif or b"")
    camera = exif.get_ifd(0x8769)
    assert (exif[0x010F], camera[0x9003]) == ("DrawnCam", "2024:05:06 07:08:09")
    assert (camera[0xA002], camera[0xA003]) == (64, 40)
    assert exif.get(0x0112, 1) == 1 or name == "TIFF"
    assert bool(exif.get_ifd(0x8825)) == (strip == "none")
    assert (b"GPSLatitude" in (found.xmp or b"")) == (strip == "none")
    assert b'PixelXDimension="64"' in (found.xmp or b"")
    if name in ("PNG", "JPEG", "TIFF"):
        np.testing.assert_allclose(found.dpi or (), 300, atol=0.01)


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "avif"])
def test_animations(suffix):
    frames = [np.roll(COLOUR, 8 * number, axis=1) for number in range(3)]
    durations = (100.0, 40.0, 250.0)
    pictures = [
        Picture(frame, attributes=Attributes(duration_ms=duration))
        for frame, duration in zip(frames, durations, strict=True)
    ]
    file = io.BytesIO()
    write_pictures(file, iter(pictures), Encoding(suffix), count=3, loop=2)
    with Image.open(file) as image:
        assert getattr(image, "n_frames", 1) == 3
        assert suffix == "avif" or image.info["loop"] == 2
        shown = [
            (np.array(frame.convert("RGB"), float), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]
    for (found, duration), frame, expected in zip(shown, frames, durations, strict=True):
        assert duration == expected
        tolerance = 0 if suffix in ("png", "webp") else 9
        assert np.abs(found - frame).mean() <= tolerance


def test_pages_of_a_tiff_have_their_own_depths():
    pages = [Picture(COLOUR), Picture(COLOUR[:20, :, :1].astype(np.uint16) * 257)]
    file = io.BytesIO()
    write_pictures(file, iter(pages), Encoding("tif"), count=2)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        found = [page.asarray() for page in tiff.pages]
    np.testing.assert_array_equal(found[0], COLOUR)
    np.testing.assert_array_equal(found[1], COLOUR[:20, :, 0].astype(np.uint16) * 257)


ANIMATIONS = ("png", "webp", "gif", "avif")


@pytest.mark.parametrize("suffix", ANIMATIONS)
def test_an_animation_of_several_sizes_is_refused(tmp_path, suffix):
    pages = [Picture(COLOUR), Picture(COLOUR[:20])]
    with pytest.raises(DataError, match=r"differ in size \(64x40 and 64x20 pixels\).*use \.tif$"):
        write_pictures(tmp_path / f"a.{suffix}", iter(pages), count=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ANIMATIONS)
@pytest.mark.parametrize("first_is_deep", [False, True])
def test_an_animation_has_one_depth(suffix, first_is_deep):
    deep = Picture(COLOUR[:, :, :1].astype(np.uint16) * 257, ALPHA.astype(np.uint16) * 257)
    pages = [Picture(COLOUR), deep]
    file = io.BytesIO()
    write_pictures(file, iter(pages[::-1] if first_is_deep else pages), Encoding(suffix), count=2)
    with Image.open(file) as image:
        found = [np.array(frame.convert("RGBA"), float) for frame in ImageSequence.Iterator(image)]
    plain, gray = found[::-1] if first_is_deep else found
    tolerance = 0 if suffix in ("png", "webp") else 9
    shown = ALPHA >= 128
    assert np.abs(plain[:, :, :3] - COLOUR).mean() <= tolerance
    assert np.abs(gray[:, :, :3] - COLOUR[:, :, :1])[shown].mean() <= tolerance


@pytest.mark.parametrize("is_gray", [False, True])
@pytest.mark.parametrize("holes", ["OT", "TO", "OTO", "TTO", "OOTTO", "TOT"])
def test_nothing_is_seen_through_a_frame_of_a_gif(holes, is_gray):
    """O is an opaque frame, T one whose left or right half is transparent; red and blue in turn."""
    pictures = []
    for number, kind in enumerate(holes):
        pixels = np.zeros((6, 8, 1 if is_gray else 3), np.uint8)
        pixels[:, :, 0 if is_gray else (0, 2)[number % 2]] = 255 - 100 * is_gray * (number % 2)
        alpha = np.full((6, 8), 255, np.uint8)
        alpha[:, slice(0, 4) if number % 2 else slice(4, 8)] = 0
        pictures.append(Picture(pixels, alpha if kind == "T" else None))
    file = io.BytesIO()
    write_pictures(file, iter(pictures), Encoding("gif"), count=len(holes), loop=0)
    with Image.open(file) as image:
        found = [np.array(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]
    for picture, shown in zip(pictures, found, strict=True):
        alpha = np.full((6, 8), 255) if picture.alpha is None else picture.alpha
        np.testing.assert_array_equal(shown[:, :, 3], alpha)
        expected = np.broadcast_to(picture.pixels, (6, 8, 3))
        np.testing.assert_array_equal(shown[alpha == 255][:, :3], expected[alpha == 255])
    if holes[0] == "T":  # it comes again, after the last
        last = file.getvalue().rindex(b"!\xf9\x04")
        assert file.getvalue()[last + 3] >> 2 & 7 == 2


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "npy"])
def test_several_frames_are_refused_where_one_is_held(suffix):
    with pytest.raises(UsageError, match="cannot hold 2 frames or pages"):
        check_encoding(f"a.{suffix}", 4, 4, Picture(COLOUR), frames=2)


def test_a_wrong_number_of_frames_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="not 3"):
        write_pictures(tmp_path / "a.png", [Picture(COLOUR)] * 2, count=3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_strips(tmp_path, suffix, channels, dtype):
    white = np.iinfo(dtype).max
    samples = np.random.default_rng(0).integers(0, white, (70, 33, channels), endpoint=True)
    samples = samples.astype(dtype)
    said = Attributes(icc=srgb_profile() if channels > 2 else None, exif=EXIF)
    path = tmp_path / f"a.{suffix}"
    write_strips(
        path, np.split(samples, [9, 50]), 70, 33, channels=channels, dtype=dtype, attributes=said
    )
    reader = imagecodecs.png_decode if suffix == "png" else imagecodecs.tiff_decode
    np.testing.assert_array_equal(reader(path.read_bytes()).reshape(samples.shape), samples)
    found = read_picture(path).attributes
    assert found.icc == said.icc and b"DrawnCam" in (found.exif or b"")


def test_colour_chunks_and_texts_of_a_png_stay():
    chunks = {"cICP": b"\x0c\x0d\0\1", "gAMA": b"\0\0\xb1\x8f"}
    said = Attributes(colour_chunks=chunks, texts={"Title": "Zeichnung ü", "name": "Ω"})
    content = written(Picture(COLOUR, attributes=said), "PNG")
    for kind, chunk in chunks.items():
        assert kind.encode() + chunk in content
    found = read_picture(content).attributes
    assert found.colour_chunks == chunks
    with Image.open(io.BytesIO(content)) as image:
        assert (image.info["Title"], image.info["name"]) == ("Zeichnung ü", "Ω")


def test_iptc_stays_in_jpeg_and_tiff():
    records = b"\x1c\x02\x78\x00\x05drawn"
    for name in ("JPEG", "TIFF"):
        content = written(Picture(COLOUR, attributes=Attributes(iptc=records)), name)
        assert read_picture(content).attributes.iptc == records


def test_imagemagick_agrees():
    if shutil.which("identify") is None:
        pytest.skip("needs ImageMagick: apt-get install imagemagick")
    deep = Picture(COLOUR.astype(np.uint16) * 257, ALPHA.astype(np.uint16) * 257)
    for name in ("PNG", "TIFF"):
        done = subprocess.run(
            ["identify", "-format", "%w %h %z %[fx:mean]", "-"],
            input=written(deep, name),
            capture_output=True,
            check=True,
        )
        width, height, depth, _ = done.stdout.split()
        assert (int(width), int(height), int(depth)) == (64, 40, 16)


@pytest.mark.parametrize(
    "options", [{"quality": 0}, {"strip": "some"}, {"icc": "x"}, {"format": "x"}]
)
def test_settings_that_are_none(options):
    with pytest.raises(UsageError, match=re.escape(f"{next(iter(options))}=")):
        Encoding(**options)


def test_quality_counts():
    rough, fine = (len(written(Picture(COLOUR), "JPEG", quality=one)) for one in (20, 95))
    assert rough < fine
    with pytest.raises(UsageError, match="quality=90 has no effect"):
        written(Picture(COLOUR), "PNG", quality=90)


def test_what_was_read_is_what_was_written_again():
    said = dataclasses.replace(Attributes(), exif=EXIF)
    with open_pictures(written(Picture(COLOUR, ALPHA, said), "PNG")) as pictures:
        once = next(iter(pictures))
    again = read_picture(written(once, "PNG"))
    np.testing.assert_array_equal(again.pixels, once.pixels)
    assert again.attributes == once.attributes
