"""Photos of noise, in which every crop is unique."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# Heights and widths; the last two are no multiples of 4.
SIZES = [(64, 80), (40, 44), (100, 36), (23, 90), (77, 71)]


@pytest.fixture(scope="session")
def noise_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five photos."""
    folder = tmp_path_factory.mktemp("noise")
    for seed, (height, width) in enumerate(SIZES):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder
