"""The metric of Ma et al.: how good a super-resolved image looks, without a reference.

138 features describe an image: its blocks' cosine transforms, its steerable pyramid and its
patches' singular values. Three forests, trained on people's opinions, turn a group each into a
score; the metric is their weighted sum, about 0 (bad) to 10 (like a photo).

Reference: C. Ma, C.-Y. Yang, X. Yang, M.-H. Yang, "Learning a no-reference quality metric for
single-image super-resolution", Computer Vision and Image Understanding 158, 2017.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.ma_parts.block_dct import block_dct_features
from evaluation.metrics.ma_parts.gaussian_levels import gaussian_levels
from evaluation.metrics.ma_parts.ma_model import load_model
from evaluation.metrics.ma_parts.scale_mixture import scale_mixture_features
from evaluation.metrics.ma_parts.singular_values import singular_values
from evaluation.metrics.model_files import MA_MODEL
from sr_program.files.downloads import fetch

SMALLEST = 45
"""Pixels, on either side: less does not leave a window of the structural term's size."""


class MaMetric:
    """The metric with its learned model; higher is better."""

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        """Loads the model, which takes some seconds for the official one.

        Args:
            model_path: a MATLAB file of the official layout; by default the official model.mat,
                which is downloaded once.

        Raises:
            DataError: the file is missing, holds no such model, or cannot be downloaded.
        """
        self.model = load_model(fetch(MA_MODEL) if model_path is None else Path(model_path))

    def __call__(self, luma: NDArray[np.uint8]) -> float:
        """Scores an image.

        Args:
            luma: uint8 [H, W], 0..255, at least 45x45.

        Returns:
            The score; not limited to 0..10.

        Raises:
            ValueError: as for `ma_features`.
        """
        return self.model.score(self.features(luma))

    def features(self, luma: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What `ma_features` gives."""
        return ma_features(luma)


def ma_features(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The features of an image; they need no model.

    Args:
        luma: uint8 [H, W], 0..255, at least 45x45.

    Returns:
        float64 [138]: 6 of block DCTs for each of three sizes, 45 of the steerable pyramid, 25
        singular values for each of the three sizes, which grow with the image.

    Raises:
        ValueError: not uint8 [H, W], too small, or flat; or a band of its steerable pyramid is
            empty.
    """
    if luma.dtype != np.uint8 or luma.ndim != 2:
        raise ValueError(f"expected uint8 [H, W], got {luma.dtype} {list(luma.shape)}")
    height, width = luma.shape
    if min(height, width) < SMALLEST:
        raise ValueError(
            f"an image of {height}x{width} pixels is too small for the metric of Ma et al.: "
            f"it needs {SMALLEST}x{SMALLEST}"
        )
    if luma.min() == luma.max():
        raise ValueError("the metric of Ma et al. is not defined for this image: it is flat")
    levels = gaussian_levels(luma)
    return np.concatenate(
        [
            *(block_dct_features(level) for level in levels),
            scale_mixture_features(luma),
            *(singular_values(level) for level in levels),
        ]
    )
