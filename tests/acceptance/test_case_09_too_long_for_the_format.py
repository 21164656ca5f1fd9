"""A result that its format cannot hold is refused before anything is computed, exit code 2."""

from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import check_format, write_rgb
from sr_images.strip_writer import check_strips
from sr_program.errors import UsageError


@pytest.mark.parametrize(
    ("size", "output"),
    [
        ((4100, 1), "out.webp"),
        ((1, 4096), "out.WEBP"),
        ((16400, 1), "out.jpg"),
        ((16376, 1), "out.jpeg"),
    ],
)
@pytest.mark.parametrize("tiles", [{}, {"TILES": 1}])
def test_a_photo(run, tmp_path: Path, size: tuple[int, int], output: str, tiles: dict) -> None:
    width, height = size
    write_rgb(tmp_path / "long.png", np.zeros((height, width, 3), np.uint8))
    done = run("long.png", f"--output={output}", COMPUTED="computed", **tiles)
    assert done.returncode == 2
    suffix = Path(output).suffix.lower()
    assert done.stderr.count("\n") == 1
    assert (
        f"{output}: {suffix} cannot hold {4 * width}x{4 * height} pixels; use .png or .tif"
        in done.stderr
    )
    assert [path.name for path in tmp_path.iterdir()] == ["long.png"]


@pytest.mark.parametrize(("width", "output"), [(4095, "out.webp"), (16375, "out.jpg")])
def test_the_longest_that_can_be_written(run, tmp_path: Path, width: int, output: str) -> None:
    write_rgb(tmp_path / "long.png", np.zeros((1, width, 3), np.uint8))
    assert run("long.png", f"--output={output}").returncode == 0
    assert (tmp_path / output).exists()


@pytest.mark.parametrize(
    ("name", "height", "width", "others"),
    [
        ("a.webp", 16_384, 1, ".png or .tif"),
        ("a.jpg", 1, 65_501, ".png or .tif"),
        ("a.bmp", 40_000, 40_000, ".png or .tif"),  # 4.8e9 bytes; the header counts to 4.3e9
        ("a.bmp", 2**31 // 30_000, 50_000, ".png or .tif"),
        ("a.tiff", 1, 2**32, ".png"),
        ("a.png", 1, 2**31, ".tif"),
    ],
)
def test_what_a_format_cannot_hold(
    tmp_path: Path, name: str, height: int, width: int, others: str
) -> None:
    message = f"cannot hold {width}x{height} pixels; use {others}$"
    with pytest.raises(UsageError, match=message):
        check_format(tmp_path / name, height, width)
    with pytest.raises(UsageError, match=message):
        check_strips(tmp_path / name, height, width)


def test_a_big_tiff_holds_it(tmp_path: Path) -> None:
    check_format(tmp_path / "a.tif", 40_000, 40_000)
    check_strips(tmp_path / "a.tif", 40_000, 40_000)
    assert list(tmp_path.iterdir()) == []


def test_an_image_in_memory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a.webp: .webp cannot hold 16384x1 pixels"):
        write_rgb(tmp_path / "a.webp", np.zeros((1, 16_384, 3), np.uint8))
