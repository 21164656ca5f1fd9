"""The merge in two parts, for an image that is enlarged piece by piece.

The threshold is a quantile over the whole image, which no piece knows. `deviations` gives the
values of one piece that it is a quantile of; once it is known, `merge_at` merges every piece. Both
work value by value (pixel by pixel for "luma"), so that the pieces give what the whole gives, but
for the last bit of values that lie on the threshold.
"""

from __future__ import annotations

import tensorflow as tf

from fusion.modes import Delta, Threshold
from fusion.soft_threshold import (
    as_printed,
    luma_change,
    soft_threshold,
    soft_threshold_together,
)
from sr_images.rounding import grey_levels


def deviations(faithful: tf.Tensor, vivid: tf.Tensor, threshold: Threshold = "joint") -> tf.Tensor:
    """What ξ is a quantile of.

    Args:
        faithful: I_g, float32 grey levels, [B, H, W, 3], not rounded.
        vivid: I_G, likewise.
        threshold: See `fusion.fuse.fuse`.

    Returns:
        float32 [B, K, Q], grey levels ≥ 0, in no order that means something: Q quantiles are taken,
        each over K values. Q is 3 for "per_channel", else 1.
    """
    batch = tf.shape(faithful)[0]
    if threshold == "luma":
        return tf.reshape(luma_change(faithful, vivid), [batch, -1, 1])
    columns = 3 if threshold == "per_channel" else 1
    return tf.reshape(tf.abs(vivid - faithful), [batch, -1, columns])


def merge_at(
    faithful: tf.Tensor,
    vivid: tf.Tensor,
    limits: tf.Tensor,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> tf.Tensor:
    """Merges at thresholds that are known.

    Args:
        faithful: I_g, float32 grey levels, [B, H, W, 3], not rounded.
        vivid: I_G, likewise.
        limits: The quantiles of `deviations`, float32 [B, Q], in grey levels.
        threshold: See `fusion.fuse.fuse`.
        delta: Likewise.

    Returns:
        I_e as uint8 [B, H, W, 3], halves rounded up.
    """
    merged = merge_at_unrounded(faithful, vivid, limits, threshold, delta)
    return tf.cast(grey_levels(merged, tf), tf.uint8)


def merge_at_unrounded(
    faithful: tf.Tensor,
    vivid: tf.Tensor,
    limits: tf.Tensor,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> tf.Tensor:
    """As `merge_at`, but float32 grey levels in [0, 255], not rounded."""
    limit = limits[:, None, None, :]
    if threshold == "luma":
        measure = luma_change(faithful, vivid)
        merged = soft_threshold_together(faithful, vivid, limit, measure)
    else:
        merged = soft_threshold(faithful, vivid, limit)
    if delta == "as_printed":
        merged = tf.clip_by_value(as_printed(vivid, merged), 0.0, 255.0)
    return merged
