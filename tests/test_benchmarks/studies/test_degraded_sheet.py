"""A sheet of degraded photos: which places, which columns, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies import degraded_sheet as module
from benchmarks.studies.degraded_lr import degraded_versions
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb, write_rgb


def drawn_photo() -> np.ndarray:
    """Flat, but for a checkerboard of 24x24 pixels at (16, 40)."""
    image = np.full((64, 96, 3), 120, np.uint8)
    image[16:40, 40:64] = (np.indices((24, 24)).sum(0) // 4 % 2 * 200 + 20)[..., None]
    return image


@pytest.fixture
def val_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "val"
    folder.mkdir()
    for name, image in (("one_house", drawn_photo()), ("two_trees", drawn_photo()[:, ::-1])):
        write_rgb(folder / f"{name}.png", image)
    return folder


def test_a_sheet(val_dir: Path, tmp_path: Path, call_program: Callable[..., int], capsys) -> None:
    write_rgb(tmp_path / "cat.png", drawn_photo()[::2, ::2])
    output = tmp_path / "sheet.png"
    flags = [f"--val_dir={val_dir}", "--generators=", f"--photos={tmp_path / 'cat.png'}"]
    flags += ["--rows=house:JPEG q50,trees:noise σ 5", "--crop_size=6", "--zoom=2"]
    assert call_program(module.cli_main, *flags, f"--output={output}") == 0
    assert capsys.readouterr().out.strip() == str(output)
    sheet = read_rgb(output)
    folder = PairedFolder(val_dir)
    # Two columns as wide as their labels or crops; rows of 48 pixels, a line and a margin.
    column, row = (sheet.shape[1] - 8) // 2, 48 + 18 + 8
    corners = [(34 + number * row, 8) for number in range(3)]
    shown = [
        [sheet[y : y + 48, x + k * column :][:, :48][::2, ::2] for k in range(2)]
        for y, x in corners
    ]
    for (bicubic, hr), (number, degradation) in zip(
        shown, ((0, "JPEG q50"), (1, "noise σ 5")), strict=False
    ):
        _, whole, lr = folder[number]
        enlarged = bicubic_upscale(degraded_versions(lr, number)[degradation])
        left = 40 if number == 0 else 96 - 64
        place = slice(16, 40), slice(left, left + 24)
        np.testing.assert_array_equal(hr, whole[place])
        np.testing.assert_array_equal(bicubic, enlarged[place])
    assert np.all(shown[2][1] == 255) and not np.all(shown[2][0] == 255)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rows=o:clean"], "--rows=o:clean: 2 images have 'o' in their names, not one"),
        (["--rows=sea:clean"], "--rows=sea:clean: 0 images have 'sea' in their names"),
        (["--rows=house:fog"], "--rows=house:fog: 'fog' is none of clean, JPEG q75"),
        ([], "name --rows or --photos"),
        (["--rows=house:clean", "--zoom=0"], "--zoom must be at least 1, got 0"),
        (["--rows=house:clean", "--merged=2"], "--merged must be at most 1, got 2"),
        (["--rows=house:clean", "--output="], "--output is required"),
    ],
)
def test_wrong_flags(
    flags: list[str], message: str, val_dir: Path, call_program: Callable[..., int], capsys
) -> None:
    arguments = [f"--val_dir={val_dir}", "--generators=", "--output=sheet.png", *flags]
    assert call_program(module.cli_main, *arguments) == 2
    assert message in capsys.readouterr().err
