"""Places on the way from the faithful image I_g to the vivid image I_G."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sr_images.rounding import grey_levels

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

    def merge(self, faithful: Any, vivid: Any) -> NDArray[np.uint8]:
        """Merges two images.

        Args:
            faithful: I_g, float32 tensor [1, H, W, 3], grey levels, not rounded.
            vivid: I_G, likewise.

        Returns:
            uint8 [H, W, 3].
        """
        from fusion.fused_model import fuse

        if self.mode == "quantile":
            return fuse(faithful, vivid, self.value).sr.numpy()[0]
        if self.mode == "absolute":
            return fuse(faithful, vivid, max_deviation=self.value).sr.numpy()[0]
        mixed = (1 - self.value) * faithful + self.value * vivid
        return grey_levels(mixed.numpy()[0], np).astype(np.uint8)
