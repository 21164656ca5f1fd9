"""The threshold of every ξ, found once for a photo: moving the knob sorts nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bigans.models.loaded_model import Levels
from fusion import numpy_merge

# ξ in thousandths. The slider has hundredths.
_STEPS = 1000


class Thresholds:
    """The ξ-quantiles of one photo's deviations, as `fusion.numpy_merge.quantile` gives them."""

    def __init__(self, deviations: Callable[[], Levels], *, luma: bool = False) -> None:
        """Sorts once.

        Args:
            deviations: Gives float32 [K, Q], grey levels ≥ 0; see `LoadedModel.deviations`. It is
                called again for a ξ that is no thousandth.
            luma: Whether they are changes of luma: then the vivid image, ξ = 1, has no threshold.
        """
        self._deviations, self._luma = deviations, luma
        columns = np.sort(deviations(), axis=0)
        last = len(columns) - 1
        # As float32 rounds ξ: 0.73 is 0.7300000190734863.
        shares = (np.arange(1, _STEPS) / _STEPS).astype(np.float32)
        positions = shares.astype(np.float64) * last
        ranks = positions.astype(np.int64)
        low = columns[ranks].astype(np.float64)
        high = columns[np.minimum(ranks + 1, last)].astype(np.float64)
        between = low + (high - low) * (positions - ranks)[:, np.newaxis]
        ends = np.zeros_like(columns[:1]), columns[-1:]
        self._table = np.concatenate([ends[0], between.astype(np.float32), ends[1]])

    def __call__(self, xi: float) -> Levels:
        """The thresholds at ξ in [0, 1]: float32 [Q], grey levels."""
        if self._luma and xi >= 1:
            return np.full_like(self._table[-1], np.inf)
        step = round(xi * _STEPS)
        if math.isclose(step, xi * _STEPS, abs_tol=1e-9):
            return self._table[step]
        columns = self._deviations().T
        return np.array([numpy_merge.quantile(column, xi) for column in columns], np.float32)

    def xi_of(self, levels: float) -> float:
        """The ξ whose threshold is nearest to some grey levels, in [0, 1]."""
        middle = self._table.mean(axis=1)
        return int(np.searchsorted(middle, levels, side="right") - 1) / _STEPS
