"""How an image is cut into tiles, computed in the graph: sizes are known there only.

The same cut as `bigans.upscaler.tiles.tile_plan`, for a side that a tile may have at most: a tile
reads `overlap` LR pixels at each side beyond what it writes, and at the image's edges up to the
edge; all tiles have one size, and the last is shifted inwards.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Axis(NamedTuple):
    """The tiles along one side of an image: int32 scalars, LR pixels.

    Attributes:
        length: Of the image.
        count: Of tiles.
        size: Of what each tile reads.
        overlap: What of it lies beyond what is written, at each side.
    """

    length: tf.Tensor
    count: tf.Tensor
    size: tf.Tensor
    overlap: int


class Span(NamedTuple):
    """A tile along one side, int32 scalars, LR pixels; the ends are exclusive."""

    read: tf.Tensor
    write: tf.Tensor
    write_end: tf.Tensor


def cut(length: tf.Tensor, longest: int, overlap: int) -> Axis:
    """The fewest tiles for a side.

    Args:
        length: Of the side, int32 scalar ≥ 1, LR pixels.
        longest: What a tile may read at most, more than 2·overlap.
        overlap: See `Axis`.
    """
    inner = length - 2 * overlap  # the first and the last tile have no overlap at the edge
    count = tf.where(length <= longest, 1, _ceil(inner, longest - 2 * overlap))
    size = tf.where(count <= 1, length, _ceil(inner, count) + 2 * overlap)
    return Axis(length, count, size, overlap)


def span(axis: Axis, index: tf.Tensor) -> Span:
    """The tile of a number, int32 scalar, 0 for the first."""
    size, overlap = axis.size, axis.overlap
    read = _start(axis, index)
    write = tf.where(index == 0, 0, _start(axis, index - 1) + size - overlap)
    is_last = index == axis.count - 1
    return Span(read, write, tf.where(is_last, axis.length, read + size - overlap))


def most_written(axis: Axis) -> tf.Tensor:
    """The longest side that a tile writes."""
    return axis.size - tf.where(axis.count > 1, axis.overlap, 0)


def _start(axis: Axis, index: tf.Tensor) -> tf.Tensor:
    step = axis.size - 2 * axis.overlap
    return tf.maximum(tf.minimum(index * step, axis.length - axis.size), 0)


def _ceil(number: tf.Tensor, divisor: tf.Tensor | int) -> tf.Tensor:
    return -tf.math.floordiv(-number, divisor)
