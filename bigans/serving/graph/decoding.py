"""Encoded pictures in the graph: checked, decoded, turned upright; and results encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bigans.serving.graph.attempt import attempt
from bigans.serving.graph.checks import require
from bigans.serving.graph.first_frame import first_frame
from bigans.serving.graph.headers import GIF, Header, read_header
from bigans.serving.graph.orientation import orientation, upright

_ops: Any = tf.raw_ops


def decode(content: tf.Tensor, index: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Decodes a picture.

    Args:
        content: A PNG, JPEG or WebP of 8 bits, or a GIF, of which the first frame counts.
        index: Its number in the request, for messages; int32 scalar.
        max_pixels: It may have.

    Returns:
        uint8 [H, W, 3], upright.
    """
    header = read_header(content)
    with tf.control_dependencies([_acceptable(header, index, max_pixels)]):
        content = tf.identity(content)
    frame = tf.cond(
        tf.equal(header.kind, GIF),
        lambda: _first_frame(content, index, max_pixels),
        lambda: tf.identity(content),
    )
    image = _decoded(frame, tf.minimum(header.kind, GIF))
    is_whole = require(
        tf.size(image) > 0,
        *_name(index),
        "is damaged and cannot be decoded; send it again, or another file",
    )
    with tf.control_dependencies([is_whole]):
        return upright(tf.ensure_shape(tf.identity(image), [None, None, 3]), orientation(header))


def encode(image: tf.Tensor, jpeg_quality: tf.Tensor) -> tf.Tensor:
    """Encodes a picture.

    Args:
        image: uint8 [H, W, 3].
        jpeg_quality: 1 to 100; 0 makes a PNG.

    Returns:
        The file, string scalar.
    """
    return tf.cond(
        jpeg_quality > 0,
        lambda: _ops.EncodeJpegVariableQuality(images=image, quality=jpeg_quality),
        lambda: tf.io.encode_png(image),
    )


def _decoded(content: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3]; without pixels if the decoder fails."""

    def decode_one(content: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
        decoders: list[Callable[[], tf.Tensor]] = [
            lambda: tf.io.decode_png(content, channels=3),
            # What Pillow and the upscaler decode with.
            lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
            lambda: _ops.DecodeWebP(contents=content, channels=3)[0],
            lambda: tf.io.decode_gif(content)[0],
        ]
        return tf.ensure_shape(tf.switch_case(kind, decoders), [None, None, 3])

    return attempt(decode_one, content, kind, if_it_fails=tf.zeros([0, 0, 3], tf.uint8))


def _acceptable(header: Header, index: tf.Tensor, max_pixels: int) -> tf.Operation:
    name = _name(index)
    known = require(tf.equal(header.problem, ""), *name, header.problem)
    with tf.control_dependencies([known]):
        return _within(name, header.height, header.width, max_pixels)


def _within(name: list[Any], height: tf.Tensor, width: tf.Tensor, max_pixels: int) -> tf.Operation:
    # Sides have 32 bits at most: no product is too large.
    return require(
        height * width <= max_pixels,
        *name,
        "has ",
        width,
        "x",
        height,
        f" pixels; this model takes {max_pixels}: shrink it, or send its pixels in parts, as "
        "bigans.serving.client does",
    )


def _first_frame(content: tf.Tensor, index: tf.Tensor, max_pixels: int) -> tf.Tensor:
    frame = first_frame(content)
    name = _name(index)
    checks = [
        require(frame.is_whole, *name, "is cut off (a GIF without a frame); send it again"),
        require(tf.logical_not(frame.is_transparent), *name, "has transparent pixels; flatten it"),
        _within(name, frame.height, frame.width, max_pixels),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(frame.content)


def _name(index: tf.Tensor) -> list[Any]:
    return ["image_bytes[", index, "] "]
