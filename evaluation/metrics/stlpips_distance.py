"""ST-LPIPS, a learned distance that forgives small shifts, where its package is installed.

Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", 2022, arXiv 2207.13686;
https://github.com/abhijay9/ShiftTolerant-LPIPS. Its package `stlpips-pytorch` brings the weights of
trunk and heads, so that nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_images.image_io import to_signed

# Module → what the package takes from it. It does so without requiring these packages, and AlexNet
# uses none of them.
_UNUSED = {"IPython": "embed", "torchsummary": "summary", "torchvision": "models"}

# Of the network's input, pixels: for less its last pooling has nothing left.
_SMALLEST = 32


class StLpipsDistance:
    """ST-LPIPS (version ST0.0, AlexNet) between two RGB images; 0 for equal images."""

    def __init__(self) -> None:
        """Loads the network.

        Raises:
            ImportError: The package `stlpips-pytorch`, or PyTorch, is not installed.
        """
        with _stand_ins():
            import torch  # pyright: ignore[reportMissingImports]
            from stlpips_pytorch import stlpips  # pyright: ignore[reportMissingImports]

        self._torch: Any = torch
        self._network: Any = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
        self._network.eval()

    def __call__(self, reference: NDArray[np.uint8], image: NDArray[np.uint8]) -> float:
        """Compares two images, uint8 [H, W, 3], RGB, no side under 32 pixels.

        Raises:
            ValueError: They are smaller.
        """
        if min(image.shape[:2]) < _SMALLEST:
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise ValueError(f"ST-LPIPS cannot compare images of {size} pixels")
        with self._torch.no_grad():
            return float(self._network(self._tensor(reference), self._tensor(image)))

    def _tensor(self, image: NDArray[np.uint8]) -> Any:
        # [-1, 1], channels first, as the package takes them.
        return self._torch.from_numpy(to_signed(image).transpose(2, 0, 1)[None].copy())


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """Within it, empty modules have the place of those that are imported and not used."""
    made = [name for name in _UNUSED if name not in sys.modules]
    for name in made:
        module = types.ModuleType(name)
        setattr(module, _UNUSED[name], None)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]
