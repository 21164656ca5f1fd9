"""How far a model looks, measured, for models that do not tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FARTHEST = 96  # LR pixels
_THICKNESS = 24


def measured_reach(enlarge: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> int:
    """Compares the results of images that agree on one side only.

    What is too faint for float32 is not seen: the true receptive field may be larger, but where
    nothing is seen tiles make no difference either.

    Args:
        enlarge: uint8 [H, W, 3] to float32 [N, s·H, s·W, 3].

    Returns:
        The LR pixels that lie between a change and the last value that it changes, at most 96.
    """
    rng = np.random.default_rng(0)
    shape = (2, _THICKNESS, FARTHEST, 3)
    same, one, other = (rng.integers(0, 256, shape, np.uint8) for _ in range(3))
    farthest = 0
    for sample in range(len(same)):
        pair = [np.concatenate([same[sample], part[sample]], axis=1) for part in (one, other)]
        for turns in range(4):
            results = [np.rot90(enlarge(np.rot90(x, turns)), -turns, axes=(1, 2)) for x in pair]
            differs = (results[0] != results[1]).any(axis=(0, 1, 3))
            scale = len(differs) // (2 * FARTHEST)
            first = int(np.argmax(differs)) // scale
            farthest = max(farthest, FARTHEST - first if differs.any() else 0)
    return farthest
