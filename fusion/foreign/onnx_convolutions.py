"""ONNX's Conv and ConvTranspose in TensorFlow; images are [B, C, H, W].

TensorFlow convolves on CPUs in [B, H, W, C] alone; what stands around it turns the image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from fusion.foreign.unsupported import Unsupported


def conv(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """Conv, in two dimensions.

    Args:
        inputs: Image [B, C, H, W]; kernel [O, C / groups, h, w]; perhaps a bias [O].
        attributes: As ONNX names them.

    Raises:
        Unsupported: Padding that depends on the image's size.
    """
    image, kernel, bias = [*inputs, None][:3]
    top, left, bottom, right = _pads(attributes)
    turned = tf.transpose(image, [0, 2, 3, 1])
    turned = tf.pad(turned, [[0, 0], [top, bottom], [left, right], [0, 0]])
    strides = attributes.get("strides", [1, 1])
    dilations = attributes.get("dilations", [1, 1])
    filters = tf.transpose(kernel, [2, 3, 1, 0])
    groups = attributes.get("group", 1)
    parts = [
        tf.nn.conv2d(part, filter_, strides, "VALID", dilations=dilations)
        for part, filter_ in zip(
            tf.split(turned, groups, -1), tf.split(filters, groups, -1), strict=True
        )
    ]
    return _with_bias(parts[0] if groups == 1 else tf.concat(parts, -1), bias)


def conv_transpose(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """ConvTranspose, in two dimensions and one group.

    Args:
        inputs: Image [B, C, H, W]; kernel [C, O, h, w]; perhaps a bias [O].
        attributes: As ONNX names them.

    Raises:
        Unsupported: Groups, dilations, or a size that is given in place of the padding.
    """
    image, kernel, bias = [*inputs, None][:3]
    dilated = max(attributes.get("dilations", [1])) > 1
    if attributes.get("group", 1) > 1 or dilated or "output_shape" in attributes:
        raise Unsupported("ConvTranspose with groups, dilations or an output_shape")
    top, left, bottom, right = _pads(attributes)
    down, across = attributes.get("strides", [1, 1])
    more_down, more_across = attributes.get("output_padding", [0, 0])
    turned = tf.transpose(image, [0, 2, 3, 1])
    batch, height, width, _ = tf.unstack(tf.shape(turned))
    high, wide = int(kernel.shape[2]), int(kernel.shape[3])
    rows, columns = (height - 1) * down + high, (width - 1) * across + wide
    filters = tf.transpose(kernel, [2, 3, 1, 0])
    whole = tf.nn.conv2d_transpose(
        turned, filters, tf.stack([batch, rows, columns, kernel.shape[1]]), [down, across], "VALID"
    )
    whole = tf.pad(whole, [[0, 0], [0, more_down], [0, more_across], [0, 0]])
    cut = whole[:, top : rows + more_down - bottom, left : columns + more_across - right]
    return _with_bias(cut, bias)


def _pads(attributes: Mapping[str, Any]) -> Sequence[int]:
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if auto == "VALID":
        return 0, 0, 0, 0
    if auto != "NOTSET":
        if max(attributes.get("strides", [1])) > 1 or "kernel_shape" not in attributes:
            raise Unsupported(f"a convolution with auto_pad={auto}")
        dilations = attributes.get("dilations", [1, 1])
        reaches = [
            (size - 1) * step
            for size, step in zip(attributes["kernel_shape"], dilations, strict=True)
        ]
        less, more = [reach // 2 for reach in reaches], [-(-reach // 2) for reach in reaches]
        return (*less, *more) if auto == "SAME_UPPER" else (*more, *less)
    return attributes.get("pads", [0, 0, 0, 0])


def _with_bias(image: Any, bias: Any) -> Any:
    image = image if bias is None else image + bias
    return tf.transpose(image, [0, 3, 1, 2])
