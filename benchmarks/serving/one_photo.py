"""One photo through the served graph and the upscaler; called in processes of their own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.bare_session import BareSession
from benchmarks.timing.peak_memory import peak_bytes
from bigans import Upscaler

_WARM_UP = np.s_[:64, :64]


def drawn_photo(height: int, width: int) -> NDArray[np.uint8]:
    """Waves of three colours, [H, W, 3]."""
    rows, columns = np.mgrid[:height, :width] / 40
    waves = np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], -1)
    return (128 + 100 * waves).astype(np.uint8)


def in_a_session(model: str, image: NDArray[np.uint8]) -> tuple[float, int]:
    """Seconds of a request to the bare graph, and the most memory of this process."""
    session = BareSession(Path(model))
    session.run("image_only", image=image[_WARM_UP][np.newaxis])
    begin = time.perf_counter()
    session.run("image_only", image=image[np.newaxis])
    return time.perf_counter() - begin, peak_bytes()


def in_the_upscaler(model: str, image: NDArray[np.uint8]) -> tuple[float, int]:
    """The same of a call of the upscaler, which cuts by the memory that is free."""
    upscaler = Upscaler(model)
    upscaler(image[_WARM_UP])
    begin = time.perf_counter()
    upscaler(image)
    return time.perf_counter() - begin, peak_bytes()
