"""`--weights`, as a person uses it: which pair enlarges, and where it has no effect."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bigans.pretrained.pairs import PAIRS
from bigans.upscaler.upscaler import Upscaler
from sr_images.image_io import read_rgb, write_rgb


def run(folder: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_each_pair_enlarges(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    photo = np.random.default_rng(2).integers(0, 256, (10, 12, 3), np.uint8)
    write_rgb(tmp_path / "photo.png", photo)

    def enlarged(*flags: str) -> np.ndarray:
        output = f"out{''.join(flags)}.png"
        done = run(tmp_path, subprocess_environment, "bigans", "photo.png", "-o", output, *flags)
        assert (done.returncode, done.stderr) == (0, "")
        return read_rgb(tmp_path / output)

    expected = {pair: Upscaler.from_pretrained(weights=pair)(photo) for pair in PAIRS}
    assert (expected["photo"] != expected["clean"]).mean() > 0.5
    np.testing.assert_array_equal(enlarged(), expected["photo"])
    np.testing.assert_array_equal(enlarged("--weights=clean"), expected["clean"])


@pytest.mark.parametrize(
    "command",
    [
        ("bigans", "photo.png", "--output=out.png", "--model=server:localhost:1"),
        ("bigans", "photo.png", "--output=out.png", "--model=pretrained:photo:vivid"),
        ("bigans.batch", "--input=photos", "--output=out", "--server=localhost:1"),
        ("bigans.serving.export", "--output=out", "--model=./models"),
        ("evaluation.run", "--model=bicubic", "--data_dir=data", "--output=out"),
        ("evaluation.tables", "--model=./models", "--data_dir=data", "--output=out"),
    ],
)
def test_weights_without_an_effect(
    tmp_path: Path, subprocess_environment: dict[str, str], command: tuple[str, ...]
) -> None:
    done = run(tmp_path, subprocess_environment, *command, "--weights=clean")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "--weights=clean has no effect on --model=" in done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_weights_beside_two_generators(
    tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    command = ("bigans.serving.export", "--output=out", "--faithful=a", "--vivid=b")
    done = run(tmp_path, subprocess_environment, *command, "--weights=clean")
    assert done.returncode == 2
    assert "--weights has no effect beside --faithful and --vivid" in done.stderr


@pytest.mark.parametrize("program", ["bigans", "bigans.batch", "evaluation.run"])
def test_other_weights(
    tmp_path: Path, subprocess_environment: dict[str, str], program: str
) -> None:
    done = run(tmp_path, subprocess_environment, program, "--weights=sharp")
    assert done.returncode == 2
    assert "weights" in done.stderr and "photo" in done.stderr and "clean" in done.stderr
