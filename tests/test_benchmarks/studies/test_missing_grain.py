"""What the originals' grain does to NIQE: the estimate, the noise that is added, and a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.studies import missing_grain as module
from benchmarks.studies.missing_grain import Lumas, compare, grain_of
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.image_io import write_rgb


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = sigma * np.random.default_rng(seed).standard_normal(image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_grain_is_the_noises_standard_deviation(sigma: float) -> None:
    rows, columns = np.mgrid[:320, :320]
    slope = 60 + rows / 4 + columns / 8
    slope[:, 160:] += 40  # an edge
    assert grain_of(noisy(slope, sigma)) == pytest.approx(sigma, rel=0.04)


def test_smooth_images_have_none() -> None:
    rows, columns = np.mgrid[:64, :64]
    assert grain_of(rows * 2 + columns) == pytest.approx(0, abs=1e-9)


class Seen:
    """In place of NIQE: keeps what it is given."""

    def __init__(self, path: Any = None) -> None:
        self.path = path
        self.images: list[np.ndarray] = []

    def __call__(self, luma: np.ndarray) -> float:
        self.images.append(luma)
        return float(len(self.images))


@pytest.mark.parametrize(("before", "after"), [(0.0, 6.0), (4.0, 6.0), (6.0, 6.0), (8.0, 8.0)])
def test_noise_brings_the_grain_to_hrs(before: float, after: float) -> None:
    flat = np.full((480, 480), 128.0)
    hr, sr = noisy(flat, 6.0), noisy(flat, before, seed=1)
    seen = Seen()
    lumas = Lumas(hr, lr := noisy(flat[:120, :120], 2.0), sr)
    row = compare(lumas, seen, np.random.default_rng(2))  # type: ignore[arg-type]
    assert (row.hr_niqe, row.sr_niqe, row.grainy_niqe) == (1, 2, 3)
    given_hr, given_sr, grainy = seen.images
    np.testing.assert_array_equal(given_hr, hr)
    np.testing.assert_array_equal(given_sr, sr)
    assert grainy.dtype == np.uint8
    assert grainy.std() == pytest.approx(after, abs=0.3)
    grains = (row.hr_grain, row.lr_grain, row.sr_grain)
    assert grains == (grain_of(hr), grain_of(lr), grain_of(sr))


def test_a_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    images = {("Flat", "one"): 0.0, ("Grainy", "one"): 9.0}
    images |= {("Grainy", "three"): 3.0, ("Grainy", "two"): 6.0}
    for name in ("Flat", "Grainy"):
        for part in ("HR", "LR_x4"):
            (tmp_path / name / part).mkdir(parents=True)
    checkers = np.indices((128, 128, 1)).sum(0).repeat(3, 2) % 2
    images["Grainy", "checkers"] = 0.0  # of which nothing is left in LR
    for (name, image), sigma in images.items():
        hr = noisy(128.0 + 20 * checkers * (image == "checkers"), sigma)
        write_rgb(tmp_path / name / "HR" / f"{image}.png", hr)
        write_rgb(tmp_path / name / "LR_x4" / f"{image}.png", bicubic_downscale(hr))

    class Bicubic:
        @staticmethod
        def from_pretrained(model: str, weights: str) -> Callable[[np.ndarray], np.ndarray]:
            assert (model, weights) == ("vivid", "clean")
            return bicubic_upscale

    monkeypatch.setattr(module, "Upscaler", Bicubic)
    monkeypatch.setattr(module, "Niqe", lambda path: lambda luma: float(luma.std()))
    flags = [f"--data={tmp_path}", "--sets=Flat,Grainy", "--niqe_parameters=some.mat"]
    assert call_program(module.cli_main, *flags) == 0
    *table, empty, correlations = capsys.readouterr().out.splitlines()[4:]
    rows = [line.split("|")[1:-1] for line in table]
    names = ["one", "**Flat**", "checkers", "one", "three", "two", "**Grainy**"]
    assert [row[0].strip() for row in rows] == names
    cells = {row[0].strip(): [float(cell) for cell in row[1:]] for row in rows[1:]}
    assert cells["**Flat**"] == [0, 0, 0, 0, 0, 0]
    hr_grain, lr_grain, sr_grain, hr_deviation, sr_deviation, with_grain = cells["one"]
    assert hr_grain > 4 and sr_grain < 0.5 * hr_grain and 0.5 < lr_grain < 0.5 * hr_grain
    grainy = np.array([cells[name] for name in names[2:6]])
    np.testing.assert_allclose(cells["**Grainy**"], grainy.mean(0), atol=0.011)
    expected = np.corrcoef(grainy[:, 0], grainy[:, 1])[0, 1]
    assert (empty, correlations[:46]) == ("", "Correlation of HR's and LR's grain: Flat nan, ")
    found = float(correlations.removesuffix(".").split("Grainy ")[1])
    assert found == pytest.approx(expected, abs=0.01)
    assert sr_deviation < with_grain
    assert hr_deviation > 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--data is required"),
        (["--data=x", "--sets=a,,b"], "--sets"),
        (["--data=x", "--seed=-1"], "--seed must be at least 0, got -1"),
        (["--data=x", "more"], "unexpected argument 'more'"),
    ],
)
def test_wrong_flags(
    flags: list[str],
    message: str,
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call_program(module.cli_main, *flags) == 2
    assert message in capsys.readouterr().err


def test_a_set_that_is_missing(
    tmp_path: Path, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_program(module.cli_main, f"--data={tmp_path}", "--sets=None14") == 1
    assert "None14" in capsys.readouterr().err
