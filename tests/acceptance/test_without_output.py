"""Without --output the current folder takes the results: `bigans-upscale photo.jpg` is enough."""

from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import read_rgb, write_rgb


def draw(path: Path) -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    write_rgb(path, pixels)
    return pixels


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (["photo.png"], "photo_x4.png"),
        (["album/photo.png"], "photo_x4.png"),
        (["album"], "photo_x4.png"),
        (["photo.png", "--format=webp", "--quality=100"], "photo_x4.webp"),
        (["photo.png", "--scale=2"], "photo_x2.png"),
    ],
)
def test_the_result_lies_here(run, tmp_path: Path, arguments: list[str], result: str) -> None:
    draw(tmp_path / "photo.png")
    pixels = draw(tmp_path / "album" / "photo.png")
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["album", "photo.png", result])
    assert [path.name for path in (tmp_path / "album").iterdir()] == ["photo.png"]
    if result == "photo_x4.png":
        np.testing.assert_array_equal(
            read_rgb(tmp_path / result), pixels.repeat(4, axis=0).repeat(4, axis=1)
        )


def test_a_folder_twice(run, tmp_path: Path) -> None:
    """The results of the first run are not enlarged by the second."""
    draw(tmp_path / "photo.png")
    for _ in range(2):
        assert run(".").returncode == 0
        assert sorted(p.name for p in tmp_path.iterdir()) == ["photo.png", "photo_x4.png"]


def test_no_photo_is_overwritten(run, tmp_path: Path) -> None:
    draw(tmp_path / "photo.png")
    before = (tmp_path / "photo.png").read_bytes()
    done = run("photo.png", "--suffix=")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert (tmp_path / "photo.png").read_bytes() == before
