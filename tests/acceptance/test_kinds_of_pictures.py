"""A folder of every kind of picture in one run; independent readers find what has to be there.

The model repeats pixels, so that the right values are those of the photo.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

RANDOM = np.random.default_rng(11)
COLOURS = RANDOM.integers(0, 256, (12, 16, 3), np.uint8)
GRAY = RANDOM.integers(0, 256, (12, 16), np.uint8)
RAMP = np.linspace(20_000, 24_000, 64).round().astype(np.uint16)[np.newaxis].repeat(12, axis=0)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif() -> Image.Exif:
    block = Image.Exif()
    block[0x010F], block[0x0112], block[0x8298] = "DrawnCam", 6, "(c) me"
    block.get_ifd(0x8825)[1] = "N"
    block.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    return block


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    colours, gray = Image.fromarray(COLOURS), Image.fromarray(GRAY)
    ramp_rgb = np.stack([RAMP] * 3)
    tifffile.imwrite(folder / "planar.tif", ramp_rgb, planarconfig="separate", photometric="rgb")
    tifffile.imwrite(folder / "planar_be.tif", ramp_rgb, planarconfig="separate",
                     photometric="rgb", byteorder=">")  # fmt: skip
    cv2.imwrite(str(folder / "gray16.png"), RAMP)
    tifffile.imwrite(folder / "float.tif", COLOURS.astype(np.float32) / 255, photometric="rgb")
    colours.save(folder / "icc.jpg", icc_profile=ICC, quality=95)
    colours.save(folder / "exif.jpg", exif=exif(), dpi=(300, 300), quality=95)
    opaque = colours.copy()
    opaque.putalpha(255)
    opaque.save(folder / "opaque.png")
    opaque.save(folder / "opaque.tif")
    disc = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    disc.paste((255, 255, 255, 255), (5, 5, 15, 15))
    disc.save(folder / "hidden.png")
    gray.save(folder / "gray.png")
    gray.convert("1").save(folder / "onebit.png")
    colours.convert("CMYK").save(folder / "cmyk.tif")
    frames = [gray, gray.transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(folder / "anim.gif", save_all=True, append_images=frames[1:], duration=100)
    content = (folder / "gray.png").read_bytes()
    (folder / "truncated.png").write_bytes(content[: len(content) // 2])
    return folder


def repeated(pixels: np.ndarray) -> np.ndarray:
    return pixels.repeat(4, axis=0).repeat(4, axis=1)


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image[..., 2::-1] if image.ndim == 3 and image.shape[2] == 3 else image


def test_png_of_every_kind(run, photos: Path) -> None:
    done = run("in", "--output=out")
    assert done.returncode == 1
    problem, count = [line for line in done.stderr.splitlines() if "one name" not in line]
    assert problem.startswith("bigans: in/truncated.png: is damaged")
    assert count == "bigans: 1 of 14 photos failed"
    out = photos.parent / "out"
    for name in ("planar", "planar_be"):
        np.testing.assert_array_equal(read(out / f"{name}_x4.png"), repeated(np.dstack([RAMP] * 3)))
    np.testing.assert_array_equal(read(out / "gray16_x4.png"), repeated(RAMP))
    found = read(out / "float_x4.png")
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(np.round(found / 257), repeated(COLOURS))
    for name in ("opaque_png", "opaque_tif"):
        np.testing.assert_array_equal(read(out / f"{name}_x4.png"), repeated(COLOURS))
    np.testing.assert_array_equal(read(out / "gray_x4.png"), repeated(GRAY))
    assert Image.open(out / "onebit_x4.png").mode in ("L", "1")
    hidden = read(out / "hidden_x4.png")
    assert hidden[..., :3][hidden[..., 3] > 0].min() >= 250
    assert hidden[0, 0, 3] == 0 and hidden[40, 40, 3] == 255
    difference = read(out / "cmyk_x4.png").astype(float) - repeated(COLOURS)
    assert np.abs(difference).mean() <= 3
    with Image.open(out / "icc_x4.png") as result:
        assert result.info["icc_profile"] == ICC
    with Image.open(out / "exif_x4.png") as result:
        assert result.size == (48, 64)  # upright
        block = result.getexif()
        assert (block[0x010F], block.get(0x0112, 1), block[0x8298]) == ("DrawnCam", 1, "(c) me")
        assert block.get_ifd(0x8825)[1] == "N"
        assert "model" in result.text["bi-gans-st"]  # pyright: ignore[reportAttributeAccessIssue]
    with Image.open(out / "anim_x4.png") as result:
        assert (result.n_frames, result.info["duration"]) == (2, 100)  # pyright: ignore


def test_a_preview_tells_what_would_fail(run, photos: Path) -> None:
    done = run("in", "--output=out", "--dry_run", "--format=jpg", COMPUTED="computed")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 14
    failing = [line for line in lines if line.startswith("fails: ")]
    assert [line.split(":")[1].strip() for line in failing] == [
        "out/anim_x4.jpg", "out/hidden_x4.jpg", "in/truncated.png",
    ]  # fmt: skip
    assert "in/planar.tif -> out/planar_x4.jpg: 64x12 -> 256x48, whole" in lines
    assert {path.name for path in photos.parent.iterdir()} == {"in"}


@pytest.mark.parametrize("strip", ["gps", "all"])
def test_what_is_stripped(run, photos: Path, strip: str) -> None:
    done = run("in/exif.jpg", "--output=out.jpg", f"--strip={strip}")
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(photos.parent / "out.jpg") as result:
        block = result.getexif()
        assert not block.get_ifd(0x8825)
        assert (block.get(0x010F) == "DrawnCam") == (strip == "gps")
    assert (b"bi-gans-st" in (photos.parent / "out.jpg").read_bytes()) == (strip == "gps")


def test_scale_and_size(run, photos: Path) -> None:
    for flag, name, size in (
        ("--scale=1.5", "gray_x1.5.png", (24, 18)),
        ("--scale=8", "gray_x8.png", (128, 96)),
        ("--size=40x30", "gray_40x30.png", (40, 30)),
    ):
        done = run("in/gray.png", "--output=out/", flag)
        assert (done.returncode, done.stderr) == (0, "")
        with Image.open(photos.parent / "out" / name) as result:
            assert (result.mode, result.size) == ("L", size)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--scale=5"], "scale"),
        (["--scale=2", "--size=4x4"], "--scale and --size exclude each other"),
        (["--consistent", "--max_deviation=3"], "--consistent and --max_deviation exclude"),
        (["--max_ratio=nan"], "--max_ratio is not a number"),
        (["--size=4"], "--size=4 is no size; write WIDTHxHEIGHT"),
        (["--size=0x4"], "--size=0x4 is no size"),
        (["--suffix=a/b"], "--suffix=a/b is a part of a file name"),
        (["--format=psd"], "format"),
        (["--quality=0"], "quality"),
        (["--quality=101"], "quality"),
        (["--quality=90"], "--quality=90 has no effect on"),
        (["--strip=most"], "strip"),
        (["--icc=drop"], "icc"),
        (["--exists=ask"], "exists"),
    ],
)
def test_a_wrong_value_is_one_line(run, photos: Path, flags: list[str], message: str) -> None:
    done = run("in/gray.png", "--output=out/", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_a_line_a_photo(run, photos: Path) -> None:
    done = run("in/gray.png", "in/icc.jpg", "--output=out", "--verbose")
    first, second = done.stderr.splitlines()
    assert first.startswith("bigans: in/gray.png -> out/gray_x4.png (16x12 -> 64x48, ")
    assert second.startswith("bigans: in/icc.jpg -> out/icc_x4.png (16x12 -> 64x48, ")
