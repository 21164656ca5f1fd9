"""A photo of wide colours looks the same before and after in a viewer that knows profiles.

Both are converted to Lab by LittleCMS, each through its own profile, or as sRGB if it has none.
"""

import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Task
from sr_images.encoding import Encoding
from tests.test_bigans.upscaler.numpy_model import upscaler

# x and y of red, green and blue.
PRIMARIES = {
    "Display P3": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    "Adobe RGB": (0.640, 0.330, 0.210, 0.710, 0.150, 0.060),
}
SRGB = ImageCms.createProfile("sRGB")
# Mean ΔE (CIE 1976) that the coding of a format may leave; GIF has 256 colours.
NEAR = {"png": 0.6, "tif": 0.6, "bmp": 0.6, "webp": 0.6, "jpg": 1.5, "avif": 1.5, "gif": 1.5}
TOY = upscaler()


def profile(name: str) -> bytes:
    x_and_y = np.reshape(PRIMARIES[name], (3, 2))
    primaries = np.hstack([x_and_y, np.ones((3, 1))]).ravel().tolist()
    white = [0.3127, 0.3290, 1.0]
    return imagecodecs.cms_profile("rgb", whitepoint=white, primaries=primaries, gamma=2.2)


def in_lab(image: Image.Image) -> np.ndarray:
    """float64 [H, W, 3]: L in percent, a and b."""
    icc = image.info.get("icc_profile")
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else SRGB
    lab = ImageCms.profileToProfile(
        image.convert("RGB"), source, ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    values = np.array(lab)
    signed = values[..., 1:].astype(np.int8).astype(float)
    return np.dstack([values[..., 0] * (100 / 255), signed])


@pytest.mark.parametrize("icc", ["keep", "convert"])
@pytest.mark.parametrize("suffix", NEAR)
@pytest.mark.parametrize("name", PRIMARIES)
def test_looks_the_same(tmp_path: Path, name: str, suffix: str, icc: Any) -> None:
    rows, columns = np.mgrid[:24, :32] / 32
    colours = np.stack([150 + 60 * rows, 100 + 40 * columns, 110 - 60 * rows], -1).astype(np.uint8)
    photo, result = tmp_path / "photo.png", tmp_path / f"result.{suffix}"
    Image.fromarray(colours).save(photo, icc_profile=profile(name))
    task = Task(photo, result, Encoding(icc=icc))
    assert enlarge_files([task], TOY, Enlarging(xi=0)) == []
    with Image.open(photo) as before, Image.open(result) as after:
        expected = in_lab(before).repeat(4, axis=0).repeat(4, axis=1)
        found = in_lab(after)
    distance = np.linalg.norm(found - expected, axis=-1).mean()
    assert distance <= NEAR[suffix]
    # The profile matters: as sRGB the colours are others.
    unmanaged = in_lab(Image.fromarray(colours)).repeat(4, axis=0).repeat(4, axis=1)
    assert np.linalg.norm(unmanaged - expected, axis=-1).mean() > 2 * NEAR[suffix]
