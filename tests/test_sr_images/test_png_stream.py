import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sr_images import png_stream
from sr_images.png_stream import filter_rows, write_png


def picture(height: int, width: int) -> np.ndarray:
    """A gradient, an edge and noise."""
    rows, columns = np.mgrid[:height, :width]
    smooth = (rows * 3 + columns * 2 + 100 * (columns > width // 2))[..., None] + [0, 40, 80]
    noise = np.random.default_rng(height).integers(0, 4, (height, width, 3))
    return ((smooth + noise) % 256).astype(np.uint8)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        image.verify()  # checksums of all chunks
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.array(image)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (64, 3), (65, 1), (200, 131)])
@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("band_bytes", [1, 1000, 1_000_000])
def test_pillow_reads_the_same_pixels(
    tmp_path: Path, monkeypatch, size: tuple[int, int], parts: int, band_bytes: int
) -> None:
    monkeypatch.setattr(png_stream, "_BAND_BYTES", band_bytes)
    image = picture(*size)
    strips = [strip for strip in np.array_split(image, parts) if len(strip)]
    write_png(tmp_path / "a.png", iter(strips), *size)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), image)


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_filters_are_undone_by_the_standards_rules(data, height, width):
    levels = st.integers(0, 255) | st.sampled_from([0, 1, 128, 255])
    flat = data.draw(st.lists(levels, min_size=height * width * 3, max_size=height * width * 3))
    rows = np.array(flat, np.uint8).reshape(height, width * 3)
    filtered = filter_rows(np.concatenate([np.zeros_like(rows[:1]), rows]))
    np.testing.assert_array_equal(unfiltered(filtered), rows)


def unfiltered(filtered: np.ndarray) -> np.ndarray:
    """Section 9 of the standard, value by value."""
    height, width = filtered.shape[0], filtered.shape[1] - 1
    rows = np.zeros((height, width), int)
    for y in range(height):
        for x in range(width):
            a = rows[y, x - 3] if x >= 3 else 0
            b = rows[y - 1, x] if y else 0
            c = rows[y - 1, x - 3] if y and x >= 3 else 0
            p = a + b - c
            distances = [abs(p - a), abs(p - b), abs(p - c)]
            paeth = (a, b, c)[distances.index(min(distances))]
            guess = {1: a, 2: b, 4: paeth}[int(filtered[y, 0])]
            rows[y, x] = (int(filtered[y, 1 + x]) + guess) % 256
    return rows


def test_it_is_not_much_larger_than_pillows(tmp_path: Path) -> None:
    image = picture(300, 400)
    write_png(tmp_path / "a.png", [image], 300, 400)
    other = io.BytesIO()
    Image.fromarray(image).save(other, "PNG")
    assert (tmp_path / "a.png").stat().st_size < 1.1 * len(other.getvalue())
    assert (tmp_path / "a.png").stat().st_size < len(zlib.compress(image.tobytes()))


@pytest.mark.parametrize("rows", [[3, 2], [3, 4], []])
def test_another_number_of_rows(tmp_path: Path, rows: list[int]) -> None:
    with pytest.raises(ValueError, match="the strips have .* rows"):
        write_png(tmp_path / "a.png", [np.zeros((n, 5, 3), np.uint8) for n in rows], 6, 5)


@pytest.mark.parametrize(
    "strip",
    [np.zeros((6, 4, 3), np.uint8), np.zeros((6, 5, 4), np.uint8), np.zeros((6, 5, 3), np.int16)],
)
def test_another_kind_of_strip(tmp_path: Path, strip: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a strip is"):
        write_png(tmp_path / "a.png", [strip], 6, 5)


def test_strips_that_fail(tmp_path: Path) -> None:
    def strips():
        yield np.zeros((3, 5, 3), np.uint8)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        write_png(tmp_path / "a.png", strips(), 6, 5)
