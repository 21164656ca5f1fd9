"""One photo through the served graph and the upscaler; called in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

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


class Cost(NamedTuple):
    """Of one photo.

    Attributes:
        seconds: By the clock.
        processor_seconds: Of all cores together: comparable where other work runs beside.
        peak: The most memory of the process, bytes.
    """

    seconds: float
    processor_seconds: float
    peak: int


def in_a_session(model: str, image: NDArray[np.uint8]) -> Cost:
    """A request to the bare graph."""
    session = BareSession(Path(model))
    session.run("image_only", image=image[_WARM_UP][np.newaxis])
    return _cost(lambda: session.run("image_only", image=image[np.newaxis]))


def in_the_upscaler(model: str, image: NDArray[np.uint8]) -> Cost:
    """A call of the upscaler, which cuts by the memory that is free."""
    upscaler = Upscaler(model)
    upscaler(image[_WARM_UP])
    return _cost(lambda: upscaler(image))


def _cost(run: Callable[[], object]) -> Cost:
    begin, used = time.perf_counter(), time.process_time()
    run()
    return Cost(time.perf_counter() - begin, time.process_time() - used, peak_bytes())
