"""What both generators made of an image, piece by piece, until the quantile is known.

All pieces lie in one tensor, which is written where it is: as tensors of their own, between those
that the networks make and give up, they leave gaps that TensorFlow's allocator keeps and cannot
fill.

Grey levels lie in [0, 255], and the first of the bytes that they take here stands before the point.
Three bytes are as exact as float32: nothing is lost from 128 on, and at most 2^-17 of a grey level
below. Two are within 2^-9.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_VALUES = 2 * 3  # of a pixel: two images, three channels
_BLOCK = 1 << 14  # bytes: a piece takes whole blocks

_ops: Any = tf.raw_ops


class KeptPieces:
    """How pieces of at most some size lie in one tensor.

    Where a piece is smaller, memory is left untouched, which costs none.
    """

    def __init__(self, height: tf.Tensor, width: tf.Tensor, value_bytes: tf.Tensor) -> None:
        """Takes the largest size.

        Args:
            height: Of a piece at most, pixels, int32 scalar.
            width: Likewise.
            value_bytes: What a value takes, 2 or 3, int32 scalar.
        """
        self._value_bytes = value_bytes
        self._steps = tf.where(value_bytes > 2, 65536.0, 256.0)  # of a grey level
        self._most_blocks = self._blocks(height * width)

    def kept_levels(self, levels: tf.Tensor) -> tf.Tensor:
        """The float32 values that come back for some float32 grey levels."""
        return tf.round(tf.clip_by_value(levels, 0.0, 255.0) * self._steps) / self._steps

    def room(self, count: tf.Tensor) -> tf.Tensor:
        """For some pieces, int32 scalar: uint8 [N, `_BLOCK`], of any values.

        N is a power of 2, as what TensorFlow's allocator takes from the system: of a rest, which
        costs nothing yet, it would give to others rather than memory that it has used before.
        """
        powers = tf.constant([1 << i for i in range(31)])
        enough = tf.boolean_mask(powers, powers >= count * self._most_blocks)
        return _ops.Empty(shape=tf.stack([enough[0], _BLOCK]), dtype=tf.uint8)

    def put(
        self, room: tf.Tensor, index: tf.Tensor, faithful: tf.Tensor, vivid: tf.Tensor
    ) -> tf.Tensor:
        """Writes a piece.

        Args:
            room: Of `room`. It is changed: only the result may be used any more.
            index: Of the piece, int32 scalar.
            faithful: float32 [h, w, 3], of `kept_levels`.
            vivid: Likewise.

        Returns:
            The room.
        """
        steps = tf.cast(tf.stack([faithful, vivid]) * self._steps, tf.int32)
        # The bytes that are left out are 0.
        content = tf.reshape(tf.bitcast(steps, tf.uint8)[..., : self._value_bytes], [-1])
        blocks = self._blocks(tf.size(faithful) // 3)
        content = tf.pad(content, [[0, blocks * _BLOCK - tf.size(content)]])
        places = index * self._most_blocks + tf.range(blocks)
        return _ops.InplaceUpdate(x=room, i=places, v=tf.reshape(content, [-1, _BLOCK]))

    def get(
        self, room: tf.Tensor, index: tf.Tensor, height: tf.Tensor, width: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Faithful and vivid of a piece, float32 [height, width, 3] each."""
        start, values = index * self._most_blocks, height * width * _VALUES
        content = tf.reshape(room[start : start + self._blocks(height * width)], [-1])
        some = tf.reshape(content[: values * self._value_bytes], tf.stack([values, -1]))
        others = tf.zeros(tf.stack([values, 4 - self._value_bytes]), tf.uint8)
        four = tf.ensure_shape(tf.concat([some, others], axis=1), [None, 4])
        steps = tf.bitcast(four, tf.int32)
        levels = tf.reshape(tf.cast(steps, tf.float32) / self._steps, [2, height, width, 3])
        faithful, vivid = tf.unstack(levels, num=2)
        return faithful, vivid

    def _blocks(self, pixels: tf.Tensor) -> tf.Tensor:
        return -tf.math.floordiv(-pixels * _VALUES * self._value_bytes, _BLOCK)

    @staticmethod
    def give_up(room: tf.Tensor, now: tf.Tensor) -> tf.Tensor:
        """The room, or an empty one in its place, bool scalar: then its memory is free."""
        # A slice of no rows would keep all of the memory.
        nothing = tf.zeros([0, _BLOCK], tf.uint8)
        return tf.cond(now, lambda: tf.identity(nothing), lambda: tf.identity(room))
