"""What a request may hold, checked by the graph itself: a bad one is INVALID_ARGUMENT, in words.

The placeholders have no shape: a check of something that the graph's shapes promise would be
folded away, and an image of rank 3 then ends the whole server in a convolution. Everything that
computes waits for the checks.
"""

from __future__ import annotations

import tensorflow as tf


def require(condition: tf.Tensor, *words: str | tf.Tensor) -> tf.Operation:
    """Fails with INVALID_ARGUMENT.

    Args:
        condition: bool scalar.
        *words: What was wrong and what to do: texts, and scalars that are written between them.
    """
    parts = [word if isinstance(word, str) else _as_text(word) for word in words]
    return tf.debugging.Assert(condition, [tf.strings.join(parts)])


def checked_image(image: tf.Tensor, max_pixels: int, name: str = "image") -> tf.Tensor:
    """The images of a request, known to be a batch of RGB images.

    Args:
        image: Of unknown shape.
        max_pixels: LR pixels that a request may have.
        name: Of the input.

    Returns:
        [B, H, W, 3] of the same dtype, with at least one pixel.
    """
    shape = tf.shape(image, out_type=tf.int64)
    rank = tf.size(shape)
    is_batch = require(
        tf.equal(rank, 4),
        f"{name} has ",
        rank,
        f" dimensions; send {image.dtype.name} [batch, height, width, 3], one image as a batch of "
        "one",
    )
    # Whatever the rank is, there are four numbers to look at.
    batch, height, width, channels = tf.unstack(tf.concat([shape, [0] * 4], 0)[:4], num=4)
    with tf.control_dependencies([is_batch]):
        is_rgb = require(
            tf.equal(channels, 3),
            f"{name} has ",
            channels,
            " channels; send 3 (RGB): repeat a gray image's channel, remove an alpha channel",
        )
        has_pixels = require(
            (batch > 0) & (height > 0) & (width > 0),
            f"{name} is empty (",
            batch,
            " images of ",
            height,
            "x",
            width,
            " pixels); send at least one pixel",
        )
    with tf.control_dependencies([is_rgb, has_pixels]):
        # Each factor first: their product may not fit into 64 bits.
        small = tf.reduce_all(tf.stack([batch, height, width]) <= max_pixels)
        pixels = tf.where(small, tf.minimum(batch * height, max_pixels + 1) * width, -1)
        is_within = require(
            small & (pixels <= max_pixels),
            f"{name} has ",
            batch,
            "x",
            height,
            "x",
            width,
            f" pixels; this model takes {max_pixels} a request: send it in overlapping parts, as "
            "bigans.serving.client does",
        )
    with tf.control_dependencies([is_within]):
        return tf.ensure_shape(tf.identity(image), [None, None, None, 3])


def checked_numbers(
    xi: tf.Tensor, max_deviation: tf.Tensor, batch: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """ξ and the bound of each image.

    Args:
        xi: float32 of unknown shape.
        max_deviation: Likewise.
        batch: int32 scalar.

    Returns:
        float32 [batch] each.
    """
    in_range = "xi must lie in [0, 1]: 0 is the faithful image, 1 the vivid one"
    xis = _one_per_image("xi", xi, batch)
    bounds = _one_per_image("max_deviation", max_deviation, batch)
    checks = [
        require(tf.reduce_all((xis >= 0) & (xis <= 1)), in_range),
        require(
            tf.reduce_all(tf.math.is_finite(bounds)),
            "max_deviation must be a number of grey levels; below 0 it leaves the choice to xi",
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(xis), tf.identity(bounds)


def _one_per_image(name: str, values: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(values)
    rank, count = tf.size(shape), tf.reduce_prod(shape)
    fits = require(
        (rank <= 1) & ((count == 1) | (count == batch)),
        f"{name} has shape ",
        tf.strings.reduce_join(tf.strings.as_string(shape), separator="x"),
        "; send one value, or one for each of the ",
        batch,
        " images",
    )
    with tf.control_dependencies([fits]):
        return tf.broadcast_to(tf.reshape(values, [-1]), [batch])


def _as_text(value: tf.Tensor) -> tf.Tensor:
    return tf.strings.as_string(value)
