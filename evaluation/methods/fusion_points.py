"""Places on the way from the faithful image I_g to the vivid image I_G."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np

from bigans.models.loaded_model import Images, Levels
from sr_images.rounding import grey_levels

# Both images, ξ, and a threshold in grey levels that counts instead of ξ.
Fuse = Callable[[Levels, Levels, float, float | None], Images]

Mode = Literal["quantile", "absolute", "linear"]
MODES: tuple[Mode, ...] = ("quantile", "absolute", "linear")


@dataclasses.dataclass(frozen=True)
class FusionPoint:
    """One way of merging I_g and I_G.

    Attributes:
        label: Its name in tables.
        mode: "quantile": soft thresholding by the ξ-quantile of |Δ|; "absolute": by a threshold in
            grey levels; "linear": (1 − α)·I_g + α·I_G, what soft thresholding is compared with.
        value: ξ in [0, 1], grey levels ≥ 0, or α in [0, 1].
    """

    label: str
    mode: Mode
    value: float

    def merge(self, faithful: Levels, vivid: Levels, fuse: Fuse) -> Images:
        """Merges two images.

        Args:
            faithful: I_g, float32 [H, W, 3], grey levels, not rounded.
            vivid: I_G, likewise.
            fuse: The model's way of merging; see `bigans.models.loaded_model.LoadedModel.fuse`.

        Returns:
            uint8 [H, W, 3].
        """
        if self.mode == "quantile":
            return fuse(faithful, vivid, self.value, None)
        if self.mode == "absolute":
            return fuse(faithful, vivid, 0.0, self.value)
        mixed = (1 - self.value) * faithful + self.value * vivid
        return grey_levels(mixed, np).astype(np.uint8)
