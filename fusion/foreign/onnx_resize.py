"""ONNX's Resize in TensorFlow: an axis at a time, each value a weighted sum of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from fusion.foreign.unsupported import Unsupported, known

_NUM_TAPS = {"nearest": 1, "linear": 2, "cubic": 4}


def resize(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """Resize, and Upsample, which came before it.

    Args:
        inputs: Image of any rank. Of Resize: a region, which is not used here, scales and sizes,
            one of them empty; before opset 11, and of Upsample, the scales.
        attributes: As ONNX names them.

    Raises:
        Unsupported: Antialiasing, and other settings that are rare.
    """
    image = inputs[0]
    scales = inputs[1] if len(inputs) == 2 else [*inputs, None, None][2]
    sizes = [*inputs, None, None, None][3]
    if len(inputs) == 1:
        scales = attributes["scales"]
    mode = attributes.get("mode", b"nearest").decode()
    unusual = ("antialias", "exclude_outside", "axes", "keep_aspect_ratio_policy")
    if mode not in _NUM_TAPS or any(_is_set(attributes.get(name)) for name in unusual):
        raise Unsupported(f"Resize of mode {mode} with settings that are rare")
    # Before opset 11 there was no other rule.
    transform = attributes.get(
        "coordinate_transformation_mode", b"half_pixel" if len(inputs) > 2 else b"asymmetric"
    ).decode()
    lengths = tf.shape(image)
    factors: list[Any] = [] if scales is None else known(scales, "Resize: scales").tolist()
    if factors:
        wanted = [
            tf.cast(tf.floor(tf.cast(lengths[axis], tf.float32) * factor), tf.int32)
            for axis, factor in enumerate(factors)
        ]
    else:
        wanted = tf.unstack(tf.cast(sizes, tf.int32))
        factors = [
            tf.cast(size, tf.float32) / tf.cast(lengths[axis], tf.float32)
            for axis, size in enumerate(wanted)
        ]
    for axis, (factor, size) in enumerate(zip(factors, wanted, strict=True)):
        if axis > 1 or factor is not None and not _is_one(factor):
            image = _along(image, axis, size, factor, mode, transform, attributes)
    return image


def _is_set(value: Any) -> bool:
    return value not in (None, 0, b"stretch")


def _is_one(factor: Any) -> bool:
    return isinstance(factor, float) and factor == 1


def _along(
    image: Any,
    axis: int,
    size: Any,
    factor: Any,
    mode: str,
    transform: str,
    attributes: Mapping[str, Any],
) -> Any:
    length = tf.shape(image)[axis]
    places = _places(size, length, factor, transform)
    if mode == "nearest":
        chosen = _nearest(places, attributes.get("nearest_mode", b"round_prefer_floor").decode())
        return tf.gather(image, tf.clip_by_value(chosen, 0, length - 1), axis=axis)
    first = tf.floor(places)
    offset = places - first
    count = _NUM_TAPS[mode]
    found: Any = 0.0
    shape = [1] * image.shape.rank
    shape[axis] = -1
    for tap in range(1 - count // 2, count // 2 + 1):
        distance = tf.abs(offset - tap)
        weight = 1 - distance
        if mode == "cubic":
            weight = _keys(distance, attributes.get("cubic_coeff_a", -0.75))
        index = tf.clip_by_value(tf.cast(first, tf.int32) + tap, 0, length - 1)
        found += tf.gather(image, index, axis=axis) * tf.reshape(weight, shape)
    return found


def _places(size: Any, length: Any, factor: Any, transform: str) -> Any:
    """Where each pixel of the result lies in the image."""
    index = tf.cast(tf.range(size), tf.float32)
    if transform in ("half_pixel", "pytorch_half_pixel"):
        return (index + 0.5) / factor - 0.5
    if transform == "asymmetric":
        return index / factor
    if transform == "align_corners":
        last, last_of_image = (tf.cast(one - 1, tf.float32) for one in (size, length))
        return index * last_of_image / tf.maximum(last, 1.0)
    raise Unsupported(f"Resize with coordinates {transform}")


def _nearest(places: Any, rule: str) -> Any:
    if rule == "floor":
        found = tf.floor(places)
    elif rule == "ceil":
        found = tf.math.ceil(places)
    elif rule == "round_prefer_ceil":
        found = tf.floor(places + 0.5)
    else:
        found = tf.math.ceil(places - 0.5)
    return tf.cast(found, tf.int32)


def _keys(distance: Any, a: float) -> Any:
    """Keys' cubic kernel at distances up to 2."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return tf.where(distance <= 1, near, tf.where(distance < 2, far, 0.0))
