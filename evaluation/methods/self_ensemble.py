"""Geometric self-ensemble (x8): the mean over the eight turns and mirrorings of an image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def self_ensemble(
    run: Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float32]]], image: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Runs a model on each turned and mirrored image, turns the results back, and averages them.

    Lim et al., "Enhanced deep residual networks for single image super-resolution" (EDSR), 2017,
    section 3.3. The mean is taken before rounding.

    Args:
        run: Maps uint8 [H, W, 3] to named images, float32 [4H, 4W, 3], not rounded.
        image: uint8 [H, W, 3].

    Returns:
        The named images, float32 [4H, 4W, 3].
    """
    sums: dict[str, NDArray[np.float64]] = {}
    for mirrored in (False, True):
        for quarters in range(4):
            turned = np.rot90(image[:, ::-1] if mirrored else image, quarters)
            for name, result in run(np.ascontiguousarray(turned)).items():
                back = np.rot90(result, -quarters)
                back = back[:, ::-1] if mirrored else back
                sums[name] = sums.get(name, 0) + back.astype(np.float64)
    return {name: (total / 8).astype(np.float32) for name, total in sums.items()}
