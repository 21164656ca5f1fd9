import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sr_images import strip_writer
from sr_images.image_io import read_rgb
from sr_images.strip_writer import assemble, bands, write_strips
from sr_program.errors import UsageError

PICTURE = np.random.default_rng(0).integers(0, 60, (300, 530, 3), dtype=np.uint8)


def strips() -> Iterator[np.ndarray]:
    yield from (PICTURE[:7], PICTURE[7:270], PICTURE[270:])


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.tif", "a.tiff", "a.bmp", "a.webp"])
def test_lossless_formats(tmp_path: Path, name: str) -> None:
    write_strips(tmp_path / name, strips(), 300, 530)
    np.testing.assert_array_equal(read_rgb(tmp_path / name), PICTURE)
    assert os.listdir(tmp_path) == [name]


def test_jpeg(tmp_path: Path) -> None:
    write_strips(tmp_path / "a.jpg", strips(), 300, 530)
    assert read_rgb(tmp_path / "a.jpg").shape == PICTURE.shape


def test_tiff_is_tiled(tmp_path: Path) -> None:
    write_strips(tmp_path / "a.tif", strips(), 300, 530)
    assert (tmp_path / "a.tif").read_bytes()[:4] == b"II\x2b\x00"  # BigTIFF
    with Image.open(tmp_path / "a.tif") as image:
        tags = image.tag_v2  # pyright: ignore[reportAttributeAccessIssue]
        assert (tags[322], tags[323]) == (256, 256)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_an_interrupted_picture_leaves_the_old_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"old")

    def half() -> Iterator[np.ndarray]:
        yield PICTURE[:270]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_strips(tmp_path / name, half(), 300, 530)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"old"


def test_only_png_and_tiff_do_without_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strip_writer, "assemble", lambda *_: pytest.fail("assembled"))
    write_strips(tmp_path / "a.png", strips(), 300, 530)
    write_strips(tmp_path / "a.tif", strips(), 300, 530)


@pytest.mark.parametrize(
    ("name", "side"), [("a.webp", 16_384), ("a.jpg", 65_536), ("a.jpeg", 70_000)]
)
def test_too_large_for_the_format(tmp_path: Path, name: str, side: int) -> None:
    def none() -> Iterator[np.ndarray]:
        pytest.fail("computed in vain")
        yield PICTURE

    for height, width in ((side, 4), (4, side)):
        with pytest.raises(UsageError, match=f"{name}.*cannot hold.*use .png or .tif"):
            write_strips(tmp_path / name, none(), height, width)
    assert os.listdir(tmp_path) == []


def test_assemble() -> None:
    np.testing.assert_array_equal(assemble(strips(), 300, 530), PICTURE)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 30))
def test_bands(heights, rows):
    total = sum(heights)
    image = np.arange(total * 6).reshape(total, 2, 3).astype(np.uint8)
    parts = list(bands(np.split(image, np.cumsum(heights)[:-1]), rows))
    np.testing.assert_array_equal(np.concatenate(parts), image)
    assert [len(part) for part in parts[:-1]] == [rows] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= rows
