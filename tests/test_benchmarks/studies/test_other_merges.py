"""Ways of merging: what each adds to the faithful image, and places at an equal RMSE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.other_merges import (
    Place,
    above,
    at_places,
    cli_main,
    curves,
    merged,
)
from bigans import Tiling, Upscaler
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import write_rgb
from tests.test_bigans.upscaler.numpy_model import NumpyModel


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 9, shape).astype(np.float32)


def test_above_a_frequency() -> None:
    rows = np.arange(200)
    slow, fast = np.sin(rows / 50), np.sin(rows * 2.5)
    image = np.broadcast_to((slow + fast)[:, None, None], (200, 8, 3)).astype(np.float32)
    found = above(image, 3.0)[20:-20, 0, 0]
    np.testing.assert_allclose(found, fast[20:-20], atol=0.01)


def test_each_way_leads_from_the_faithful_image_to_its_end() -> None:
    faithful, difference = 128 + noise(9, 11, 3), noise(9, 11, 3)[::-1]
    found = merged(faithful, faithful + difference, 2.0, NumpyModel().fuse)
    fine = faithful + above(difference, 2.0)
    for name, images in found.items():
        end = fine if "above" in name else faithful + difference
        np.testing.assert_array_equal(images[0], np.floor(faithful + 0.5))
        np.testing.assert_array_equal(images[-1], np.clip(np.floor(end + 0.5), 0, 255))


def test_places_between_the_ends() -> None:
    curve = [Place(10, 8, 0.4), Place(14, 4, 0.2), Place(12, 5, 0.1)]
    found = at_places(curve, (10, 14))
    np.testing.assert_allclose(found, [(6.5, 0.25), (5, 0.1), (4.5, 0.15)])
    assert np.isnan(at_places(curve[::2], (10, 14))[2]).all()


class MeanNiqe:
    def __call__(self, luma: np.ndarray) -> float:
        return float(luma.mean())


def test_scores_of_a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RMSE of a set is the root of the mean square; the others are means."""
    from benchmarks.studies import other_merges as module

    monkeypatch.setattr(module, "STRENGTHS", (0.0, 1.0))
    monkeypatch.setattr(module, "StructureTextureDistance", lambda path: lambda hr, sr: 0.25)
    for folder in ("HR", "LR_x4"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for name in ("a", "b"):
        hr = np.clip(128 + noise(48, 48, 3) * (1 + (name == "b")), 0, 255).astype(np.uint8)
        write_rgb(tmp_path / "set" / "HR" / f"{name}.png", hr)
        write_rgb(tmp_path / "set" / "LR_x4" / f"{name}.png", bicubic_downscale(hr, 4))
    upscaler = Upscaler.of_model(NumpyModel(), tiling=Tiling(float("inf"), overlap=0))
    config = module.MergesConfig(data=str(tmp_path), sets="set", vgg_weights="none")
    found = curves(PairedFolder(tmp_path / "set"), upscaler, config, MeanNiqe())  # type: ignore[arg-type]
    errors, means = [], []
    for _, hr, lr in PairedFolder(tmp_path / "set"):
        y = module.rgb_to_y(upscaler(lr, xi=1.0))[4:-4, 4:-4].astype(float)
        errors.append(((module.rgb_to_y(hr)[4:-4, 4:-4] - y) ** 2).mean())
        means.append(y.mean())
    last = found["soft thresholding"][1]
    assert last == pytest.approx((np.mean(errors) ** 0.5, np.mean(means), 0.25))
    assert found["linear"][1] == pytest.approx(last)
    assert found["linear, above"][1].rmse != pytest.approx(last.rmse)


@pytest.mark.parametrize(
    ("flags", "complaint"), [([], "--data is required"), (["--sigma=0"], "--sigma must be above 0")]
)
def test_a_wrong_command(
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    complaint: str,
) -> None:
    needed = ["--data=DATA", "--vgg_weights=FILE"] if flags else []
    assert call_program(cli_main, *needed, *flags) == 2
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1
