"""The scripts in examples/ do what they say, started as a person would start them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., list[str]]


@pytest.fixture(scope="module")
def run(repository: Path, subprocess_environment: dict[str, str]) -> Run:
    """Runs an example; returns the lines that it prints."""

    def call(name: str, *arguments: object) -> list[str]:
        command = [sys.executable, str(repository / "examples" / name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=subprocess_environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return call


@pytest.fixture(scope="module")
def models(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny network of each branch, trained and exported by the example."""
    folder = tmp_path_factory.mktemp("tiny")
    for branch in ("mr_srgan", "wp_srgan"):
        printed = run("train_tiny_network.py", folder, branch)
        assert printed[-1] == str(folder / "models" / branch)
    wp_srgan = folder / "models" / "wp_srgan" / "stage1"
    return {"mr_srgan": folder / "models" / "mr_srgan", "wp_srgan": wp_srgan, "folder": folder}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24x20 pixels of noise."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    pixels = np.random.default_rng(5).integers(0, 256, (20, 24, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.slow
def test_from_drawn_pictures_to_a_sweep(
    run: Run, models: dict[str, Path], photo: Path, tmp_path: Path
) -> None:
    for model in (models["mr_srgan"], models["wp_srgan"]):
        assert (model / "1" / "saved_model.pb").is_file()
    fused, result = tmp_path / "fused", tmp_path / "result.png"
    run("fuse_two_models.py", models["mr_srgan"], models["wp_srgan"], fused, photo, result)
    assert (fused / "1" / "saved_model.pb").is_file()
    assert Image.open(result).size == (96, 80)

    printed = run("sweep_xi.py", photo, tmp_path / "sweep", fused)
    assert len(printed) == 11
    images = {path.stem: np.asarray(Image.open(path)) for path in (tmp_path / "sweep").iterdir()}
    assert sorted(images) == [f"xi_{tenths / 10}" for tenths in range(11)]
    # The two networks differ, and ξ leads from one to the other.
    distances = [
        np.abs(images[f"xi_{tenths / 10}"].astype(int) - images["xi_0.0"]).sum()
        for tenths in range(11)
    ]
    assert distances == sorted(distances)
    assert distances[-1] > 0

    alone = tmp_path / "alone.png"
    assert run("upscale_one_photo.py", photo, alone, models["mr_srgan"]) == [str(alone)]
    assert np.array_equal(np.asarray(Image.open(alone)), images["xi_0.0"])


def test_scores_of_a_folder(run: Run, tmp_path: Path) -> None:
    results, originals = tmp_path / "results", tmp_path / "originals"
    for folder, level in ((results, 110), (originals, 100)):
        folder.mkdir()
        for name, step in (("same", 0), ("other", 1)):
            gray = 100 + step * (level - 100)
            Image.new("RGB", (40, 32), (gray, gray, gray)).save(folder / f"{name}.png")
    lines = run("score_a_folder.py", results, originals)
    # Y of a gray g is 16 + 219 g / 255 (BT.601): 101.88 and 110.47 round to 102 and 110.
    expected = 20 * np.log10(255 / 8)
    assert lines[0].startswith(f"other.png: {expected:.2f} dB")
    assert lines[1] == "same.png: inf dB, 1.0000"


def test_without_arguments_an_example_says_how_it_is_called(
    repository: Path, subprocess_environment: dict[str, str]
) -> None:
    script = repository / "examples" / "score_a_folder.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=subprocess_environment
    )
    assert done.returncode == 1
    assert "python examples/score_a_folder.py RESULTS ORIGINALS" in done.stderr
