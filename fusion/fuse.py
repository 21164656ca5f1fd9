"""The merge of two images by soft thresholding, at a share ξ or a bound of grey levels: Eq. (9).

Δ is computed from unrounded images and the result is rounded once.

    I_g, I_G ─► t = Q(ξ) of |Δ|, or max_deviation ─► I_e ─► uint8
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from fusion.modes import Delta, Threshold
from fusion.parts import deviations
from fusion.quantile import quantile
from fusion.soft_threshold import (
    as_printed,
    luma_change,
    soft_threshold,
    soft_threshold_together,
)
from sr_images.rounding import grey_levels
from sr_program.contract import DEFAULT_XI, USE_XI
from sr_program.errors import UsageError

Quantile = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Fused(NamedTuple):
    """The merge of I_g and I_G: `sr` uint8 [B, H, W, 3], and I_e before its rounding, float32."""

    sr: tf.Tensor
    unrounded: tf.Tensor


def fuse(
    faithful: tf.Tensor,
    vivid: tf.Tensor,
    xi: tf.Tensor | float = DEFAULT_XI,
    max_deviation: tf.Tensor | float | None = None,
    *,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
    quantile: Quantile = quantile,
) -> Fused:
    """Merges two reconstructions of the same images, each image for itself.

    Args:
        faithful: I_g, float32 grey levels in [0, 255], [B, H, W, 3], not rounded.
        vivid: I_G, likewise.
        xi: ξ in [0, 1], float32, one or B values: the threshold is the ξ-quantile of the image's
            |Δ|, with Q(0) := 0. ξ ≤ 0 and NaN give exactly I_g, ξ ≥ 1 exactly I_G.
        max_deviation: Grey levels, float32, one or B values. Where ≥ 0 it is the threshold, ξ is
            not used, and no value of `sr` departs from the rounded I_g by more than it. None or
            < 0: ξ is used.
        threshold: "joint": one quantile over all channels; "per_channel": one a channel; "luma":
            the luma of Δ decides and the channels of a pixel move together, so that hue stays.
        delta: "as_read" is Δ = I_g − I_G, "as_printed" Δ = I_G − I_g; see `soft_threshold`.
        quantile: Of the rows of [B, K] at [B] values of ξ; another one for other runtimes.

    Returns:
        The result as uint8, halves rounded up, and before that, float32 in [0, 255].

    Raises:
        UsageError: `max_deviation` with "as_printed", where it would bound nothing.
        tf.errors.InvalidArgumentError: `xi` or `max_deviation` has neither one nor B values.
    """
    if delta == "as_printed" and max_deviation is not None:
        raise UsageError("max_deviation cannot be combined with the delta as printed")
    batch = tf.shape(faithful)[0]
    quantiles = _one_per_image(xi, batch)
    bounds = _one_per_image(USE_XI if max_deviation is None else max_deviation, batch)
    merged = _merge(faithful, vivid, quantiles, bounds, threshold, quantile)
    if delta == "as_printed":
        merged = tf.clip_by_value(as_printed(vivid, merged), 0.0, 255.0)
        return Fused(tf.cast(grey_levels(merged, tf), tf.uint8), merged)
    rounded = _within(grey_levels(merged, tf), grey_levels(faithful, tf), bounds)
    return Fused(tf.cast(rounded, tf.uint8), merged)


def _one_per_image(value: tf.Tensor | float, batch: tf.Tensor) -> tf.Tensor:
    return tf.broadcast_to(tf.reshape(tf.cast(value, tf.float32), [-1]), [batch])


def _merge(
    faithful: tf.Tensor,
    vivid: tf.Tensor,
    xi: tf.Tensor,
    max_deviation: tf.Tensor,
    threshold: Threshold,
    quantile: Quantile,
) -> tf.Tensor:
    """I_e with the sign as read; `xi` and `max_deviation` are [B]."""
    absolute = max_deviation[:, None, None, None]
    # NaN counts as "not given". The opposite, `not (absolute >= 0)`, would be rewritten to
    # `absolute < 0` by TensorFlow's graph optimizer, which is another thing for NaN.
    use_absolute = absolute >= 0
    columns = tf.unstack(deviations(faithful, vivid, threshold), axis=-1)
    relative = tf.stack([quantile(values, xi) for values in columns], axis=-1)[:, None, None, :]
    if threshold == "luma":
        # ξ = 1 is I_G also where colours differ and no luma does.
        relative = tf.where(xi[:, None, None, None] >= 1, float("inf"), relative)
        # The bound has to hold in every channel, not for the luma only.
        largest = tf.reduce_max(tf.abs(vivid - faithful), axis=-1, keepdims=True)
        measure = tf.where(use_absolute, largest, luma_change(faithful, vivid))
        limit = tf.where(use_absolute, absolute, relative)
        return soft_threshold_together(faithful, vivid, limit, measure)
    return soft_threshold(faithful, vivid, tf.where(use_absolute, absolute, relative))


def _within(rounded: tf.Tensor, centre: tf.Tensor, max_deviation: tf.Tensor) -> tf.Tensor:
    """Keeps whole grey levels within `max_deviation` (any real number ≥ 0) of others.

    I_g ± t holds the bound for real numbers and whole t only: 10.4 -> 10 and 10.4 + 0.3 -> 11 are 1
    apart, and the sum itself is rounded.
    """
    whole = tf.floor(max_deviation)[:, None, None, None]
    bound = tf.where(whole >= 0, whole, 255.0)
    return tf.clip_by_value(rounded, centre - bound, centre + bound)
