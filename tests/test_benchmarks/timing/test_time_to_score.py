import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.timing.time_to_score import newest_score, pixels_of_a_batch


def test_the_newest_score_of_either_branch(tmp_path: Path) -> None:
    assert newest_score(tmp_path) == (0, 0.0, tmp_path)
    folder = tmp_path / "stage1"
    folder.mkdir()
    (folder / "scores.csv").write_text("step,psnr,ssim\n10,20.5,0.5\n20,21.25,0.6\n")
    assert newest_score(tmp_path) == (20, 21.25, folder)
    (tmp_path / "scores.csv").write_text("step,psnr,ssim\n5,19.0,0.4\n")
    assert newest_score(tmp_path) == (5, 19.0, tmp_path)


def test_the_first_score_that_is_enough(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("step,psnr,ssim\n2,20.5,0.5\n4,21.0,0.5\n6,21.5,0.6\n")
    assert newest_score(tmp_path, 21.0) == (4, 21.0, tmp_path)
    assert newest_score(tmp_path, 22.0) == (6, 21.5, tmp_path)


def test_a_row_that_is_being_written_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("step,psnr,ssim\n10,20.5,0.5\n20")
    assert newest_score(tmp_path) == (0, 0.0, tmp_path)


def test_pixels_of_a_batch(tmp_path: Path) -> None:
    config = {"data": {"batch_size": 18, "crop_size": 64}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert pixels_of_a_batch(tmp_path) == 18 * 16 * 16


def program(photo_dir: Path, *flags: str) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.timing.time_to_score", *flags]
    return [*command, f"--data=folder:{photo_dir}", f"--val_dir={photo_dir}", "--every=2"]


SMALL = (
    "mr_srgan.train --num_mr_blocks=1 --num_res_blocks=1 --features=2 --crop_size=16 "
    "--batch_size=2 --noadversarial --lambda_vgg=0 --bicubic_skip --steps=4"
)


@pytest.mark.slow
def test_two_recipes(photo_dir, subprocess_environment) -> None:
    command = program(photo_dir, f"--recipes={SMALL}; {SMALL} --seed=1", "--psnr=5")
    done = subprocess.run(
        command, env=subprocess_environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| mr_srgan")]
    assert [row[2] for row in rows] == ["2", "2"]
    assert all(float(row[4]) > 1 for row in rows)


@pytest.mark.slow
def test_a_recipe_that_fails_is_told_in_one_line(photo_dir, subprocess_environment) -> None:
    command = program(photo_dir, f"--recipes={SMALL} --crop_size=17")
    done = subprocess.run(
        command, env=subprocess_environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "the recipe failed: " in done.stderr and "--crop_size" in done.stderr
    assert "Traceback" not in done.stderr
