"""The operators of ONNX that networks for super-resolution are made of, in TensorFlow.

Images are [B, C, H, W], as ONNX has them; sizes may be unknown until the graph runs. The
definitions: https://onnx.ai/onnx/operators/. A function takes the inputs of a node (None for one
that is left out) and its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from fusion.foreign.onnx_convolutions import conv, conv_transpose
from fusion.foreign.onnx_resize import resize
from fusion.foreign.unsupported import Unsupported, known

Attributes = Mapping[str, Any]
Operator = Callable[[Sequence[Any], Attributes], Any]

# Of ONNX's TensorProto: what a Cast gives. Halves are computed in float32.
_DTYPES = {1: tf.float32, 6: tf.int32, 7: tf.int64, 9: tf.bool, 10: tf.float32, 11: tf.float32}


def _elementwise(function: Callable[..., Any]) -> Operator:
    return lambda inputs, _: function(*inputs)


def _clip(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, least, most = [*inputs, None, None][:3]
    least = attributes.get("min") if least is None else least
    most = attributes.get("max") if most is None else most
    image = image if least is None else tf.maximum(image, tf.cast(least, image.dtype))
    return image if most is None else tf.minimum(image, tf.cast(most, image.dtype))


def _leaky_relu(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.nn.leaky_relu(inputs[0], attributes.get("alpha", 0.01))


def _prelu(inputs: Sequence[Any], _: Attributes) -> Any:
    image, slope = inputs
    return tf.maximum(image, 0.0) + slope * tf.minimum(image, 0.0)


def _gelu(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.nn.gelu(inputs[0], approximate=attributes.get("approximate", b"none") == b"tanh")


def _softmax(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.nn.softmax(inputs[0], attributes.get("axis", -1))


def _hard_sigmoid(inputs: Sequence[Any], attributes: Attributes) -> Any:
    line = attributes.get("alpha", 0.2) * inputs[0] + attributes.get("beta", 0.5)
    return tf.clip_by_value(line, 0.0, 1.0)


def _concat(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.concat(list(inputs), attributes["axis"])


def _split(inputs: Sequence[Any], attributes: Attributes) -> Any:
    sizes = inputs[1] if len(inputs) > 1 and inputs[1] is not None else attributes.get("split")
    axis = attributes.get("axis", 0)
    if sizes is None:
        count = attributes.get("num_outputs")
        if count is None:
            raise Unsupported("Split without sizes")
        return tf.split(inputs[0], count, axis)
    return tf.split(inputs[0], known(sizes, "Split: sizes").tolist(), axis)


def _slice(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, starts, ends, axes, steps = [*inputs, None, None, None, None][:5]
    starts = attributes["starts"] if starts is None else starts
    ends = attributes["ends"] if ends is None else ends
    axes = attributes.get("axes") if axes is None else axes
    starts, ends = (
        tf.unstack(tf.cast(tf.convert_to_tensor(limits), tf.int64)) for limits in (starts, ends)
    )
    chosen = range(len(starts)) if axes is None else known(axes, "Slice: axes").tolist()
    strides = [1] * len(starts) if steps is None else known(steps, "Slice: steps").tolist()
    if min(strides) < 1:
        raise Unsupported("Slice that goes backwards")
    slices: list[Any] = [slice(None)] * image.shape.rank
    sizes = tf.shape(image, tf.int64)
    for axis, start, end, stride in zip(chosen, starts, ends, strides, strict=True):
        # Limits beyond the image are its edges; negative ones count from the end.
        size = sizes[axis]
        first = tf.clip_by_value(tf.where(start < 0, start + size, start), 0, size)
        last = tf.clip_by_value(tf.where(end < 0, end + size, end), 0, size)
        slices[axis] = slice(first, last, stride)
    return image[tuple(slices)]


def _reshape(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, shape = inputs
    sizes = tf.shape(image, tf.int64)
    wanted = tf.cast(shape, tf.int64)
    if not attributes.get("allowzero", 0):  # 0 keeps the size of its place
        count = int(wanted.shape[0])
        kept = tf.concat([sizes, tf.ones([max(0, count - image.shape.rank)], tf.int64)], 0)[:count]
        wanted = tf.where(wanted == 0, kept, wanted)
    return tf.reshape(image, wanted)


def _depth_to_space(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, block = inputs[0], attributes["blocksize"]
    batch, depth, height, width = tf.unstack(tf.shape(image))
    inner = depth // block**2
    if attributes.get("mode", b"DCR") == b"CRD":  # PyTorch's pixel shuffle
        parts = tf.reshape(image, [batch, inner, block, block, height, width])
        parts = tf.transpose(parts, [0, 1, 4, 2, 5, 3])
    else:
        parts = tf.reshape(image, [batch, block, block, inner, height, width])
        parts = tf.transpose(parts, [0, 3, 4, 1, 5, 2])
    return tf.reshape(parts, [batch, inner, height * block, width * block])


def _space_to_depth(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, block = inputs[0], attributes["blocksize"]
    batch, depth, height, width = tf.unstack(tf.shape(image))
    parts = tf.reshape(image, [batch, depth, height // block, block, width // block, block])
    parts = tf.transpose(parts, [0, 3, 5, 1, 2, 4])
    return tf.reshape(parts, [batch, depth * block**2, height // block, width // block])


def _transpose(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.transpose(inputs[0], attributes.get("perm"))


def _pad(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, pads, constant, axes = [*inputs, None, None, None][:4]
    pads = attributes["pads"] if pads is None else pads
    if axes is not None:
        raise Unsupported("Pad with axes")
    pairs = tf.transpose(tf.reshape(tf.cast(tf.convert_to_tensor(pads), tf.int32), [2, -1]))
    mode = attributes.get("mode", b"constant").decode()
    if mode == "constant":
        return tf.pad(image, pairs, constant_values=0.0 if constant is None else constant)
    if mode == "reflect":
        return tf.pad(image, pairs, "REFLECT")
    raise Unsupported(f"Pad of mode {mode}")


def _axes(inputs: Sequence[Any], attributes: Attributes) -> list[int] | None:
    axes = inputs[1] if len(inputs) > 1 and inputs[1] is not None else attributes.get("axes")
    return None if axes is None else known(axes, "axes").tolist()


def _reduce(function: Callable[..., Any]) -> Operator:
    def reduced(inputs: Sequence[Any], attributes: Attributes) -> Any:
        axes = _axes(inputs, attributes)
        return function(inputs[0], axes, keepdims=bool(attributes.get("keepdims", 1)))

    return reduced


def _global_average(inputs: Sequence[Any], _: Attributes) -> Any:
    return tf.reduce_mean(inputs[0], [2, 3], keepdims=True)


def _batch_norm(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, *numbers = inputs
    scale, shift, mean, variance = (tf.reshape(value, [1, -1, 1, 1]) for value in numbers)
    return (image - mean) * scale * tf.math.rsqrt(
        variance + attributes.get("epsilon", 1e-5)
    ) + shift


def _layer_norm(inputs: Sequence[Any], attributes: Attributes) -> Any:
    image, scale, shift = [*inputs, None][:3]
    axes = list(range(attributes.get("axis", -1) % image.shape.rank, image.shape.rank))
    mean, variance = tf.nn.moments(image, axes, keepdims=True)
    normal = (image - mean) * tf.math.rsqrt(variance + attributes.get("epsilon", 1e-5)) * scale
    return normal if shift is None else normal + shift


def _gemm(inputs: Sequence[Any], attributes: Attributes) -> Any:
    left, right, added = [*inputs, None][:3]
    first, second = (bool(attributes.get(name, 0)) for name in ("transA", "transB"))
    product = attributes.get("alpha", 1.0) * tf.matmul(
        left, right, transpose_a=first, transpose_b=second
    )
    return product if added is None else product + attributes.get("beta", 1.0) * added


def _unsqueeze(inputs: Sequence[Any], attributes: Attributes) -> Any:
    value = inputs[0]
    axes = _axes(inputs, attributes) or []
    rank = value.shape.rank + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        value = tf.expand_dims(value, axis)
    return value


def _squeeze(inputs: Sequence[Any], attributes: Attributes) -> Any:
    return tf.squeeze(inputs[0], _axes(inputs, attributes))


def _gather(inputs: Sequence[Any], attributes: Attributes) -> Any:
    value, indices = inputs
    axis = attributes.get("axis", 0)
    size = tf.cast(tf.shape(value)[axis], indices.dtype)
    return tf.gather(value, tf.where(indices < 0, indices + size, indices), axis=axis)


def _cast(inputs: Sequence[Any], attributes: Attributes) -> Any:
    if attributes["to"] not in _DTYPES:
        raise Unsupported(f"Cast to the type {attributes['to']}")
    return tf.cast(inputs[0], _DTYPES[attributes["to"]])


def _divide(left: Any, right: Any) -> Any:
    return left / right if left.dtype.is_floating else left // right


OPERATORS: dict[str, Operator] = {
    "Abs": _elementwise(tf.abs),
    "Add": _elementwise(tf.add),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DepthToSpace": _depth_to_space,
    "Div": _elementwise(_divide),
    "Dropout": lambda inputs, _: inputs[0],
    "Erf": _elementwise(tf.math.erf),
    "Exp": _elementwise(tf.exp),
    "Floor": _elementwise(tf.floor),
    "Gather": _gather,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "HardSigmoid": _hard_sigmoid,
    "Identity": _elementwise(tf.identity),
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky_relu,
    "MatMul": _elementwise(tf.matmul),
    "Max": lambda inputs, _: _over(tf.maximum, inputs),
    "Min": lambda inputs, _: _over(tf.minimum, inputs),
    "Mul": _elementwise(tf.multiply),
    "Neg": _elementwise(tf.negative),
    "PRelu": _prelu,
    "Pad": _pad,
    "Pow": lambda inputs, _: tf.pow(inputs[0], tf.cast(inputs[1], inputs[0].dtype)),
    "ReduceMean": _reduce(tf.reduce_mean),
    "ReduceSum": _reduce(tf.reduce_sum),
    "Relu": _elementwise(tf.nn.relu),
    "Reshape": _reshape,
    "Resize": resize,
    "Shape": lambda inputs, _: tf.shape(inputs[0], tf.int64),
    "Sigmoid": _elementwise(tf.sigmoid),
    "Slice": _slice,
    "Softmax": _softmax,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Sqrt": _elementwise(tf.sqrt),
    "Squeeze": _squeeze,
    "Sub": _elementwise(tf.subtract),
    "Tanh": _elementwise(tf.tanh),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": resize,
}


def _over(function: Callable[[Any, Any], Any], inputs: Sequence[Any]) -> Any:
    found = inputs[0]
    for value in inputs[1:]:
        found = function(found, value)
    return found
