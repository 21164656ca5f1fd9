import re
import subprocess
import sys
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from sr_program.errors import DataError, UsageError
from srgan.vgg.layers import convolution_layers, layers_up_to
from srgan.vgg.weights import load_vgg_weights

SUFFIXES = (".weights.h5", ".keras", ".h5", ".onnx", ".whl", ".npz")
LAYERS = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2")


def truncated_vgg(names: dict[str, str] | None = None) -> keras.Model:
    """VGG19 up to block2_conv2, by keras.applications; `names` renames its layers."""
    build: Any = keras.applications.VGG19  # declared as if weights could not be None
    whole = build(weights=None, include_top=False, input_shape=(32, 32, 3))
    model = keras.Model(whole.input, whole.get_layer(LAYERS[-1]).output)
    if names is not None:
        renamed = keras.models.clone_model(
            model,
            clone_function=lambda layer: layer.__class__.from_config(
                {**layer.get_config(), "name": names.get(layer.name, layer.name)}
            ),
        )
        renamed.set_weights(model.get_weights())
        model = renamed
    random = np.random.default_rng(0)
    for variable in model.variables:
        if len(variable.shape) == 1:
            variable.assign(random.normal(size=variable.shape))
    return model


def nested(model: keras.Model) -> keras.Model:
    """A trained classifier with the VGG inside, so that files hold optimizer state too."""
    classifier = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            model,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    classifier.compile(keras.optimizers.Adam(1e-3), "mse")
    classifier.train_on_batch(np.zeros((1, 32, 32, 3)), np.ones((1, 2)))
    return classifier


@pytest.fixture(scope="module")
def vgg() -> keras.Model:
    return truncated_vgg()


def expected_weights(model: keras.Model) -> dict[str, list[np.ndarray]]:
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return dict(zip(LAYERS, (layer.get_weights() for layer in convolutions), strict=True))


def assert_loads(path, expected, layer="block2_conv2") -> None:
    loaded = load_vgg_weights("vgg19", layer, path)
    assert list(loaded) == list(LAYERS[: LAYERS.index(layer) + 1])
    for name, (kernel, bias) in loaded.items():
        assert kernel.dtype == bias.dtype == np.float32
        np.testing.assert_array_equal(kernel, expected[name][0])
        np.testing.assert_array_equal(bias, expected[name][1])


def write_npz(path, expected) -> None:
    arrays = {}
    for name, (kernel, bias) in expected.items():
        arrays[f"{name}_kernel"], arrays[f"{name}_bias"] = kernel, bias
    np.savez(path, **arrays)


def write_empty(path, network, layer, as_keras3=True) -> None:
    """A file with the right names and shapes and no data."""
    with h5py.File(path, "w") as file:
        for number, each in enumerate(layers_up_to(network, layer)):
            if as_keras3:
                group = f"layers/conv2d{f'_{number}' if number else ''}/vars"
                names = "0", "1"
            else:
                group, names = each.name, (f"{each.name}/kernel:0", f"{each.name}/bias:0")
            for name, shape in zip(names, (each.kernel_shape, each.bias_shape), strict=True):
                file.create_dataset(f"{group}/{name}", shape, dtype="float32")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_files_that_keras_3_saves(tmp_path, vgg, suffix):
    path = tmp_path / f"vgg{suffix}"
    vgg.save_weights(path) if suffix == ".weights.h5" else vgg.save(path)
    assert_loads(path, expected_weights(vgg))
    assert_loads(str(path), expected_weights(vgg), layer="block1_conv2")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_files_of_a_trained_model_around_the_vgg(tmp_path, suffix):
    model = truncated_vgg()
    classifier = nested(model)
    path = tmp_path / f"classifier{suffix}"
    classifier.save_weights(path) if suffix == ".weights.h5" else classifier.save(path)
    assert_loads(path, expected_weights(model))


def test_keras_3_weights_with_other_layer_names_count_by_order(tmp_path):
    model = truncated_vgg({name: f"my_layer_{9 - i}" for i, name in enumerate(LAYERS)})
    path = tmp_path / "vgg.weights.h5"
    model.save_weights(path)
    with h5py.File(path) as file:  # so that the test means what it says
        assert "my_layer_9" in str(file["layers/conv2d/vars"].attrs["name"])
    assert_loads(path, expected_weights(model))


@pytest.mark.parametrize(
    ("kernel_key", "bias_key"),
    [
        # keras.applications' own files, from Keras 1
        ("{0}/{0}_W_1:0", "{0}/{0}_b_1:0"),
        # save_weights of Keras 2
        ("{0}/{0}/kernel:0", "{0}/{0}/bias:0"),
        # save of Keras 2, with the VGG inside of another model
        ("model_weights/vgg19/{0}/kernel:0", "model_weights/vgg19/{0}/bias:0"),
    ],
)
def test_legacy_h5_files(tmp_path, vgg, kernel_key, bias_key):
    expected = expected_weights(vgg)
    path = tmp_path / "legacy.h5"
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in expected.items():
            file[kernel_key.format(name)] = kernel
            file[bias_key.format(name)] = bias
            file[f"optimizer_weights/adam/{name}/kernel/m:0"] = kernel + 1
        file["fc1/fc1/kernel:0"] = np.ones((4, 4))
    assert_loads(path, expected)


def test_npz_files(tmp_path, vgg):
    path = tmp_path / "vgg.npz"
    write_npz(path, expected_weights(vgg))
    assert_loads(path, expected_weights(vgg))
    assert_loads(path, expected_weights(vgg), layer="block1_conv1")


def test_only_needed_npz_arrays_are_read(tmp_path, vgg):
    path = tmp_path / "vgg.npz"
    expected = expected_weights(vgg)
    # Pickled arrays cannot be read here: the load passes only if it leaves this one alone.
    pickled = np.array([None], dtype=object)
    write_npz(path, {**expected, "block2_conv2": [pickled, expected["block2_conv2"][1]]})
    assert_loads(path, expected, layer="block2_conv1")
    with pytest.raises(DataError, match="cannot be read as VGG weights"):
        load_vgg_weights("vgg19", "block2_conv2", path)


def test_shared_npz_has_the_published_first_value(shared):
    weights = load_vgg_weights("vgg19", "block3_conv4", shared / "data/vgg19_conv3_4.npz")
    assert len(weights) == 8
    assert weights["block1_conv1"][0][0, 0, 0, 0] == pytest.approx(0.34119523)
    assert weights["block3_conv4"][0].shape == (3, 3, 256, 256)


@pytest.mark.parametrize("suffix", [".npz", ".weights.h5"])
def test_a_file_without_a_needed_layer_lists_those_it_has(tmp_path, vgg, suffix):
    path = tmp_path / f"short{suffix}"
    if suffix == ".npz":
        write_npz(path, expected_weights(vgg))
    else:
        vgg.save_weights(path)
    with pytest.raises(DataError) as caught:
        load_vgg_weights("vgg19", "block3_conv2", path)
    message = str(caught.value)
    assert message.startswith(f"{path}: lacks vgg19 layer block3_conv1, block3_conv2; it has ")
    assert f"it has {', '.join(LAYERS)}:" in message


def test_a_file_of_something_else_has_no_layer(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(DataError, match="it has no VGG layer"):
        load_vgg_weights("vgg19", "block1_conv1", path)


@pytest.mark.parametrize(
    ("network", "file_network", "file_layer", "shapes"),
    [
        # The 10th convolution of VGG16 opens block 4, that of VGG19 ends block 3.
        ("vgg19", "vgg16", "block5_conv3", [(3, 3, 256, 256), (3, 3, 256, 512)]),
        ("vgg16", "vgg19", "block4_conv1", [(3, 3, 256, 512), (3, 3, 256, 256)]),
    ],
)
@pytest.mark.parametrize("layer", ["block2_conv2", "block4_conv1"])
def test_another_networks_shapes(tmp_path, network, file_network, file_layer, shapes, layer):
    path = tmp_path / "other.weights.h5"
    write_empty(path, file_network, file_layer)
    wrong = "block3_conv4" if network == "vgg19" else "block4_conv1"
    with pytest.raises(DataError) as caught:
        load_vgg_weights(network, layer, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: layer {wrong} of {network} has shape {shapes[0]}")
    assert f"the file's is {shapes[1]}" in message


def test_another_networks_layer_names(tmp_path):
    path = tmp_path / "other.h5"
    write_empty(path, "vgg16", "block5_conv3", as_keras3=False)
    with pytest.raises(DataError, match=r"lacks vgg19 layer block3_conv4.*block5_conv3"):
        load_vgg_weights("vgg19", "block5_conv3", path)
    # The layers that fit are refused too: they are not VGG19's.
    with pytest.raises(DataError, match=r"not those of vgg19 \(they differ in block3_conv4"):
        load_vgg_weights("vgg19", "block2_conv2", path)
    write_empty(path, "vgg19", "block3_conv4", as_keras3=False)
    with pytest.raises(DataError, match=r"not those of vgg16 \(they differ in block3_conv4\)"):
        load_vgg_weights("vgg16", "block3_conv3", path)


def test_more_convolutions_than_the_network(tmp_path):
    path = tmp_path / "other.weights.h5"
    write_empty(path, "vgg19", "block5_conv4")
    with pytest.raises(DataError, match="has 16 convolutions, vgg16 has 13"):
        load_vgg_weights("vgg16", "block2_conv2", path)


def test_layer_without_bias(tmp_path, vgg):
    expected = expected_weights(vgg)
    path = tmp_path / "vgg.npz"
    arrays: dict[str, Any] = {f"{name}_kernel": kernel for name, (kernel, _) in expected.items()}
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=r"block1_conv1 needs one kernel and one bias"):
        load_vgg_weights("vgg19", "block1_conv1", path)


def test_missing_file_names_the_formats(tmp_path):
    with pytest.raises(DataError) as caught:
        load_vgg_weights("vgg19", "block1_conv1", tmp_path / "none.npz")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'none.npz'}: no such file")
    assert all(suffix in message for suffix in SUFFIXES)


@pytest.mark.parametrize("name", ["weights", "vgg.pth", "vgg.bin"])
def test_unknown_suffix(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=rf"{re.escape(name)}: unknown weights format.*\.npz"):
        load_vgg_weights("vgg19", "block1_conv1", path)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".weights.h5", ".keras"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
def test_corrupt_files(tmp_path, vgg, suffix, damage):
    path = tmp_path / f"vgg{suffix}"
    if damage == "cut":
        if suffix == ".npz":
            write_npz(path, expected_weights(vgg))
        elif suffix == ".weights.h5":
            vgg.save_weights(path)
        else:
            vgg.save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(b"" if damage == "empty" else b"version https://git-lfs\nsize 8\n")
    with pytest.raises(DataError) as caught:
        load_vgg_weights("vgg19", "block2_conv2", path)
    assert str(caught.value).startswith(f"{path}: cannot be read as VGG weights (")
    assert "\n" not in str(caught.value)


def test_npz_that_holds_a_single_array(tmp_path):
    path = tmp_path / "vgg.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="cannot be read as VGG weights"):
        load_vgg_weights("vgg19", "block1_conv1", path)


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_download_takes_the_layers_from_keras_applications(monkeypatch, network):
    arguments = []
    build = getattr(keras.applications, network.upper())

    def application(**options):
        arguments.append(options)
        model = build(**{**options, "weights": None})
        application.model = model
        return model

    monkeypatch.setattr(keras.applications, network.upper(), application)
    loaded = load_vgg_weights(network, "block3_conv2", "imagenet")
    assert arguments == [{"include_top": False, "weights": "imagenet"}]
    assert list(loaded) == [each.name for each in layers_up_to(network, "block3_conv2")]
    for name, (kernel, bias) in loaded.items():
        np.testing.assert_array_equal(kernel, application.model.get_layer(name).kernel)
        np.testing.assert_array_equal(bias, application.model.get_layer(name).bias)


def test_failed_download_says_what_to_do(monkeypatch, repository):
    assert (repository / "docs/perceptual_weights.md").is_file()

    def fetch(*_, **__):
        raise Exception("URL fetch failure on\nhttps://storage.googleapis.com/x: None -- no route")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", fetch)
    with pytest.raises(DataError) as caught:
        load_vgg_weights("vgg19", "block5_conv4", "imagenet")
    message = str(caught.value)
    assert message.startswith("cannot get the vgg19 ImageNet weights (URL fetch failure on https:")
    for remedy in ("--vgg_weights=PATH", "docs/perceptual_weights.md", "--lambda_vgg=0"):
        assert remedy in message
    assert all(suffix in message for suffix in SUFFIXES)
    assert "\n" not in message


def test_unknown_layer_is_refused_before_any_file_is_opened():
    with pytest.raises(UsageError, match="choose one of block1_conv1"):
        load_vgg_weights("vgg19", "block6_conv1", "nowhere.npz")


def test_all_of_vgg19_from_one_file(tmp_path):
    path = tmp_path / "vgg19.h5"
    write_empty(path, "vgg19", "block5_conv4", as_keras3=False)
    loaded = load_vgg_weights("vgg19", "block5_conv4", path)
    assert list(loaded) == [each.name for each in convolution_layers("vgg19")]


def test_a_file_is_read_without_keras(subprocess_environment, vgg_file):
    program = (
        "import sys; from srgan.vgg.weights import load_vgg_weights;"
        f"load_vgg_weights('vgg19', 'block1_conv1', {str(vgg_file)!r});"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], env=subprocess_environment, check=True)
