"""The choices of the merge, for code with and without TensorFlow."""

from __future__ import annotations

from sr_program.errors import DataError
from sr_program.model_facts import DELTAS, THRESHOLDS, Delta, Threshold

__all__ = ["DELTAS", "LUMA_WEIGHTS", "THRESHOLDS", "Delta", "NoTowersError", "Threshold"]

# ITU-R BT.601: the Y' of R'G'B'.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)


class NoTowersError(DataError):
    """A SavedModel does not tell what it is made of, or merges in its own way."""
