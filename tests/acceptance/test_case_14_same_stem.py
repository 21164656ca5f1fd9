"""Photos keep their names and none is lost, however alike the names are."""

from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import read_rgb, write_rgb


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, int]:
    """Photos by name, each of one grey level."""
    levels = {}
    for name in ("dup/a.png", "dup/a.bmp", "dup/b.png", "cam1/1.png", "cam2/1.png", "cam2/2.png"):
        levels[name] = 10 * (len(levels) + 1)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_rgb(tmp_path / name, np.full((3, 4, 3), levels[name], np.uint8))
    return levels


def levels_of(folder: Path) -> dict[str, int]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): int(read_rgb(path)[0, 0, 0]) for path in paths}


def test_one_stem_in_several_formats(run, tmp_path: Path, photos: dict[str, int]) -> None:
    done = run("dup", "--output=out")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "dup/a.bmp -> a_bmp_x4.png" in done.stderr and "a_png_x4.png" in done.stderr
    assert levels_of(tmp_path / "out") == {"a_png_x4.png": 10, "a_bmp_x4.png": 20, "b_x4.png": 30}


def test_one_name_in_several_folders(run, tmp_path: Path, photos: dict[str, int]) -> None:
    done = run("cam1", "cam2", "--output=out")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1 and "keep their folders" in done.stderr
    assert levels_of(tmp_path / "out") == {
        "cam1/1_x4.png": 40, "cam2/1_x4.png": 50, "cam2/2_x4.png": 60,
    }  # fmt: skip


def test_one_photo_given_twice(run, tmp_path: Path, photos: dict[str, int]) -> None:
    (tmp_path / "link.png").symlink_to("dup/a.png")
    done = run("dup/a.png", "dup/../dup/a.png", "link.png", "dup/b.png", "--output=out")
    assert done.returncode == 0
    assert done.stderr == "bigans: link.png is dup/a.png, which is taken once\n"
    assert levels_of(tmp_path / "out") == {"a_x4.png": 10, "b_x4.png": 30}
