"""What the photo pair has to reach on compressed and noisy photos."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.degraded_lr import degraded_versions
from benchmarks.studies.degraded_validation import middle
from bigans.pretrained.pairs import PAIRS
from bigans.upscaler.upscaler import Upscaler
from evaluation.metrics.grid import grid_measure
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import psnr
from sr_images.image_io import read_rgb
from sr_images.luma import rgb_to_y

BORDER = 6
SIDE = 48  # of the photos' middles, LR pixels

pytestmark = pytest.mark.slow


def fidelity(hr: np.ndarray, sr: np.ndarray) -> float:
    return psnr(rgb_to_y(hr), rgb_to_y(sr), data_range=255, border=BORDER)


@pytest.fixture(scope="module")
def pairs() -> dict[str, Upscaler]:
    return {pair: Upscaler.from_pretrained(weights=pair) for pair in PAIRS}


def test_validation_photos(pairs: dict[str, Upscaler], shared: Path) -> None:
    """The margins are a half of what the model card tells of larger middles."""
    folder = PairedFolder(shared / "data" / "val")
    scores: dict[str, dict[str, list[float]]] = {}
    lumas = []
    for number, (_, hr, lr) in enumerate(folder):
        versions = degraded_versions(lr, number)
        for name in ("clean", "JPEG q50", "noise σ 8"):
            real, part = middle(hr, versions[name], SIDE)
            made = {pair: one(part, xi=0.0) for pair, one in pairs.items()}
            made["bicubic"] = bicubic_upscale(part)
            lumas.append(rgb_to_y(made["photo"]))
            for method, image in made.items():
                values = scores.setdefault(name, {}).setdefault(method, [])
                values.append(fidelity(real, image))
    means = {
        name: {method: float(np.mean(values)) for method, values in one.items()}
        for name, one in scores.items()
    }
    assert means["clean"]["photo"] > means["clean"]["clean"] - 0.35
    for name, above_bicubic, above_clean in (("JPEG q50", 0.16, 0.19), ("noise σ 8", 0.35, 0.1)):
        assert means[name]["photo"] > means[name]["bicubic"] + above_bicubic
        assert means[name]["photo"] > means[name]["clean"] + above_clean
    assert grid_measure(lumas) < 1.2


def block_ratio(image: np.ndarray) -> float:
    """How much larger luma's jumps are at the edges of JPEG's blocks than elsewhere."""
    jumps = np.abs(np.diff(rgb_to_y(image).astype(float), axis=1)).mean(axis=0)
    at_edges = np.arange(len(jumps)) % 32 == 31
    return jumps[at_edges].mean() / jumps[~at_edges].mean()


def test_case_26_the_drawn_street(pairs: dict[str, Upscaler], shared: Path) -> None:
    """Compressed and noisy photos are better than bicubic.

    Their blocks should be no harder than bicubic's. At quality 30 they are, by up to 0.13; the
    model card says so.
    """
    folder = shared / "cases" / "26-jpeg-blocks-and-noise-amplified"
    hr = read_rgb(folder / "houses_HR.png")
    files = sorted((folder / "in").iterdir())
    assert len(files) == 6
    for file in files:
        lr = read_rgb(file)
        bicubic = bicubic_upscale(lr)
        for xi in (0.0, 0.73):
            made = pairs["photo"](lr, xi=xi)
            assert fidelity(hr, made) > fidelity(hr, bicubic) + 0.25, (file.name, xi)
            if file.suffix == ".jpg":
                assert block_ratio(made) < block_ratio(bicubic) + 0.15, (file.name, xi)


@pytest.mark.parametrize("xi", [0.0, 0.73])
def test_case_27_no_line_where_there_is_none(pairs: dict[str, Upscaler], xi: float) -> None:
    """Between dark lines that are 4 pixels apart the paper stays paper."""
    lines = np.full((40, 48, 3), 245, np.uint8)
    lines[[8, 12, 16, 28]] = 0
    made = pairs["photo"](lines, xi=xi).astype(float).mean(axis=-1)
    for row in (41, 57):
        assert made[row - 1 : row + 2, 96].min() >= 235
    assert abs(made.mean() - lines.mean()) <= 1.5
