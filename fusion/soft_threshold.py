"""Soft thresholding of two reconstructions of one image (paper, section 3.4, Eq. (9)-(10)).

    I_e = I_G + soft(Δ, t)                            (9)
    soft(Δ, t) = sign(Δ) · max(|Δ| − t, 0)            (10)

I_g is the faithful image (low RMSE), I_G the vivid one (good perception), t ≥ 0 the threshold in
grey levels. Read with Δ = I_g − I_G this is I_e = I_g + clip(I_G − I_g, −t, t): the vivid image, as
far as it departs from the faithful one by at most t. The paper prints Δ = I_G − I_g, which moves
away from the faithful image, against its own Table 2; `as_printed` keeps that form for the record.

All images are float32 grey levels [B, H, W, 3]; nothing here rounds.
"""

from __future__ import annotations

import tensorflow as tf

from sr_images.luma import LUMA_WEIGHTS


def soft_threshold(faithful: tf.Tensor, vivid: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """Eq. (9)-(10) with Δ = I_g − I_G, each channel for itself.

    Neither I_G + soft(Δ, t) nor I_g + clip(−Δ, −t, t) is exact at both ends in floating point. I_G
    clipped to I_g ± t is exact at t = 0; at the other end the rounding of I_g ± t may cut I_G, so a
    t that is no bound on an image becomes ∞. t = 0 gives exactly `faithful`, t ≥ max |Δ| exactly
    `vivid`, and the distance from `faithful` never decreases as t grows. (Selecting between the
    cases at each pixel would be exact too, but `where` takes TensorFlow eight times as long.)

    Args:
        faithful: I_g, float32 [B, H, W, 3].
        vivid: I_G, the same shape.
        threshold: t ≥ 0, in grey levels: [B, 1, 1, 1], or [B, 1, 1, 3] for one a channel.

    Returns:
        I_e, float32 [B, H, W, 3], between `faithful` and `vivid` in every channel.
    """
    axes = (1, 2, 3) if threshold.shape[-1] == 1 else (1, 2)
    largest = tf.reduce_max(tf.abs(vivid - faithful), axis=axes, keepdims=True)
    bound = tf.where(threshold >= largest, float("inf"), threshold)
    return tf.minimum(tf.maximum(vivid, faithful - bound), faithful + bound)


def soft_threshold_together(
    faithful: tf.Tensor, vivid: tf.Tensor, threshold: tf.Tensor, measure: tf.Tensor
) -> tf.Tensor:
    """Eq. (9)-(10) with the three channels of a pixel scaled by one factor.

    The result lies on the line from I_g to I_G in colour space: channels that are clipped
    separately change the direction of I_G − I_g, and with it the hue.

    Args:
        faithful: I_g, float32 [B, H, W, 3].
        vivid: I_G, the same shape.
        threshold: t ≥ 0, in grey levels, [B, 1, 1, 1].
        measure: m ≥ 0, how much a pixel changes, in grey levels, [B, H, W, 1]: the pixel becomes
            I_G where m ≤ t, and I_g + (I_G − I_g) · t / m elsewhere. t = 0 gives exactly I_g, also
            where m = 0 and I_G ≠ I_g (a luma change of 0 says nothing about the colour).

    Returns:
        I_e, float32 [B, H, W, 3], between `faithful` and `vivid` in every channel.
    """
    whole = (measure <= threshold) & (threshold > 0)
    fraction = tf.math.divide_no_nan(threshold, measure)
    return tf.where(whole, vivid, faithful + (vivid - faithful) * fraction)


def as_printed(vivid: tf.Tensor, as_read: tf.Tensor) -> tf.Tensor:
    """Eq. (9) with the printed sign, Δ = I_G − I_g, from the result with the sign as read.

    soft is odd in Δ, so the printed sign puts the same step on the other side of I_G:
    I_G + soft(I_G − I_g) = I_G − soft(I_g − I_G) = I_G + (I_G − I_e).

    Args:
        vivid: I_G, float32 [B, H, W, 3].
        as_read: I_e of `soft_threshold` or `soft_threshold_together`, the same shape.

    Returns:
        float32 [B, H, W, 3], not clipped: it may leave [0, 255].
    """
    return vivid + (vivid - as_read)


def luma_change(faithful: tf.Tensor, vivid: tf.Tensor) -> tf.Tensor:
    """Absolute luma of I_G − I_g: float32 [B, H, W, 1] in grey levels, full swing, BT.601."""
    weights = tf.constant(LUMA_WEIGHTS, vivid.dtype)
    return tf.abs(tf.reduce_sum((vivid - faithful) * weights, axis=-1, keepdims=True))
