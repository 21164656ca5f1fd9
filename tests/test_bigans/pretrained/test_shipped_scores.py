"""What the shipped weights have to reach, on the benchmarks and by the paper's protocol."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bigans.upscaler.upscaler import Upscaler
from evaluation.metrics.grid import grid_measure
from evaluation.metrics.lr_consistency import lr_consistency
from evaluation.metrics.niqe import Niqe
from sr_data.benchmarks import BenchmarkImage, open_benchmark
from sr_images.fidelity import psnr
from sr_images.luma import rgb_to_y

BORDER = 6
# As PIRM-SR 2018 takes NIQE.
SHAVED = slice(4, -4)

pytestmark = pytest.mark.slow

Images = list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # HR, LR, SR


@pytest.fixture(scope="module")
def enlarged(shared: Path) -> Callable[[str, float], Images]:
    upscale = Upscaler.from_pretrained(weights="clean")
    known: dict[tuple[str, float], Images] = {}

    def of(name: str, xi: float) -> Images:
        if (name, xi) not in known:
            benchmark = open_benchmark(name, shared / "data" / "benchmarks")
            images = [benchmark[i] for i in range(len(benchmark))]
            known[name, xi] = [(one.hr, one.lr, upscale(one.lr, xi=xi)) for one in images]
        return known[name, xi]

    return of


@pytest.mark.parametrize(("name", "least"), [("Set5", 31.6), ("Set14", 28.1)])
def test_psnr_of_the_faithful_image(enlarged, name: str, least: float) -> None:
    """The bars of CPU training; bicubic has 28.4 and 26.0 dB, the paper's MR-SRGAN 31.53, 28.28."""
    values = [
        psnr(rgb_to_y(hr), rgb_to_y(sr), data_range=255, border=BORDER)
        for hr, _, sr in enlarged(name, 0.0)
    ]
    assert np.mean(values) >= least


@pytest.mark.parametrize("xi", [0.0, 1.0])
def test_the_results_are_consistent_with_their_inputs(enlarged, xi: float) -> None:
    assert np.mean([lr_consistency(lr, sr) for _, lr, sr in enlarged("Set14", xi)]) > 42


@pytest.mark.parametrize(("xi", "most"), [(0.0, 1.1), (0.73, 1.2), (1.0, 1.3)])
def test_the_grid_of_4_pixels(enlarged, xi: float, most: float) -> None:
    """HR has 1.1, noise 1.0."""
    assert grid_measure(rgb_to_y(sr) for _, _, sr in enlarged("Set14", xi)) <= most


def test_niqe_of_the_vivid_image_is_near_that_of_hr(shared: Path) -> None:
    """Within 0.5 of HR's own on a quarter of BSD100, above or below; the faithful image is not."""
    niqe = Niqe(shared / "reference" / "metrics" / "niqe_modelparameters.mat")
    benchmark = open_benchmark("BSD100", shared / "data" / "benchmarks")
    upscale = Upscaler.from_pretrained(weights="clean")

    def scores(image: BenchmarkImage) -> list[float]:
        images = (image.hr, *(upscale(image.lr, xi=xi) for xi in (0.0, 1.0)))
        return [niqe(rgb_to_y(one)[SHAVED, SHAVED]) for one in images]

    rows = [scores(benchmark[i]) for i in range(0, len(benchmark), 4)]
    hr, faithful, vivid = np.mean(rows, axis=0)
    assert abs(vivid - hr) <= 0.5
    assert faithful - hr > 0.5
