import json
from pathlib import Path

import numpy as np
import pytest

from bigans.models.runtime import IN_TENSORFLOW
from evaluation.methods.fusion_points import FusionPoint
from evaluation.perception_distortion.sweep import (
    GRID,
    Sweep,
    grid_file,
    mean_squares,
    sweep_points,
)
from sr_data.benchmarks import BenchmarkImage, open_benchmark
from sr_program.errors import DataError, UsageError

POINTS = [FusionPoint("ξ = 0", "quantile", 0.0), FusionPoint("ξ = 1", "quantile", 1.0)]


def luma(image: np.ndarray) -> np.ndarray:
    return np.floor(16 + image @ np.array([65.481, 128.553, 24.966]) / 255 + 0.5)


def gray(image: np.ndarray) -> np.ndarray:
    return np.floor(image @ np.array([0.299, 0.587, 0.114]) + 0.5)


def mean_square(image: BenchmarkImage, sr: np.ndarray) -> float:
    """Of the luma, 4 border pixels left out."""
    to_luma = gray if image.is_gray else luma
    hr, sr = to_luma(image.hr.astype(float)), to_luma(np.floor(sr + 0.5))
    return float(np.mean((hr - sr)[4:-4, 4:-4] ** 2))


@pytest.fixture
def sweep(fused_dir, tmp_path) -> Sweep:
    return Sweep(IN_TENSORFLOW.load(fused_dir), POINTS, tmp_path, ensemble=False)


def test_places_of_a_curve() -> None:
    assert sweep_points("quantile", "0,0.1,1") == [
        FusionPoint("ξ = 0", "quantile", 0.0),
        FusionPoint("ξ = 0.1", "quantile", 0.1),
        FusionPoint("ξ = 1", "quantile", 1.0),
    ]
    assert sweep_points("absolute", "32, 0.5,255") == [
        FusionPoint("t = 32", "absolute", 32.0),
        FusionPoint("t = 0.5", "absolute", 0.5),
        FusionPoint("t = 255", "absolute", 255.0),
    ]
    assert sweep_points("linear", "0.25") == [FusionPoint("α = 0.25", "linear", 0.25)]
    assert sweep_points("linear", "") == []


@pytest.mark.parametrize(
    ("mode", "values", "message"),
    [
        ("quantile", "0,much", "'much' in --quantile=0,much is no number"),
        ("quantile", "0.5,1.1", r"1.1 in --quantile=0.5,1.1 does not lie in \[0, 1\]"),
        ("quantile", "nan", r"nan in --quantile=nan does not lie in \[0, 1\]"),
        ("linear", "-0.1", r"does not lie in \[0, 1\]"),
        ("absolute", "256", r"does not lie in \[0, 255\]"),
        ("quantile", "0.5,0.50", "names a value twice"),
    ],
)
def test_wrong_places(mode, values, message) -> None:
    with pytest.raises(UsageError, match=message):
        sweep_points(mode, values)


def test_the_fine_grid(sweep, drawn_sets, tmp_path, expected_generators) -> None:
    assert GRID[0] == 0 and GRID[-1] == 1 and len(GRID) > 20 and (np.diff(GRID) > 0).all()
    for name in ("Set5", "Set14"):
        benchmark = open_benchmark(name, drawn_sets)
        expected = []
        for image in benchmark:
            made = sweep.enlarge(name, image, sweep.variants)
            faithful, vivid = (t.astype(np.float64) for t in expected_generators(image.lr))
            change = vivid - faithful
            errors = []
            for xi in GRID:
                limit = np.quantile(np.abs(change), xi) if xi else 0.0
                errors.append(mean_square(image, faithful + np.clip(change, -limit, limit)))
            expected.append(errors)
            stored = json.loads(grid_file(tmp_path, name, image.name).read_text())
            # A quantile is rounded to float32, which moves single pixels by a level.
            np.testing.assert_allclose(stored, errors, rtol=2e-3)
            assert [stored[0], stored[-1]] == pytest.approx([errors[0], errors[-1]], rel=1e-12)
            # and the images of the sweep are made as ever
            assert mean_square(image, made["ξ = 0"]) == pytest.approx(errors[0])
            assert mean_square(image, made["ξ = 1"]) == pytest.approx(errors[-1])
        found = mean_squares(tmp_path, benchmark)
        np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=2e-3)


def test_images_that_were_not_made_do_not_count(sweep, drawn_sets, tmp_path) -> None:
    benchmark = open_benchmark("Set5", drawn_sets)
    assert np.isnan(mean_squares(tmp_path, benchmark)).all()
    for name, errors in (("bird", 4.0), ("woman", 8.0), ("of another run", 100.0)):
        path = grid_file(tmp_path, "Set5", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([errors] * len(GRID)))
    assert mean_squares(tmp_path, benchmark).tolist() == [6.0] * len(GRID)


def test_images_that_failed_do_not_count(drawn_sets, tmp_path) -> None:
    """They may have a grid, of a run in which they could still be read."""
    benchmark = open_benchmark("Set5", drawn_sets)
    for name, errors in (("bird", 4.0), ("woman", 8.0)):
        path = grid_file(tmp_path, "Set5", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([errors] * len(GRID)))
    assert mean_squares(tmp_path, benchmark, {"woman"}).tolist() == [4.0] * len(GRID)


@pytest.mark.parametrize("content", ["", "[1", "[1, 2]", "{}", "null", "\udcff", "[NaN]"])
def test_a_damaged_grid_is_made_anew(sweep, drawn_sets, tmp_path, content) -> None:
    benchmark = open_benchmark("Set5", drawn_sets)
    image = benchmark[0]
    sweep.enlarge("Set5", image, sweep.variants)
    assert sweep.is_complete("Set5", image)
    expected = mean_squares(tmp_path, benchmark).tolist()
    content = content.replace("[NaN]", json.dumps([float("nan")] * len(GRID)))
    path = grid_file(tmp_path, "Set5", image.name)
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert not sweep.is_complete("Set5", image)
    assert np.isnan(mean_squares(tmp_path, benchmark)).all()
    sweep.enlarge("Set5", image, ())
    assert mean_squares(tmp_path, benchmark).tolist() == expected


def test_a_model_of_another_scale(doubling_dirs, drawn_sets, tmp_path) -> None:
    sweep = Sweep(IN_TENSORFLOW.load(doubling_dirs["fused"]), POINTS, tmp_path, ensemble=False)
    image = open_benchmark("Set5", drawn_sets)[0]
    with pytest.raises(DataError, match="shape"):
        sweep.enlarge("Set5", image, sweep.variants)
    assert not grid_file(tmp_path, "Set5", image.name).exists()


def test_an_image_without_an_inside(sweep, draw_photo, tmp_path: Path) -> None:
    image = BenchmarkImage("tiny", draw_photo(8, 12), draw_photo(2, 3), False)
    with pytest.raises(DataError, match="border"):
        sweep.enlarge("Set5", image, sweep.variants)
