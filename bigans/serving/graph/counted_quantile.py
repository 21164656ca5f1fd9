"""The exact quantile of values that come in pieces, twice, as TensorFlow graph code.

The same radix selection as `fusion.quantile` and `bigans.upscaler.tiles.streaming_quantile`: the
bit patterns of non-negative floats order like the integers that they spell. A first reading counts
the upper 16 bits, a second one the lower 15 of the values that share the upper bits looked for.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

_LOWER_BITS = 15
UPPER_BINS = 1 << 16
LOWER_BINS = 1 << _LOWER_BITS


class Bin(NamedTuple):
    """Where the quantile lies after the first reading: of Q columns each, [Q].

    Attributes:
        position: Of the quantile among the sorted values, float64.
        rank: Its whole part, int64.
        first: The smallest bit pattern with the upper bits looked for, int32.
        before: How many values have smaller upper bits, int64.
    """

    position: tf.Tensor
    rank: tf.Tensor
    first: tf.Tensor
    before: tf.Tensor


def upper_counts(values: tf.Tensor) -> tf.Tensor:
    """First reading.

    Args:
        values: float32 [K, Q], each ≥ 0 and not NaN; -0.0 is not allowed.

    Returns:
        int32 [Q, `UPPER_BINS`], to be added up over the pieces.
    """
    columns = tf.unstack(tf.bitcast(values, tf.int32), axis=1)
    return tf.stack([_count(bits // LOWER_BINS, UPPER_BINS) for bits in columns])


def bin_of(counts: tf.Tensor, xi: tf.Tensor) -> Bin:
    """What the second reading has to look at.

    Args:
        counts: The sum of `upper_counts`, int32 [Q, `UPPER_BINS`].
        xi: ξ in [0, 1], float32 scalar.
    """
    up_to = tf.cumsum(tf.cast(counts, tf.int64), axis=1)
    # float64: a float32 position would be off by whole ranks.
    position = tf.cast(xi, tf.float64) * tf.cast(up_to[:, -1] - 1, tf.float64)
    rank = tf.cast(tf.floor(position), tf.int64)
    upper = tf.searchsorted(up_to, rank[:, None], side="right")[:, 0]
    before = tf.gather(up_to, upper, batch_dims=1) - tf.cast(
        tf.gather(counts, upper, batch_dims=1), tf.int64
    )
    return Bin(position, rank, upper * LOWER_BINS, before)


def lower_counts(values: tf.Tensor, chosen: Bin) -> tuple[tf.Tensor, tf.Tensor]:
    """Second reading.

    Args:
        values: The same as for `upper_counts`, in any pieces.
        chosen: See there.

    Returns:
        int32 [Q, `LOWER_BINS`], to be added up; and int32 [Q], the smallest pattern with larger
        upper bits or the largest int32, of which the least over all pieces is wanted.
    """
    counts, above = [], []
    for bits, first in zip(
        tf.unstack(tf.bitcast(values, tf.int32), axis=1),
        tf.unstack(chosen.first, num=values.shape[1]),
        strict=True,
    ):
        lower = tf.minimum(tf.bitwise.bitwise_xor(bits, first), LOWER_BINS)
        counts.append(_count(lower, LOWER_BINS))
        # With the sign bit turned over, differences are in order and negative ones come last.
        least = first + LOWER_BINS
        turned = tf.reduce_min(tf.bitwise.bitwise_xor(bits - least, tf.int32.min))
        above.append(
            tf.where(turned < 0, least + tf.bitwise.bitwise_xor(turned, tf.int32.min), _NONE)
        )
    return tf.stack(counts), tf.stack(above)


_NONE = tf.int32.max


def value_of(counts: tf.Tensor, above: tf.Tensor, chosen: Bin, xi: tf.Tensor) -> tf.Tensor:
    """The quantile, linear between order statistics, with Q(0) := 0.

    Args:
        counts: The sum of `lower_counts`.
        above: The least of its patterns.
        chosen: As there.
        xi: As for `bin_of`.

    Returns:
        float32 [Q].
    """
    up_to = tf.cumsum(tf.cast(counts, tf.int64), axis=1)
    in_bin = chosen.rank - chosen.before
    lower = chosen.first + _bin_of_rank(up_to, in_bin)
    following = chosen.first + _bin_of_rank(up_to, in_bin + 1)
    beyond = tf.where(above < _NONE, above, lower)
    upper = tf.where(in_bin + 1 < up_to[:, -1], following, beyond)
    low, high = (tf.cast(tf.bitcast(bits, tf.float32), tf.float64) for bits in (lower, upper))
    fraction = chosen.position - tf.floor(chosen.position)
    result = tf.cast(low + (high - low) * fraction, tf.float32)
    return tf.where(xi > 0, result, tf.zeros_like(result))


def _bin_of_rank(up_to: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    return tf.searchsorted(up_to, rank[:, None], side="right")[:, 0]


def _count(digits: tf.Tensor, bins: int) -> tf.Tensor:
    """How often each digit occurs; what is `bins` or more is left out."""
    return tf.math.bincount(digits, minlength=bins, maxlength=bins)
