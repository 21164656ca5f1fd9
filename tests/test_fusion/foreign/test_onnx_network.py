"""ONNX's operators in TensorFlow against ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from fusion.foreign.onnx_network import OnnxNetwork
from sr_program.errors import DataError

_ORT_VERSION = tuple(map(int, onnxruntime.__version__.split(".")[:2]))

RANDOM = np.random.default_rng(7)
Arrays = dict[str, np.ndarray]


def noise(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def written(
    path: Path, nodes: Sequence[Any], arrays: Arrays, *, opset: int = 18, channels: int = 4
) -> Path:
    """A file with an image `x` and the output `y`."""
    sizes = ["batch", channels, "height", "width"]
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def compared(path: Path, channels: int = 4) -> None:
    """What both make of images of two sizes, in a graph of unknown sizes."""
    network = OnnxNetwork(path)
    spec = tf.TensorSpec([None, channels, None, None], tf.float32)
    run = tf.function(network, input_signature=[spec])
    session = onnxruntime.InferenceSession(path)
    for shape in ((1, channels, 6, 10), (2, channels, 8, 4)):
        image = noise(*shape)
        (expected,) = session.run(None, {"x": image})
        np.testing.assert_allclose(run(tf.constant(image)), expected, rtol=1e-5, atol=1e-5)


def node(kind: str, *more: str, **attributes: Any) -> Any:
    return helper.make_node(kind, ["x", *more], ["y"], **attributes)


ONE_OPERATOR: dict[str, tuple[Any, Arrays]] = {
    "convolution": (
        node("Conv", "w", "b", pads=[1, 1, 1, 1]),
        {"w": noise(5, 4, 3, 3), "b": noise(5)},
    ),
    "convolution, pads that differ, strides": (
        node("Conv", "w", pads=[0, 2, 1, 3], strides=[2, 1]),
        {"w": noise(5, 4, 3, 5)},
    ),
    "convolution, dilated": (
        node("Conv", "w", pads=[2, 2, 2, 2], dilations=[2, 2]),
        {"w": noise(3, 4, 3, 3)},
    ),
    "convolution in groups": (
        node("Conv", "w", "b", pads=[1, 1, 1, 1], group=2),
        {"w": noise(6, 2, 3, 3), "b": noise(6)},
    ),
    "convolution of each channel": (
        node("Conv", "w", pads=[1, 1, 1, 1], group=4),
        {"w": noise(4, 1, 3, 3)},
    ),
    "convolution, even kernel, same": (
        node("Conv", "w", auto_pad="SAME_UPPER", kernel_shape=[4, 2]),
        {"w": noise(3, 4, 4, 2)},
    ),
    "convolution, same, lower": (
        node("Conv", "w", auto_pad="SAME_LOWER", kernel_shape=[4, 2]),
        {"w": noise(3, 4, 4, 2)},
    ),
    "convolution, valid": (node("Conv", "w", auto_pad="VALID"), {"w": noise(3, 4, 3, 3)}),
    "transposed": (
        node("ConvTranspose", "w", "b", strides=[2, 2], pads=[1, 0, 1, 2], output_padding=[1, 0]),
        {"w": noise(4, 3, 4, 3), "b": noise(3)},
    ),
    "rectified": (node("Relu"), {}),
    "leaky": (node("LeakyRelu", alpha=0.2), {}),
    "leaky by default": (node("LeakyRelu"), {}),
    "slopes": (node("PRelu", "a"), {"a": noise(4, 1, 1)}),
    "steep slopes": (node("PRelu", "a"), {"a": 1 + np.abs(noise(4, 1, 1))}),
    "clipped": (
        node("Clip", "a", "b"),
        {"a": np.array(-0.5, np.float32), "b": np.array(0.25, np.float32)},
    ),
    "clipped below": (node("Clip", "a"), {"a": np.array(-0.5, np.float32)}),
    "softmax": (node("Softmax", axis=1), {}),
    "hard sigmoid": (node("HardSigmoid", alpha=0.3, beta=0.4), {}),
    "sum of a number": (node("Add", "a"), {"a": np.array(0.2, np.float32)}),
    "power": (node("Pow", "a"), {"a": np.array(2, np.int64)}),
    "shuffle as PyTorch": (node("DepthToSpace", blocksize=2, mode="CRD"), {}),
    "shuffle as TensorFlow": (node("DepthToSpace", blocksize=2, mode="DCR"), {}),
    "unshuffle": (node("SpaceToDepth", blocksize=2), {}),
    "mirrored edge": (
        node("Pad", "p", mode="reflect"),
        {"p": np.array([0, 0, 1, 2, 0, 0, 3, 0], np.int64)},
    ),
    "edge of a number": (
        node("Pad", "p", "c"),
        {
            "p": np.array([0, 0, 1, 2, 0, 1, 3, 0], np.int64),
            "c": np.array(0.5, np.float32),
        },
    ),
    "middle": (
        node("Slice", "s", "e", "d", "t"),
        {
            "s": np.array([1, -3], np.int64),
            "e": np.array([2**31, 2**31], np.int64),
            "d": np.array([1, 2], np.int64),
            "t": np.array([2, 1], np.int64),
        },
    ),
    "mean of channels": (node("ReduceMean", "d"), {"d": np.array([1], np.int64)}),
    "global mean": (node("GlobalAveragePool"), {}),
    "batch normalisation": (
        node("BatchNormalization", "s", "b", "m", "v", epsilon=1e-3),
        {"s": noise(4), "b": noise(4), "m": noise(4), "v": np.abs(noise(4))},
    ),
    "layer normalisation": (
        node("LayerNormalization", "s", "b", axis=1, epsilon=1e-4),
        {"s": noise(4, 1, 1), "b": noise(4, 1, 1)},
    ),
    "quotient": (node("Div", "a"), {"a": 1 + np.abs(noise(4, 1, 1))}),
    "difference": (node("Sub", "a"), {"a": noise(4, 1, 1)}),
    "larger": (node("Max", "a", "b"), {"a": noise(4, 1, 1), "b": noise(1)}),
    "smaller": (node("Min", "a", "b"), {"a": noise(4, 1, 1), "b": noise(1)}),
    "sum of channels": (
        node("ReduceSum", "d", keepdims=1),
        {"d": np.array([1], np.int64)},
    ),
    "turned": (node("Transpose", perm=[0, 1, 3, 2]), {}),
    "reshaped": (node("Reshape", "s"), {"s": np.array([0, 2, -1], np.int64)}),
}
for kind in ("Abs", "Erf", "Exp", "Floor", "Neg", "Sigmoid", "Tanh", "Identity", "Dropout"):
    ONE_OPERATOR[kind] = (node(kind), {})

LINEAR = {"mode": "linear"}
PYTORCH = {**LINEAR, "coordinate_transformation_mode": "pytorch_half_pixel"}
CORNERS = {**LINEAR, "coordinate_transformation_mode": "align_corners"}
for name, factors, settings in (
    ("nearest", [1, 1, 4, 4], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}),
    ("nearest, half pixels", [1, 1, 2, 3], {"mode": "nearest"}),
    ("nearest, down", [1, 1, 0.5, 0.5], {"mode": "nearest", "nearest_mode": "floor"}),
    ("nearest, ceil", [1, 1, 1.5, 2.5], {"mode": "nearest", "nearest_mode": "ceil"}),
    ("linear", [1, 1, 4, 2], LINEAR),
    ("linear, PyTorch", [1, 1, 2, 2], PYTORCH),
    ("linear, corners", [1, 1, 3, 2], CORNERS),
    ("cubic", [1, 1, 4, 3], {"mode": "cubic"}),
    ("cubic, Keys", [1, 1, 2, 2], {"mode": "cubic", "cubic_coeff_a": -0.5}),
    ("linear, odd", [1, 1, 1.7, 2.3], LINEAR),
):
    ONE_OPERATOR[f"resized, {name}"] = (
        helper.make_node("Resize", ["x", "", "f"], ["y"], **settings),
        {"f": np.array(factors, np.float32)},
    )


@pytest.mark.parametrize("name", ONE_OPERATOR)
def test_an_operator_against_onnx_runtime(tmp_path: Path, name: str) -> None:
    if name == "layer normalisation" and _ORT_VERSION < (1, 24):
        pytest.skip("needs ONNX Runtime 1.24: before, it wanted a scale of the whole shape")
    operator, arrays = ONE_OPERATOR[name]
    compared(written(tmp_path / "one.onnx", [operator], arrays))


def test_old_rules(tmp_path: Path) -> None:
    """Before opset 11 limits were attributes."""
    nodes = [
        helper.make_node("Clip", ["x"], ["a"], min=-1.0, max=0.5),
        helper.make_node("Slice", ["a"], ["b"], axes=[1, 3], starts=[0, 1], ends=[2, -1]),
        helper.make_node("Split", ["b"], ["c", "d"], axis=1, split=[1, 1]),
        helper.make_node("Squeeze", ["d"], ["e"], axes=[1]),
        helper.make_node("Unsqueeze", ["e"], ["f"], axes=[1]),
        helper.make_node("Pad", ["f"], ["g"], mode="constant", pads=[0, 0, 1, 1, 0, 0, 0, 0]),
        helper.make_node("Upsample", ["g", "s"], ["y"], mode="nearest"),
    ]
    scales = np.array([1, 1, 2, 2], np.float32)
    compared(written(tmp_path / "old.onnx", nodes, {"s": scales}, opset=9))


def test_sizes_that_the_graph_computes(tmp_path: Path) -> None:
    """A pixel shuffle as older versions of PyTorch wrote it, and a resize to a size."""
    half = numpy_helper.from_array(np.array(0.5, np.float32))
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["h"]),
        helper.make_node("Gather", ["shape", "last"], ["w"]),
        helper.make_node("Unsqueeze", ["h", "zero"], ["h1"]),
        helper.make_node("Unsqueeze", ["w", "zero"], ["w1"]),
        helper.make_node("Concat", ["minus", "one", "factors", "h1", "w1"], ["wide"], axis=0),
        helper.make_node("Reshape", ["x", "wide"], ["parts"]),
        helper.make_node("Transpose", ["parts"], ["turned"], perm=[0, 1, 4, 2, 5, 3]),
        helper.make_node("Mul", ["h1", "factor"], ["h2"]),
        helper.make_node("Mul", ["w1", "factor"], ["w2"]),
        helper.make_node("Concat", ["minus", "one", "h2", "w2"], ["large"], axis=0),
        helper.make_node("Reshape", ["turned", "large"], ["shuffled"]),
        helper.make_node("Shape", ["shuffled"], ["sizes"]),
        helper.make_node("Resize", ["shuffled", "", "", "sizes"], ["same"], mode="linear"),
        helper.make_node("Constant", [], ["half"], value=half),
        helper.make_node("Mul", ["same", "half"], ["y"]),
    ]
    numbers = {"two": 2, "last": -1}
    arrays = {name: np.array(value, np.int64) for name, value in numbers.items()}
    lists = {"zero": [0], "minus": [-1], "one": [1], "factors": [2, 2], "factor": [2]}
    arrays |= {name: np.array(value, np.int64) for name, value in lists.items()}
    compared(written(tmp_path / "sizes.onnx", nodes, arrays))


def test_halves_are_computed_in_float32(tmp_path: Path) -> None:
    """Weights in float16 with casts around, as halved models have them."""
    weights = noise(4, 4, 3, 3)
    nodes = [
        helper.make_node("Cast", ["x"], ["a"], to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["a", "w"], ["b"], pads=[1, 1, 1, 1]),
        helper.make_node("Cast", ["b"], ["y"], to=TensorProto.FLOAT),
    ]
    path = written(tmp_path / "half.onnx", nodes, {"w": weights.astype(np.float16)})
    image = noise(1, 4, 6, 6)
    expected = tf.nn.conv2d(
        image.transpose(0, 2, 3, 1),
        weights.astype(np.float16).astype(np.float32).transpose(2, 3, 1, 0),
        1,
        "SAME",
    )
    found = np.asarray(OnnxNetwork(path)(tf.constant(image)))
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("operator", "arrays", "message"),
    [
        (node("Mod", "a"), {"a": noise(1)}, "operators that are not known here: Mod$"),
        (
            node("Pad", "p", mode="edge"),
            {"p": np.zeros(8, np.int64)},
            "has Pad of mode edge, which is not known here$",
        ),
        (
            node("ConvTranspose", "w", group=2),
            {"w": noise(4, 1, 3, 3)},
            "has ConvTranspose with groups",
        ),
    ],
)
def test_what_is_not_known_is_named(
    tmp_path: Path, operator: Any, arrays: Arrays, message: str
) -> None:
    path = written(tmp_path / "strange.onnx", [operator], arrays)
    with pytest.raises(DataError, match=message) as caught:
        OnnxNetwork(path)(tf.zeros([1, 4, 6, 6]))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08"])
def test_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.onnx: not an ONNX file that can be read") as told:
        OnnxNetwork(path)
    assert "\n" not in str(told.value)


def test_two_images_are_too_many(tmp_path: Path) -> None:
    path = written(tmp_path / "two.onnx", [node("Add", "z")], {})
    model = onnx.load(path)
    second = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4, "h", "w"])
    model.graph.input.append(second)
    onnx.save(model, path)
    with pytest.raises(DataError, match="has the inputs x, z; a generator has one, an image"):
        OnnxNetwork(path)
