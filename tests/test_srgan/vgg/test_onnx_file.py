"""VGG weights from ONNX files that are made here, and from the real one where there is one."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from sr_program.errors import DataError
from srgan.vgg.features import build_vgg_features
from srgan.vgg.layers import IMAGENET_MEAN_BGR, layers_up_to
from srgan.vgg.weights import load_vgg_weights

onnx = pytest.importorskip("onnx")

MEMBER = "detector/models/classifier.onnx"


def arrays_of(network: str, layer: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Random kernels and biases, by layer; as in Keras, height and width come first."""
    random = np.random.default_rng(0)
    return {
        each.name: (
            random.normal(0, np.sqrt(2 / (9 * each.in_channels)), each.kernel_shape).astype("f4"),
            random.normal(0, 0.1, each.bias_shape).astype("f4"),
        )
        for each in layers_up_to(network, layer)
    }


def network_of(arrays: dict[str, Any], kernel="convolution/ReadVariableOp:0") -> Any:
    """The ONNX network: what tf2onnx makes of a Keras VGG with a head, names and all.

    Args:
        arrays: Layer → kernel, and bias.
        kernel: How the names of kernels end.
    """
    nodes, initializers = [], []
    value, block = "input", 1
    for name, (weights, *bias) in arrays.items():
        if not name.startswith(f"block{block}"):
            pooled = f"{value}_pool"
            nodes.append(
                onnx.helper.make_node(
                    "MaxPool", [value], [pooled], kernel_shape=[2, 2], strides=[2, 2]
                )
            )
            value, block = pooled, block + 1
        inside = f"functional_1/{name}_1"
        keys = [f"{inside}/{kernel}", f"{inside}/Squeeze:0"]
        stored = [np.moveaxis(weights, (3, 2), (0, 1)), *bias]
        initializers += [
            onnx.numpy_helper.from_array(np.ascontiguousarray(array), key)
            for array, key in zip(stored, keys, strict=False)
        ]
        nodes.append(
            onnx.helper.make_node(
                "Conv",
                [value, *keys[: len(stored)]],
                [f"{inside}/BiasAdd:0"],
                name=f"{inside}/BiasAdd",
                pads=[1, 1, 1, 1],
            )
        )
        value = f"{inside}/Relu:0"
        nodes.append(onnx.helper.make_node("Relu", [f"{inside}/BiasAdd:0"], [value]))
    initializers.append(onnx.numpy_helper.from_array(np.ones((4, 4), "f4"), "dense/kernel:0"))
    graph = onnx.helper.make_graph(
        nodes,
        "vgg",
        [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, 16, 24])],
        [onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, None)],
        # As tf2onnx has them: the last layer first.
        initializers[::-1],
    )
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=7
    )


def write(path: Path, model: Any, members=(MEMBER,)) -> Path:
    """Writes the network to a file, or to a wheel under some names."""
    if path.suffix == ".onnx":
        path.write_bytes(model.SerializeToString())
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("detector/__init__.py", "")
        for name in members:
            archive.writestr(name, model.SerializeToString())
    return path


@pytest.mark.parametrize("suffix", [".onnx", ".whl"])
@pytest.mark.parametrize("layer", ["block1_conv2", "block3_conv1"])
def test_layers_of_an_onnx_file(tmp_path, suffix, layer):
    arrays = arrays_of("vgg16", "block3_conv1")
    path = write(tmp_path / f"vgg{suffix}", network_of(arrays))
    loaded = load_vgg_weights("vgg16", layer, path)
    assert list(loaded) == list(arrays)[: list(arrays).index(layer) + 1]
    for name, pair in loaded.items():
        for found, expected in zip(pair, arrays[name], strict=True):
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, expected)


def test_features_are_what_onnx_runtime_computes(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    path = write(tmp_path / "vgg.onnx", network_of(arrays_of("vgg16", "block3_conv1")))
    batch = np.random.default_rng(1).uniform(-1, 1, (1, 16, 24, 3)).astype(np.float32)
    bgr = (batch[..., ::-1] + 1) * 127.5 - np.array(IMAGENET_MEAN_BGR, np.float32)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"input": np.moveaxis(bgr, -1, 1)})
    found = np.asarray(build_vgg_features("vgg16", "block3_conv1", weights=path)(batch))
    assert expected.std() > 1
    np.testing.assert_allclose(found, np.moveaxis(expected, 1, -1), rtol=1e-4, atol=1e-2)


def test_a_real_export_of_keras_is_read(tmp_path):
    """Names and folded constants as tf2onnx writes them today."""
    tf2onnx = pytest.importorskip("tf2onnx")
    import tensorflow as tf

    build: Any = keras.applications.VGG16  # declared as if weights could not be None
    whole = build(weights=None, include_top=False, input_shape=(32, 32, 3))
    model = keras.Model(whole.input, whole.get_layer("block2_conv1").output)
    for each in model.layers:
        if each.weights:
            each.bias.assign(np.random.default_rng(0).normal(size=each.bias.shape))
    path = tmp_path / "keras.onnx"
    signature = [tf.TensorSpec((1, 32, 32, 3), tf.float32, name="input")]
    tf2onnx.convert.from_function(
        tf.function(model, input_signature=signature),
        input_signature=signature,
        opset=13,
        output_path=str(path),
    )
    for name, pair in load_vgg_weights("vgg16", "block2_conv1", path).items():
        for found, expected in zip(pair, model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def refused(network: str, layer: str, path: Path) -> str:
    """The one line that refuses a file."""
    with pytest.raises(DataError) as caught:
        load_vgg_weights(network, layer, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_another_network(tmp_path):
    path = write(tmp_path / "vgg.onnx", network_of(arrays_of("vgg16", "block4_conv1")))
    message = "not those of vgg19 (they differ in block3_conv4)"
    assert message in refused("vgg19", "block2_conv2", path)
    assert "lacks vgg19 layer block3_conv4" in refused("vgg19", "block3_conv4", path)
    assert "lacks vgg16 layer block4_conv2" in refused("vgg16", "block4_conv2", path)


def test_names_that_are_not_kerass(tmp_path):
    """torchvision's VGG has the same shapes and takes RGB."""
    names = {"block1_conv1": "features.0", "block1_conv2": "features.2"}
    arrays = {names[key]: pair for key, pair in arrays_of("vgg16", "block1_conv2").items()}
    model = network_of({})
    for name, pair in arrays.items():
        node = onnx.helper.make_node("Conv", ["x", f"{name}.weight", f"{name}.bias"], [name])
        model.graph.node.append(node)
        for array, key in zip(pair, ("weight", "bias"), strict=True):
            tensor = onnx.numpy_helper.from_array(array, f"{name}.{key}")
            model.graph.initializer.append(tensor)
    path = write(tmp_path / "torchvision.onnx", model)
    assert "it has no VGG layer" in refused("vgg16", "block1_conv1", path)


def test_names_that_only_begin_like_those_of_vgg(tmp_path):
    arrays = arrays_of("vgg16", "block1_conv1")
    other = {"block1_conv12": arrays["block1_conv1"], "resblock1_conv1": arrays["block1_conv1"]}
    path = write(tmp_path / "other.onnx", network_of({**other}))
    assert "it has no VGG layer" in refused("vgg16", "block1_conv1", path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda kernel, bias: (kernel[:, :, :, :32], bias), "has shape (3, 3, 3, 64), the file's"),
        (lambda kernel, bias: (kernel, bias[:32]), "has shape (64,), the file's is (32,)"),
        (lambda kernel, bias: (kernel,), "needs one kernel and one bias, the file has 1 arrays"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, change, expected):
    arrays: dict[str, Any] = arrays_of("vgg16", "block1_conv2")
    arrays["block1_conv1"] = change(*arrays["block1_conv1"])
    path = write(tmp_path / "vgg.onnx", network_of(arrays))
    message = refused("vgg16", "block1_conv2", path)
    assert "layer block1_conv1 " in message and expected in message


def test_a_kernel_that_the_graph_computes_is_none(tmp_path):
    model = network_of(arrays_of("vgg16", "block1_conv1"))
    del model.graph.initializer[:]
    path = write(tmp_path / "vgg.onnx", model)
    assert "it has no VGG layer" in refused("vgg16", "block1_conv1", path)


@pytest.mark.parametrize("suffix", [".onnx", ".whl"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
def test_damaged_files(tmp_path, suffix, damage):
    path = write(tmp_path / f"vgg{suffix}", network_of(arrays_of("vgg16", "block2_conv1")))
    whole = path.read_bytes()
    damaged = {"empty": b"", "text": b"version https://git-lfs\nsize 8\n"}
    path.write_bytes(damaged.get(damage, whole[: len(whole) // 2]))
    assert "cannot be read as VGG weights (" in refused("vgg16", "block1_conv2", path)


@pytest.mark.parametrize(
    ("members", "expected"),
    [((), "holds no ONNX file"), (("a.onnx", "b.onnx"), "holds a.onnx, b.onnx")],
)
def test_wheels_without_one_network(tmp_path, members, expected):
    model = network_of(arrays_of("vgg16", "block1_conv1"))
    path = write(tmp_path / "some-1.0-py3-none-any.whl", model, members)
    assert expected in refused("vgg16", "block1_conv1", path)


def test_without_the_package(tmp_path, monkeypatch):
    path = write(tmp_path / "vgg.onnx", network_of(arrays_of("vgg16", "block1_conv1")))
    monkeypatch.setitem(sys.modules, "onnx", None)
    message = refused("vgg16", "block1_conv1", path)
    assert "package onnx" in message and "pip install 'bi-gans-st[onnx]'" in message


def test_the_vgg16_of_docs_perceptual_weights(vgg16_file):
    """The file's first layer is that of keras.applications, whose kernel begins with 0.42947057."""
    weights = load_vgg_weights("vgg16", "block5_conv3", vgg16_file)
    assert len(weights) == 13
    kernel, bias = weights["block1_conv1"]
    published = [0.42947057, 0.11727387, 0.034012958]
    np.testing.assert_allclose(kernel[0, 0, 0, :3], published, rtol=1e-6)
    np.testing.assert_allclose(kernel[0, 0, :, 0], [0.42947057, 0.55037946, 0.4800154], rtol=1e-6)
    np.testing.assert_allclose(bias[:3], [0.73429835, 0.09340367, 0.06775674], rtol=1e-6)
