"""A fused model of a few lines of NumPy, which takes every depth: no TensorFlow, no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bigans import Tiling, Upscaler
from bigans.models.loaded_model import LoadedModel
from bigans.models.memory import TENSORFLOW
from sr_program.model_facts import ModelFacts


class NumpyModel(LoadedModel):
    """Faithful: every pixel repeated 4x4. Vivid: another gain in each channel."""

    directory = Path("toy")
    inputs = frozenset({"image", "xi", "max_deviation"})
    footprint = TENSORFLOW
    facts = ModelFacts(scale=4, radius=0, threshold="joint")
    identity = "toy"
    has_parts: Any = True
    gives_unrounded: Any = True
    takes_levels: Any = True

    def __init__(self, *, takes_levels: bool = True) -> None:
        self.takes_levels = takes_levels
        self.served: list[np.dtype] = []

    def serve(self, images: Any, merge_inputs: Mapping[str, np.ndarray]) -> Any:
        assert images.dtype == np.uint8
        self.served.append(images.dtype)
        numbers: Any = {
            name: float(np.asarray(value).flat[0]) for name, value in merge_inputs.items()
        }
        return np.stack([self.fuse(*self._generators(image), **numbers) for image in images])

    def generators(self, image: Any) -> Any:
        self.served.append(image.dtype)
        return self._generators(image)

    def _generators(self, image: Any) -> Any:
        assert image.shape[2] == 3
        large = image.astype(np.float32).repeat(4, axis=0).repeat(4, axis=1)
        return large, np.clip(large * np.array([1.1, 1, 0.9], np.float32) + np.float32(3.3), 0, 255)

    def unrounded(self, image: Any) -> Any:
        return np.stack(self.generators(image))

    def require_parts(self) -> None:
        pass


def upscaler(*, side: int | None = None, takes_levels: bool = True) -> Upscaler:
    """With tiles of at most `side`² pixels, if that is given."""
    memory_mb = float("inf")
    if side is not None:
        taken = (side**2 + 0.5) * TENSORFLOW.bytes_per_lr_pixel
        memory_mb = (TENSORFLOW.program_bytes + taken) / 1e6
    model = NumpyModel(takes_levels=takes_levels)
    return Upscaler.of_model(model, tiling=Tiling(memory_mb, overlap=0))
