"""EXIF's orientation in the graph: TensorFlow's decoders do not look at it."""

from __future__ import annotations

import tensorflow as tf

from bigans.serving.graph.headers import (
    JPEG,
    PNG,
    WEBP,
    Header,
    big_endian,
    find,
    little_endian,
)

_TAG = 0x0112
_MOST_ENTRIES = 64


def orientation(header: Header) -> tf.Tensor:
    """EXIF's orientation of a file, int32 scalar in 1 to 8; 1 where none is told."""
    marks = {JPEG: b"Exif\0\0", PNG: b"eXIf", WEBP: b"EXIF"}
    found, place = tf.constant(False), tf.constant(0)
    for kind, mark in marks.items():
        is_here, at = find(header.data, mark)
        # A chunk of WebP has its length behind its name.
        start = at + len(mark) + (4 if kind == WEBP else 0)
        use = is_here & (header.kind == kind)
        found, place = found | use, tf.where(use, start, place)
    told = tf.cast(_in_directory(header.data, place), tf.int32)
    return tf.where(found & (told >= 1) & (told <= 8), told, 1)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """The picture as it is meant to be seen; see `sr_images.orientation`.

    Args:
        image: uint8 [H, W, 3] as stored.
        orientation: int32 scalar, 1 to 8.
    """
    turned = tf.cond(
        orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: tf.identity(image)
    )
    for axis, backwards in ((0, (3, 4, 7, 8)), (1, (2, 3, 6, 7))):
        places = tf.range(tf.shape(turned)[axis])
        reverse = tf.reduce_any(tf.equal(orientation, list(backwards)))
        turned = tf.gather(turned, tf.where(reverse, places[::-1], places), axis=axis)
    return turned


def _in_directory(data: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """The tag's value in the first directory of a TIFF that starts there; 0 if it has none."""
    is_little = data[start] == ord("I")

    def number(place: tf.Tensor, count: int) -> tf.Tensor:
        place = tf.cast(tf.clip_by_value(tf.cast(place, tf.int64), 0, 1 << 20), tf.int32)
        return tf.where(
            is_little, little_endian(data, place, count), big_endian(data, place, count)
        )

    directory = tf.cast(start, tf.int64) + number(start + 4, 4)
    count = number(directory, 2)
    index = tf.range(_MOST_ENTRIES, dtype=tf.int64)
    places = directory + 2 + 12 * index
    is_it = (number(places, 2) == _TAG) & (index < count)
    return tf.reduce_max(tf.where(is_it, number(places + 8, 2), tf.zeros_like(index)))
