"""The comparison of generators: its table, its crops, and a run of the program."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.studies import compare_generators as module
from benchmarks.studies.compare_generators import (
    compare,
    comparison,
    draw,
    find_places,
    named_places,
)
from benchmarks.studies.degraded_lr import degraded_versions
from evaluation.metrics.grid import grid_measure
from evaluation.scoring.protocol import Instruments, Scorer, set_means
from evaluation.sheets.sheet import Crop
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.image_io import write_rgb
from sr_images.luma import rgb_to_y
from sr_program.errors import DataError, UsageError


def photo(height: int, width: int, seed: int, contrast: float = 12) -> np.ndarray:
    random = np.random.default_rng(seed)
    slope = np.mgrid[:height, :width].sum(0)[..., None] / 4
    return np.clip(60 + slope + random.normal(0, contrast, (height, width, 3)), 0, 255).astype(
        np.uint8
    )


@pytest.fixture
def folder(tmp_path: Path) -> PairedFolder:
    """Seven photos, each with more contrast than the one before."""
    for part in ("HR", "LR_x4"):
        (tmp_path / part).mkdir()
    for number in range(7):
        hr = photo(68 + 4 * number, 72, number, 2 + 5 * number)
        write_rgb(tmp_path / "HR" / f"{number}.png", hr)
        write_rgb(tmp_path / "LR_x4" / f"{number}.png", bicubic_downscale(hr))
    return PairedFolder(tmp_path)


def darker(lr: np.ndarray) -> np.ndarray:
    return bicubic_upscale(lr) // 2


ENLARGERS = {"bicubic": bicubic_upscale, "darker": darker}


def test_the_numbers_are_those_of_the_scorer(folder) -> None:
    photos, means = compare(folder, ENLARGERS, Instruments(), workers=0)
    assert list(means) == ["bicubic", "darker", "HR"]
    assert list(photos) == list(folder.names)
    scorer = Scorer(Instruments())
    scores, lumas = [], []
    for _, hr, lr in folder:
        scores.append(scorer(hr, lr, darker(lr)))
        lumas.append(rgb_to_y(darker(lr)))
    expected = set_means(scores)
    assert {name: means["darker"][name] for name in expected} == expected
    assert means["darker"][module.GRID] == grid_measure(lumas)
    assert math.isinf(means["HR"]["psnr"])


def test_degraded_lr_is_enlarged_and_compared_with_the_clean_one(folder) -> None:
    photos, means = compare(folder, ENLARGERS, Instruments(), 0, "noise σ 8")
    for number, (name, hr, lr) in enumerate(folder):
        noisy = degraded_versions(lr, number)["noise σ 8"]
        np.testing.assert_array_equal(photos[name]["bicubic"], bicubic_upscale(noisy))
        np.testing.assert_array_equal(photos[name]["HR"], hr)
    _, clean = compare(folder, ENLARGERS, Instruments(), 0)
    for measure in ("psnr", "lr_consistency"):
        assert means["bicubic"][measure] < clean["bicubic"][measure] - 0.5


def test_the_table() -> None:
    means = {
        "a": {"psnr": 25.123, "niqe": 4.0, "lr_consistency": 40.0, module.GRID: 2.8},
        "HR": {"psnr": math.inf, "niqe": 3.25, "lr_consistency": math.inf, module.GRID: 1.1},
    }
    lines = comparison(means, Instruments(niqe=Path("n")))
    assert lines[0] == "|  | PSNR | NIQE | LR consistency | Grid (1 = none) |"
    assert lines[2:4] == [
        "| a | 25.12 | 4.000 | 40.00 | 2.80 |",
        "| HR | — | 3.250 | — | 1.10 |",
    ]
    means["a"] |= {"structure_texture": 0.2, "stlpips": 0.1}
    lines = comparison(means, Instruments(niqe=Path("n"), vgg=Path("v"), stlpips=True))
    assert lines[0].startswith("|  | PSNR | Structure, texture | ST-LPIPS | NIQE |")
    assert lines[2].startswith("| a | 25.12 | 0.2000 | 0.1000 | 4.000 |")


def test_photos_too_small_for_the_grid(tmp_path) -> None:
    write_rgb(tmp_path / "a.png", photo(60, 80, 1))
    with pytest.raises(DataError, match="64x64 pixels or more"):
        compare(PairedFolder(tmp_path), {"bicubic": bicubic_upscale}, Instruments(), workers=0)


def versions(folder: PairedFolder) -> dict:
    return {name: {"bicubic": bicubic_upscale(lr), "HR": hr} for name, hr, lr in folder}


def test_found_crops_are_spread_from_the_busiest_photo_to_the_calmest(folder) -> None:
    places = find_places(versions(folder), 32)
    assert [name for name, _ in places] == ["6", "4", "3", "2", "0"]  # 1.5 and 4.5 to even
    assert all((crop.width, crop.height) == (32, 32) for _, crop in places)


def test_named_crops(folder) -> None:
    photos = versions(folder)
    assert named_places(["3:10:20"], photos, 48) == [("3", Crop(20, 10, 48, 48))]
    photos["a:1"] = photos["3"]  # a name may hold a colon
    assert named_places(["a:1:0:24"], photos, 48) == [("a:1", Crop(24, 0, 48, 48))]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("3", "give NAME:ROW:COLUMN"),
        ("3:1", "give NAME:ROW:COLUMN"),
        ("3:1:-2", "give NAME:ROW:COLUMN"),
        ("9:1:2", "there is no photo 9"),
        ("3:0:25", "48 pixels from there do not lie in 72x80"),
        ("3:33:0", "48 pixels from there do not lie in 72x80"),
    ],
)
def test_wrong_crops(folder, item, reason) -> None:
    with pytest.raises(UsageError, match=f"--crops={item}: {reason}"):
        named_places([item], versions(folder), 48)


def test_the_sheet_shows_the_crops(folder) -> None:
    photos = versions(folder)
    sheet = draw(photos, [("2", Crop(20, 10, 16, 16)), ("5", Crop(0, 3, 16, 16))], zoom=2)
    for name, rows, columns in (
        ("2", slice(10, 26), slice(20, 36)),
        ("5", slice(3, 19), slice(16)),
    ):
        for image in photos[name].values():
            crop = image[rows, columns].repeat(2, axis=0).repeat(2, axis=1)
            windows = np.lib.stride_tricks.sliding_window_view(sheet, crop.shape)
            corners = np.argwhere((sheet[:-31, :-31] == crop[0, 0]).all(axis=-1))
            assert any(np.array_equal(windows[y, x, 0], crop) for y, x in corners)


@pytest.mark.parametrize("name", ["HR", "bicubic"])
def test_a_name_that_is_taken(name) -> None:
    with pytest.raises(UsageError, match=f"--weights={name}=…: this name is taken"):
        module.open_methods([f"{name}=a.h5"])


@pytest.mark.slow
def test_the_program(shared, tmp_path, repository, subprocess_environment) -> None:
    hr = photo(204, 208, 5)
    (tmp_path / "data").mkdir()
    write_rgb(tmp_path / "data" / "one.png", hr)
    import wp_srgan.config
    import wp_srgan.generator
    from srgan.runs.weights import save_weights

    config = wp_srgan.config.GeneratorConfig(num_res_blocks=1, features=4)
    (tmp_path / "config.json").write_text(json.dumps({"generator": vars(config)}))
    save_weights(wp_srgan.generator.build_generator(config), tmp_path / "generator.weights.h5")
    command = [
        sys.executable, "-m", "benchmarks.studies.compare_generators",
        f"--weights=mine={tmp_path / 'generator.weights.h5'},wp_srgan_stage1",
        f"--data={tmp_path / 'data'}", f"--output={tmp_path / 'out'}", "--workers=1",
        f"--vgg_weights={shared / 'data' / 'vgg19_conv3_4.npz'}",
        f"--niqe_parameters={shared / 'reference' / 'metrics' / 'niqe_modelparameters.mat'}",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=repository, env=subprocess_environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out" / "comparison.md").read_text().splitlines()
    rows = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    assert rows == ["| ", "| ---", "| bicubic", "| mine", "| wp_srgan_stage1", "| HR"]
    assert "Structure, texture | NIQE" in done.stdout
    with Image.open(tmp_path / "out" / "crops.png") as sheet:
        assert sheet.width >= 4 * 240 and sheet.height >= 240
