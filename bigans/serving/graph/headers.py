"""What the head of an encoded picture claims, before anything of it is decoded.

A few bytes can claim a picture of gigabytes, and the decoders of TensorFlow drop alpha and the
lower byte of 16 bits without a word. Hence sizes and kinds are read from the head, in the graph.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from bigans.serving.graph.attempt import attempt

PNG, JPEG, WEBP, GIF, UNKNOWN = range(5)

_ops: Any = tf.raw_ops

_HEAD = 1 << 16  # bytes that are looked at


class Header(NamedTuple):
    """The head of a file.

    Attributes:
        kind: One of PNG, JPEG, WEBP, GIF, UNKNOWN; int32 scalar.
        height: Pixels, int64.
        width: Likewise.
        problem: Why it cannot be taken, and what to do; empty: it can.
        data: The first bytes as int32 numbers, with zeros behind.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    problem: tf.Tensor
    data: tf.Tensor


def read_header(content: tf.Tensor) -> Header:
    """Reads a head.

    Args:
        content: The bytes of a file, string scalar.
    """
    size = tf.strings.length(content)
    head = tf.strings.substr(content, 0, tf.minimum(size, _HEAD))
    head = tf.strings.join([head, b"\0" * 64])
    data = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int32)
    kind = _kind(data)
    readers = [lambda: _png(data, content), lambda: _jpeg(content), lambda: _webp(data)]
    height, width, problem = tf.switch_case(kind, [*readers, lambda: _gif(data), _unknown])
    size = tf.cast(height, tf.int64), tf.cast(width, tf.int64)
    empty = tf.equal(problem, "") & ((size[0] < 1) | (size[1] < 1))
    return Header(
        kind, *size, tf.where(empty, "claims no pixels; send another file", problem), data
    )


def find(data: tf.Tensor, text: bytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether and where some bytes stand first.

    Args:
        data: Numbers, [N].
        text: Fewer than N bytes.

    Returns:
        bool scalar, and the index of the first byte, int32 (0 if there are none).
    """
    places = tf.shape(data)[0] - len(text) + 1
    hits = [tf.equal(data[i : places + i], byte) for i, byte in enumerate(text)]
    here = tf.reduce_all(tf.stack(hits), axis=0)
    return tf.reduce_any(here), tf.argmax(tf.cast(here, tf.int32), output_type=tf.int32)


def big_endian(data: tf.Tensor, place: tf.Tensor | int, count: int) -> tf.Tensor:
    """An unsigned number of `count` bytes, int64; any shape of places."""
    return _number(data, place, range(count - 1, -1, -1))


def little_endian(data: tf.Tensor, place: tf.Tensor | int, count: int) -> tf.Tensor:
    """Likewise, with the lowest byte first."""
    return _number(data, place, range(count))


def _number(data: tf.Tensor, place: tf.Tensor | int, powers: range) -> tf.Tensor:
    result = tf.constant(0, tf.int64)
    for offset, power in enumerate(powers):
        index = tf.maximum(tf.minimum(place + offset, tf.shape(data)[0] - 1), 0)
        result += tf.cast(tf.gather(data, index), tf.int64) * 256**power
    return result


def _kind(data: tf.Tensor) -> tf.Tensor:
    def starts(text: bytes, at: int = 0) -> tf.Tensor:
        return tf.reduce_all(tf.equal(data[at : at + len(text)], list(text)))

    known = [
        starts(b"\x89PNG\r\n\x1a\n"),
        starts(b"\xff\xd8\xff"),
        starts(b"RIFF") & starts(b"WEBP", 8),
        starts(b"GIF8"),
        tf.constant(True),
    ]
    return tf.argmax(tf.cast(tf.stack(known), tf.int32), output_type=tf.int32)


_Read = tuple[tf.Tensor, tf.Tensor, tf.Tensor]  # height and width, int64; the problem


def _png(data: tf.Tensor, content: tf.Tensor) -> _Read:
    is_whole = _holds(content, b"IEND")
    has_alpha = tf.equal(data[25], 4) | tf.equal(data[25], 6) | find(data, b"tRNS")[0]
    problem = _first(
        (data[24] > 8, "has 16 bits a channel; convert it to 8"),
        (has_alpha, "has an alpha channel; remove it"),
        (tf.logical_not(is_whole), "is cut off (a PNG without its end); send it again"),
    )
    return big_endian(data, 20, 4), big_endian(data, 16, 4), problem


def _jpeg(content: tf.Tensor) -> _Read:
    is_whole = _holds(content, b"\xff\xd9")
    none = tf.zeros([3], tf.int32)
    shape = tf.cond(
        is_whole,
        lambda: attempt(
            lambda content: _ops.ExtractJpegShape(contents=content), content, if_it_fails=none
        ),
        lambda: none,
    )
    shape = tf.cast(tf.ensure_shape(shape, [3]), tf.int64)
    problem = _first(
        (tf.logical_not(is_whole), "is cut off (a JPEG without its end); send it again"),
        (tf.equal(shape[2], 0), "is damaged (a JPEG without a size); send it again"),
        (tf.equal(shape[2], 4), "is a CMYK JPEG; convert it to RGB"),
    )
    return shape[0], shape[1], problem


def _webp(data: tf.Tensor) -> _Read:
    lossless = little_endian(data, 21, 4)
    sizes = [
        (_low(little_endian(data, 28, 2)), _low(little_endian(data, 26, 2))),  # "VP8 "
        (_low(lossless // (1 << 14)) + 1, _low(lossless) + 1),  # "VP8L"
        (little_endian(data, 27, 3) + 1, little_endian(data, 24, 3) + 1),  # "VP8X"
    ]
    letter = data[15]
    index = tf.where(letter == ord("L"), 1, tf.where(letter == ord("X"), 2, 0))
    height, width = (tf.gather(tf.stack([size[i] for size in sizes]), index) for i in (0, 1))
    flags = tf.where(index == 2, data[20], 0)
    in_lossless = tf.equal(index, 1) & _bit(lossless, 28)
    problem = _first(
        (_bit(flags, 1), "is animated; send one frame of it"),
        (_bit(flags, 4) | in_lossless, "has an alpha channel; remove it"),
    )
    return height, width, problem


def _gif(data: tf.Tensor) -> _Read:
    return little_endian(data, 8, 2), little_endian(data, 6, 2), tf.constant("")


def _unknown() -> _Read:
    zero = tf.constant(0, tf.int64)
    return zero, zero, tf.constant("is no PNG, JPEG, WebP or GIF; convert it to one of them")


def _low(number: tf.Tensor) -> tf.Tensor:
    """The lower 14 bits, as WebP writes sides."""
    return tf.math.floormod(number, 1 << 14)


def _bit(number: tf.Tensor, place: int) -> tf.Tensor:
    return tf.equal(tf.math.floormod(number // (1 << place), 2), 1)


def _holds(content: tf.Tensor, text: bytes) -> tf.Tensor:
    """Whether some bytes stand anywhere: cameras write videos behind the end of a photo."""
    data = tf.io.decode_raw(tf.strings.join([content, b"\0" * 8]), tf.uint8)
    return find(data, text)[0]


def _first(*problems: tuple[tf.Tensor, str]) -> tf.Tensor:
    text = tf.constant("")
    for is_so, words in reversed(problems):
        text = tf.where(is_so, words, text)
    return text
