"""The choices of the merge, for code with and without TensorFlow."""

from __future__ import annotations

from sr_program.errors import DataError
from sr_program.model_facts import DELTAS, THRESHOLDS, Delta, Threshold

__all__ = ["DELTAS", "THRESHOLDS", "Delta", "NoGeneratorsError", "Threshold"]


class NoGeneratorsError(DataError):
    """A SavedModel does not tell what it is made of, or merges in its own way."""
