"""The column "enlarged" of docs/guide/formats.md: from a file of each format to one of the same.

The files are drawn with other libraries than those that read them, and other libraries read the
results. The generators repeat pixels, so that what has to be there is known.
"""

from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.studies.drawn_files import drawn_files, scene
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Task
from sr_images.encoding import HOLDS, Encoding
from sr_program.machine.optional_packages import is_installed
from tests.test_bigans.upscaler.numpy_model import upscaler

# Of each format: what is drawn, and the mean distance that its coding may leave, grey levels.
DRAWN = {
    "PNG": ("png_rgb", 0.0),
    "JPEG": ("jpg_rgb", 5.0),
    "WEBP": ("webp_lossy", 5.0),
    "TIFF": ("tif_rgb_lzw", 0.0),
    "BMP": ("bmp_rgb", 0.0),
    "GIF": ("gif_still", 9.0),
    "AVIF": ("avif_rgb", 5.0),
    "HEIC": ("heic_rgb", 9.0),
    "JXL": ("jxl_rgb", 0.0),
    "NPY": ("npy_rgb", 0.0),
}
MANY = ("png_animation", "webp_animation", "gif_animation", "avif_animation")
TOY = upscaler()


def enlarged(tmp_path: Path, kind: str) -> Path:
    suffix = kind.partition("_")[0]
    photo, result = tmp_path / f"photo.{suffix}", tmp_path / f"result.{suffix}"
    photo.write_bytes(drawn_files()[kind])
    task = Task(photo, result, Encoding())
    assert enlarge_files([task], TOY, Enlarging(xi=0)) == []
    return result


_READS_ANIMATIONS = hasattr(cv2, "imreadanimation")


def read(path: Path) -> np.ndarray:
    """RGB, by a library that did not write the file."""
    content = path.read_bytes()
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".tif":
        return np.array(Image.open(path))
    if path.suffix == ".jxl":
        return imagecodecs.jpegxl_decode(content)
    if path.suffix == ".heic":
        return np.array(Image.open(path).convert("RGB"))
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if found is None and not _READS_ANIMATIONS:
        pytest.skip("needs an OpenCV that reads GIF and AVIF: a newer one, with imreadanimation")
    assert found is not None
    return found[:, :, ::-1]


def upright(pixels: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Turned as the EXIF block of the drawn files has it, unless its reader has done so."""
    lies = [one.shape[1] > one.shape[0] for one in (pixels, found)]
    return pixels if lies[0] == lies[1] else np.rot90(pixels, -1)


def large(pixels: np.ndarray) -> np.ndarray:
    return pixels.repeat(4, axis=0).repeat(4, axis=1)


@pytest.mark.parametrize("name", DRAWN)
def test_each_format(tmp_path: Path, name: str) -> None:
    if name in ("HEIC", "JXL") and not is_installed(name.lower()):
        pytest.skip(f"needs the extra {name.lower()}: pip install 'bi-gans-st[{name.lower()}]'")
    kind, distance = DRAWN[name]
    found = read(enlarged(tmp_path, kind)).astype(float)
    photo = tmp_path / f"photo.{kind.partition('_')[0]}"
    expected = large(upright(read(photo) if distance else scene(), found)).astype(float)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() <= distance


@pytest.mark.parametrize("kind", MANY)
def test_each_frame_of_an_animation(tmp_path: Path, kind: str) -> None:
    if not _READS_ANIMATIONS:
        pytest.skip("needs an OpenCV that reads animations: a newer one, with imreadanimation")
    result = enlarged(tmp_path, kind)
    read_all, animation = cv2.imreadanimation(str(result))
    assert read_all
    assert list(animation.durations) == [100, 100, 100]
    for number, frame in enumerate(animation.frames):
        expected = large(np.roll(scene(), 8 * number, axis=1)).astype(float)
        found = frame[:, :, 2::-1].astype(float)
        lossy = 0 if kind.startswith("png") else 9
        assert np.abs(found - expected).mean() <= lossy


def test_each_page_of_a_tiff(tmp_path: Path) -> None:
    with tifffile.TiffFile(enlarged(tmp_path, "tif_pages")) as pages:
        found = [page.asarray() for page in pages.pages]
    assert len(found) == 2
    np.testing.assert_array_equal(found[0], large(scene()))
    np.testing.assert_array_equal(found[1], large(scene()[::-1]))


def test_the_table_says_what_is_held() -> None:
    """The cells of the documents, and what the code goes by."""
    assert set(DRAWN) == set(HOLDS)
    guide = Path(__file__).parents[3] / "docs" / "guide" / "formats.md"
    rows = [line.split("|")[1:-1] for line in guide.read_text("utf-8").splitlines() if "|" in line]
    rows = [[cell.strip() for cell in row] for row in rows]
    columns = rows[0]
    names = {"WebP": "WEBP", "JPEG XL": "JXL", "NumPy": "NPY"}
    table = {}
    for row in rows[2:]:
        format = row[0].split(" (")[0].split(" `")[0]
        if names.get(format, format) in HOLDS:
            table[names.get(format, format)] = dict(zip(columns, row, strict=True))
    assert set(table) == set(HOLDS)
    for format, cells in table.items():
        holds = HOLDS[format]
        assert cells["enlarged"] == "yes"
        depths = {"8": "uint8", "16": "uint16", "float32": "float32"}
        assert tuple(depths[d] for d in cells["depth, written"].split(", ")) == holds.dtypes
        assert (cells["alpha"] != "refused") == holds.alpha
        assert (cells["ICC"] == "yes") == holds.icc
        assert (cells["several"] != "no") == holds.frames
