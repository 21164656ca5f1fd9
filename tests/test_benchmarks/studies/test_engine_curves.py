import subprocess
import sys

import numpy as np
import pytest

from benchmarks.studies.engine_curves import draw, read_losses, tabulate
from sr_images.image_io import write_rgb


@pytest.mark.slow
def test_the_two_engines(tmp_path, subprocess_environment) -> None:
    photo = np.random.default_rng(0).integers(256, size=(112, 112, 3), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    write_rgb(tmp_path / "photos" / "a.png", photo)
    command = [
        *(sys.executable, "-m", "benchmarks.studies.engine_curves"),
        *(f"--data=folder:{tmp_path / 'photos'}", f"--output={tmp_path / 'out'}"),
        *("--recipes=wp_pixel", "--steps=3", "--batch_size=1"),
    ]
    subprocess.run(command, env=subprocess_environment, check=True, timeout=500)
    runs = tmp_path / "out" / "runs" / "wp_pixel"
    found = [
        read_losses(runs / engine / "stage1" / "losses.csv")
        for engine in ("tensorflow", "jax", "control")
    ]
    assert [list(losses["step"]) for losses in found] == [[1, 2, 3]] * 3
    np.testing.assert_allclose(found[0]["pixel"], found[1]["pixel"], rtol=1e-4)
    np.testing.assert_allclose(found[0]["pixel"], found[2]["pixel"], rtol=1e-4)
    assert "| wp_pixel | pixel |" in (tmp_path / "out" / "curves.md").read_text()
    assert (tmp_path / "out" / "curves.png").stat().st_size > 1000


def test_the_columns(tmp_path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text("step,pixel\n1,0.5\n2,0.25\n")
    found = read_losses(path)
    assert found["step"].tolist() == [1, 2]
    assert found["pixel"].tolist() == [0.5, 0.25]


def test_how_far_the_curves_are_apart() -> None:
    ours = {"step": np.arange(1, 201), "pixel": np.full(200, 0.5)}
    other = {"step": ours["step"], "pixel": ours["pixel"].copy()}
    other["pixel"][4] = 0.55
    other["pixel"][-50:] = 0.4
    curves = {"tensorflow": ours, "jax": other, "control": ours}
    table = tabulate({"wp_pixel": curves}, "python -m this")
    assert "| wp_pixel | pixel | 1.0e-01 | 0.0e+00 | 2.0e-01 | 0.0e+00 |" in table
    assert "`python -m this`" in table


def test_the_picture(tmp_path) -> None:
    losses = {"step": np.arange(1, 4), "pixel": np.ones(3), "loss_d": np.ones(3)}
    engines = {"tensorflow": losses, "jax": losses, "control": losses}
    draw({"mr_pixel": engines, "mr_srgan": engines}, tmp_path)
    picture = (tmp_path / "curves.svg").read_text()
    for title in ("mr_pixel: pixel", "mr_srgan: loss_d", "tensorflow", "jax", "control"):
        assert title in picture
    assert (tmp_path / "curves.png").stat().st_size > 1000
