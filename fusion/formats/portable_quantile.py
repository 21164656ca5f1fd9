"""Exact quantile from comparisons and sums alone, for graphs that leave TensorFlow.

`fusion.quantile` looks at bit patterns, which ONNX, OpenVINO and LiteRT cannot do. The same
pattern is found here digit by digit: first the power of two, then the 23 binary digits after it.
Every candidate is a float32, so each comparison is exact. It is 31 passes over the values instead
of 2, and generators take so much longer that it hardly shows.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_DIGITS = 23
# Where value n of the table is 2 ** (n - 127), but for 0 in place of a subnormal number.
_POWERS = np.concatenate([[0.0], 2.0 ** np.arange(-126, 128), [np.inf]]).astype(np.float32)
_EXPONENT_BITS = (128, 64, 32, 16, 8, 4, 2, 1)
_SPLIT = 4096  # the square root of 2 ** 24


def quantile(values: tf.Tensor, xi: tf.Tensor) -> tf.Tensor:
    """Quantile of each row, linear between order statistics, with Q(0) := 0.

    Args:
        values: float32 [N, K], K ≥ 1, each ≥ 0, finite and not NaN; subnormal ones count as 0.
        xi: float32 [N]; clipped to [0, 1]; NaN counts as 0, the cautious end.

    Returns:
        float32 [N]: 0 where ξ ≤ 0; exactly the row's maximum where ξ ≥ 1.
    """
    xi = tf.where(xi > 0, tf.minimum(xi, 1.0), tf.zeros_like(xi))
    rank, fraction = _position(xi, tf.shape(values)[1] - 1)
    found = _value_of_rank(values, rank)
    following = _following(values, found, rank)
    between = found + (following - found) * fraction
    maximum = tf.reduce_max(values, axis=1)
    return tf.where(xi >= 1, maximum, tf.where(xi > 0, between, tf.zeros_like(xi)))


def _position(xi: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """ξ · last as a whole number and a fraction, without float64, which LiteRT lacks.

    Both factors are split so that what decides the rank is computed in integers. The fraction is
    exact to 1e-5 for 10⁶ values, to 1e-3 for 10⁸.
    """
    upper = last // _SPLIT
    lower = last - upper * _SPLIT
    steps = tf.floor(xi * _SPLIT)
    below_step = xi * _SPLIT - steps  # in [0, 1), exact
    whole_steps = tf.cast(steps, tf.int32)
    of_lower = whole_steps * lower
    carried = of_lower // _SPLIT
    remainder = tf.cast(of_lower - carried * _SPLIT, tf.float32)
    remainder += below_step * tf.cast(lower, tf.float32)
    rest = remainder / _SPLIT + below_step * tf.cast(upper, tf.float32)
    whole = tf.floor(rest)
    rank = whole_steps * upper + carried + tf.cast(whole, tf.int32)
    return tf.minimum(rank, last), rest - whole


def _value_of_rank(values: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    """The largest candidate that no more than `rank` values are below of."""
    powers = tf.constant(_POWERS)
    exponent = tf.zeros_like(rank)
    for bit in _EXPONENT_BITS:
        raised = exponent + bit
        reaches = _num_below(values, tf.gather(powers, raised)) <= rank
        exponent = tf.where(reaches, raised, exponent)
    found = tf.gather(powers, exponent)
    unit = found
    for _ in range(_DIGITS):
        unit = unit * 0.5
        reaches = _num_below(values, found + unit) <= rank
        found = tf.where(reaches, found + unit, found)
    return found


def _num_below(values: tf.Tensor, limit: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(values < limit[:, None], tf.int32), axis=1)


def _following(values: tf.Tensor, found: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    """The value of the next rank; the maximum itself after the last."""
    above = values > found[:, None]
    larger = tf.reduce_min(tf.where(above, values, tf.fill(tf.shape(values), np.inf)), axis=1)
    num_above = tf.reduce_sum(tf.cast(above, tf.int32), axis=1)
    is_last_tie = rank + 1 >= tf.shape(values)[1] - num_above
    return tf.where(is_last_tie & (num_above > 0), larger, found)
