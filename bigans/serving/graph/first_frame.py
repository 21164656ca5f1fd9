"""The first frame of a GIF, cut out of the file, so that the others are never decoded."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from bigans.serving.graph.headers import little_endian

_EXTENSION, _IMAGE = 0x21, 0x2C


class FirstFrame(NamedTuple):
    """A GIF of one frame.

    Attributes:
        content: The file, string scalar.
        height: Of the frame, which need not be that of the canvas; int64.
        width: Likewise.
        is_whole: Whether the frame ends within the file.
        is_transparent: Whether one of its colours is.
    """

    content: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    is_whole: tf.Tensor
    is_transparent: tf.Tensor


def first_frame(content: tf.Tensor) -> FirstFrame:
    """Reads the blocks up to the end of the first frame.

    Args:
        content: The bytes of a GIF, string scalar.
    """
    data = tf.io.decode_raw(content, tf.uint8)
    size = tf.shape(data)[0]

    def byte(place: tf.Tensor) -> tf.Tensor:
        value = tf.cast(data[tf.minimum(place, size - 1)], tf.int32)
        return tf.where(place < size, value, 0)

    def end_of_blocks(place: tf.Tensor) -> tf.Tensor:
        """Behind the chain of sub-blocks that starts there."""
        return (
            1
            + tf.while_loop(
                lambda at: byte(at) > 0,
                lambda at: [at + 1 + byte(at)],
                [place],
                parallel_iterations=1,
            )[0]
        )

    def skip(place: tf.Tensor, transparent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        is_control = tf.equal(byte(place + 1), 0xF9)
        has_colour = tf.equal(tf.math.floormod(byte(place + 3), 2), 1)
        return end_of_blocks(place + 2), transparent | (is_control & has_colour)

    start = 13 + _table(byte(tf.constant(10)))
    start, transparent = tf.while_loop(
        lambda place, _: tf.equal(byte(place), _EXTENSION),
        skip,
        [start, tf.constant(False)],
        parallel_iterations=1,
    )
    end = end_of_blocks(start + 10 + _table(byte(start + 9)) + 1)
    head = tf.cast(data[tf.minimum(start, size) : tf.minimum(start + 16, size)], tf.int32)
    head = tf.concat([head, tf.zeros([16], tf.int32)], 0)
    return FirstFrame(
        tf.strings.join([tf.strings.substr(content, 0, tf.minimum(end, size)), b";"]),
        little_endian(head, 7, 2),
        little_endian(head, 5, 2),
        tf.equal(byte(start), _IMAGE) & (end <= size),
        transparent,
    )


def _table(flags: tf.Tensor) -> tf.Tensor:
    """Bytes of a colour table."""
    return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, tf.math.floormod(flags, 8)), 0)
