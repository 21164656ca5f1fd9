"""LPIPS by its authors' package, where that is installed (it brings PyTorch).

Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", 2018;
https://github.com/richzhang/PerceptualSimilarity
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_images.image_io import to_signed


class LpipsDistance:
    """LPIPS (version 0.1, AlexNet) between two RGB images; 0 for equal images."""

    def __init__(self) -> None:
        """Loads the network; its package downloads AlexNet's weights at the first use.

        Raises:
            ImportError: The package `lpips` is not installed.
        """
        import lpips  # pyright: ignore[reportMissingImports]
        import torch  # pyright: ignore[reportMissingImports]

        self._torch: Any = torch
        self._network: Any = lpips.LPIPS(net="alex", verbose=False).eval()

    def __call__(self, reference: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
        """Compares two images, uint8 [H, W, 3], RGB.

        Raises:
            ValueError: They are too small for the network.
        """
        try:
            with self._torch.no_grad():
                return float(self._network(self._tensor(reference), self._tensor(image)))
        except RuntimeError as error:  # PyTorch's, of a layer that nothing is left for
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise ValueError(f"LPIPS cannot compare images of {size} pixels") from error

    def _tensor(self, image: NDArray[np.uint8]) -> Any:
        # [-1, 1], channels first, as the package takes them.
        return self._torch.from_numpy(to_signed(image).transpose(2, 0, 1)[None].copy())
