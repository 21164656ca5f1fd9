"""The exact quantile of more values than fit into memory, which come in pieces, twice.

The same radix selection as `fusion.quantile`, bit for bit: the patterns of non-negative floats
order like the integers that they spell. A first reading counts the upper 16 bits, a second one the
lower 15 of the values that share the upper bits of the one looked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOWER_BITS = 15
_UPPER_BINS = 1 << 16
_LOWER_BINS = 1 << _LOWER_BITS
# Values that are counted at once: what is computed of them stays in the processor's cache.
_PIECE = 1 << 18
_NONE = np.iinfo(np.int32).max


class StreamingQuantile:
    """One quantile, linear between order statistics, with Q(0) := 0.

    quantile = StreamingQuantile(0.73)
    for piece in pieces:
        quantile.count(piece)
    for piece in pieces:  # the same values again, in any order
        quantile.refine(piece)
    quantile.value()
    """

    def __init__(self, xi: float) -> None:
        """Starts with no values.

        Args:
            xi: In [0, 1]; taken as float32, as the fused model takes it.
        """
        self._xi = np.float32(xi)
        self._upper = np.zeros(_UPPER_BINS, np.int64)
        self._lower = np.zeros(_LOWER_BINS, np.int64)
        self._chosen: int | None = None
        self._above = int(_NONE)  # the smallest pattern with other, larger upper bits

    def count(self, values: NDArray[np.float32]) -> None:
        """First reading.

        Args:
            values: float32, any shape, each ≥ 0 and not NaN; -0.0 is not allowed.

        Raises:
            RuntimeError: The second reading has begun.
        """
        if self._chosen is not None:
            raise RuntimeError("count() after refine(): the upper bits are chosen")
        patterns = _patterns(values)
        for start in range(0, len(patterns), _PIECE):
            upper = patterns[start : start + _PIECE] >> _LOWER_BITS
            self._upper += np.bincount(upper, minlength=_UPPER_BINS)

    def refine(self, values: NDArray[np.float32]) -> None:
        """Second reading; it begins when all values are counted.

        Args:
            values: As for `count`.
        """
        if self._chosen is None:
            self._chosen = int(np.searchsorted(np.cumsum(self._upper), self._rank, side="right"))
        patterns = _patterns(values)
        upper = patterns >> _LOWER_BITS
        same = patterns[upper == self._chosen] & (_LOWER_BINS - 1)
        self._lower += np.bincount(same, minlength=_LOWER_BINS)
        larger = patterns[upper > self._chosen]
        self._above = min(self._above, int(larger.min(initial=_NONE)))

    def value(self) -> np.float32:
        """The quantile of all values, in their unit.

        Raises:
            RuntimeError: The two readings were of different values, or of none.
        """
        total = int(self._upper.sum())
        if self._chosen is None or self._lower.sum() != self._upper[self._chosen]:
            raise RuntimeError(f"the second reading was not of the {total} values of the first")
        if self._xi <= 0:
            return np.float32(0)
        up_to = np.cumsum(self._lower)
        in_bin = self._rank - int(self._upper[: self._chosen].sum())
        first = self._chosen << _LOWER_BITS
        lower = first | int(np.searchsorted(up_to, in_bin, side="right"))
        upper = lower
        if in_bin + 1 < up_to[-1]:
            upper = first | int(np.searchsorted(up_to, in_bin + 1, side="right"))
        elif self._above != _NONE:
            upper = self._above
        low, high = (np.float64(_float_of(pattern)) for pattern in (lower, upper))
        return np.float32(low + (high - low) * (self._position - self._rank))

    @property
    def _position(self) -> float:
        """Where the quantile lies in the sorted values."""
        # float64: a float32 position would be off by whole ranks.
        return float(self._xi) * (int(self._upper.sum()) - 1)

    @property
    def _rank(self) -> int:
        return int(self._position)


def _patterns(values: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.ascontiguousarray(values, np.float32).reshape(-1).view(np.int32)


def _float_of(pattern: int) -> np.float32:
    return np.int32(pattern).view(np.float32)
