from typing import Any

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import to_signed
from sr_program.errors import DataError, UsageError
from srgan.vgg.features import (
    FEATURE_SCALE,
    CaffePreprocessing,
    build_vgg_features,
    feature_scale,
)
from srgan.vgg.layers import layers_up_to


@pytest.fixture
def weights_file(tmp_path):
    """Random VGG19 weights up to block2_conv1, scaled so that features stay near one."""
    random = np.random.default_rng(0)
    arrays = {}
    for layer in layers_up_to("vgg19", "block2_conv1"):
        scale = np.sqrt(2 / (9 * layer.in_channels)) / (70 if layer.in_channels == 3 else 1)
        arrays[f"{layer.name}_kernel"] = scale * random.normal(size=layer.kernel_shape)
        arrays[f"{layer.name}_bias"] = 0.1 * random.normal(size=layer.bias_shape)
    np.savez(tmp_path / "vgg.npz", **{key: value.astype("f4") for key, value in arrays.items()})
    return tmp_path / "vgg.npz"


@pytest.fixture
def vgg19_file(shared):
    return shared / "data/vgg19_conv3_4.npz"


def images(height=12, width=10) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)


def features_by_hand(batch: np.ndarray, weights_file, layer: str, before_relu: bool) -> np.ndarray:
    """φ in float64 numpy and scipy."""
    weights = np.load(weights_file)
    rgb = (batch.astype(np.float64) + 1) * 255 / 2
    x = np.stack(
        [rgb[..., 2] - 103.939, rgb[..., 1] - 116.779, rgb[..., 0] - 123.68],
        axis=-1,
    )
    names = ["block1_conv1", "block1_conv2", "block2_conv1"]
    names = names[: names.index(layer) + 1]
    for name in names:
        if name == "block2_conv1":
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max((2, 4))
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        kernel = weights[f"{name}_kernel"].astype(np.float64)
        sums = [
            [correlate(image, kernel[..., channel], mode="valid")[..., 0] for image in padded]
            for channel in range(kernel.shape[-1])
        ]
        x = np.moveaxis(np.array(sums), 0, -1) + weights[f"{name}_bias"]
        if name != names[-1] or not before_relu:
            x = np.maximum(x, 0)
    return x


@pytest.mark.parametrize("before_relu", [False, True])
@pytest.mark.parametrize("layer", ["block1_conv1", "block1_conv2", "block2_conv1"])
def test_features_equal_a_network_written_by_hand(weights_file, layer, before_relu):
    model = build_vgg_features("vgg19", layer, before_relu=before_relu, weights=weights_file)
    expected = features_by_hand(images(), weights_file, layer, before_relu)
    assert 0.1 < np.abs(expected).mean() < 10
    np.testing.assert_allclose(np.asarray(model(images())), expected, rtol=1e-4, atol=1e-4)


def test_preprocessing_of_single_pixels():
    red, dark_gray = [1.0, -1.0, 0.0], [-0.5, -0.5, -0.5]
    output = CaffePreprocessing()(np.array([[[red, dark_gray]]], np.float32))
    # Blue 127.5, green 0, red 255; then 63.75 in each.
    expected = [
        [127.5 - 103.939, 0 - 116.779, 255 - 123.68],
        [63.75 - 103.939, 63.75 - 116.779, 63.75 - 123.68],
    ]
    np.testing.assert_allclose(np.asarray(output)[0, 0], expected, rtol=1e-6)


def test_preprocessing_agrees_with_keras_applications():
    batch = images()
    expected = keras.applications.vgg19.preprocess_input((batch.astype(np.float64) + 1) * 127.5)
    np.testing.assert_allclose(np.asarray(CaffePreprocessing()(batch)), expected, atol=1e-4)


def test_preprocessing_survives_serialization_in_float32():
    layer = CaffePreprocessing(name="p", dtype="mixed_bfloat16")
    restored = keras.layers.deserialize(keras.layers.serialize(layer))
    assert isinstance(restored, CaffePreprocessing)
    assert layer.compute_dtype == restored.compute_dtype == "float32"


@pytest.mark.parametrize("as_global_policy", [True, False])
def test_mixed_precision_keeps_grey_levels_exact(weights_file, as_global_policy):
    before = keras.config.dtype_policy()
    try:
        if as_global_policy:
            keras.config.set_dtype_policy("mixed_bfloat16")
        dtype = None if as_global_policy else "mixed_bfloat16"
        model = build_vgg_features("vgg19", "block2_conv1", weights=weights_file, dtype=dtype)
        inner = keras.Model(model.input, model.get_layer("caffe_preprocessing").output)
        batch = images()
        grey_levels = np.asarray(inner(batch))
        features = model(batch)
    finally:
        keras.config.set_dtype_policy(before)

    blue = (batch[..., 2].astype(np.float64) + 1) * 127.5 - 103.939
    np.testing.assert_allclose(grey_levels[..., 0], blue, atol=1e-4)  # bfloat16: up to 0.5
    convolutions = [each for each in model.layers if isinstance(each, keras.layers.Conv2D)]
    assert {each.compute_dtype for each in convolutions} == {"bfloat16"}
    assert keras.backend.standardize_dtype(features.dtype) == "float32"
    expected = features_by_hand(batch, weights_file, "block2_conv1", False)
    error = np.abs(np.asarray(features) - expected).mean() / expected.mean()
    assert 1e-5 < error < 0.02  # bfloat16, and really so


def test_relu_is_all_that_lies_between_before_and_after(weights_file):
    layer = "block2_conv1"
    after = build_vgg_features("vgg19", layer, before_relu=False, weights=weights_file)(images())
    before = build_vgg_features("vgg19", layer, before_relu=True, weights=weights_file)(images())
    after, before = np.asarray(after), np.asarray(before)
    assert before.min() < -0.1
    np.testing.assert_allclose(after, np.maximum(before, 0), rtol=1e-5, atol=1e-6)


def test_only_the_layers_up_to_the_chosen_one_are_built():
    model = build_vgg_features("vgg19", "block3_conv1", weights=None)
    assert [each.name for each in model.layers] == [
        "images",
        "caffe_preprocessing",
        "block1_conv1",
        "block1_conv2",
        "block1_pool",
        "block2_conv1",
        "block2_conv2",
        "block2_pool",
        "block3_conv1",
        "features",
    ]


@pytest.mark.parametrize("before_relu", [False, True])
def test_several_layers_from_one_network(weights_file, before_relu):
    """What is taken before its ReLU goes on behind it."""
    names = ["block1_conv2", "block2_conv1", "block1_conv1"]
    model = build_vgg_features("vgg19", names, before_relu=before_relu, weights=weights_file)
    assert sum(isinstance(each, keras.layers.Conv2D) for each in model.layers) == 3
    found = model(images())
    for name, features in zip(names, found, strict=True):
        expected = features_by_hand(images(), weights_file, name, before_relu)
        np.testing.assert_allclose(np.asarray(features), expected, rtol=1e-4, atol=1e-4)
        assert (np.asarray(features).min() < 0) == before_relu


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_one_layer_of_several_is_that_layer_alone(weights_file, dtype):
    """In every bit: the same layers run, whatever else is taken from them."""
    options: Any = {"weights": weights_file, "dtype": dtype}
    layers = ["block1_conv1", "block2_conv1"]
    several = build_vgg_features("vgg19", layers, **options)(images())
    for layer, features in zip(layers, several, strict=True):
        alone = build_vgg_features("vgg19", layer, **options)(images())
        np.testing.assert_array_equal(features, alone)
        assert keras.backend.standardize_dtype(features.dtype) == "float32"


def test_default_is_the_last_layer_of_vgg19():
    model = build_vgg_features(weights=None)
    # keras.applications.VGG19(include_top=False): 20 024 384 parameters.
    assert model.count_params() == 20_024_384
    assert model.output_shape == (None, None, None, 512)
    assert model.get_layer("block5_conv4").activation is keras.activations.relu


def test_deep_vgg16_with_its_weights_equals_keras_applications(tmp_path):
    build: Any = keras.applications.VGG16  # declared as if weights could not be None
    reference = build(weights=None, include_top=False)
    path = tmp_path / "vgg16.weights.h5"
    reference.save_weights(path)
    layer = "block5_conv3"
    model = build_vgg_features("vgg16", layer, weights=path)
    batch = images(32, 48)
    inputs = keras.applications.vgg16.preprocess_input((batch + 1) * 127.5)
    expected = np.asarray(keras.Model(reference.input, reference.get_layer(layer).output)(inputs))
    assert expected.std() > 0
    np.testing.assert_allclose(
        np.asarray(model(batch)), expected, rtol=1e-3, atol=1e-4 * expected.max()
    )


def test_weights_are_frozen(weights_file):
    model = build_vgg_features("vgg19", "block1_conv2", weights=weights_file)
    assert model.trainable_variables == []
    assert len(model.non_trainable_variables) == 4
    assert not model.get_layer("block1_conv1").trainable


def test_unknown_network_and_layer():
    with pytest.raises(UsageError, match="choose one of vgg16, vgg19"):
        build_vgg_features("resnet", weights=None)
    with pytest.raises(UsageError, match="no layer 'block5_conv4': choose one of block1_conv1, "):
        build_vgg_features("vgg16", "block5_conv4", weights=None)


def test_never_falls_back_to_a_layer_that_the_file_has(weights_file):
    with pytest.raises(DataError, match="lacks vgg19 layer block2_conv2"):
        build_vgg_features(weights=weights_file)


def test_activations_on_lenna_are_those_of_the_data_readme(shared, vgg19_file):
    names = PairedFolder(shared / "data/benchmarks/Set14")
    lenna = next(hr for name, hr, _ in names if "lenna" in name.lower())
    top, left = (lenna.shape[0] - 224) // 2, (lenna.shape[1] - 224) // 2
    batch = to_signed(lenna[top : top + 224, left : left + 224])[None]
    model = build_vgg_features("vgg19", "block3_conv4", weights=vgg19_file)
    # The README took all of lenna at 224 px, this is a crop: the magnitude is what counts.
    for layer, mean in [("block1_conv2", 115), ("block2_conv2", 120), ("block3_conv4", 572)]:
        inner = keras.Model(model.input, model.get_layer(layer).output)
        assert np.asarray(inner(batch)).mean() == pytest.approx(mean, rel=0.5)


@pytest.mark.parametrize(
    ("network", "layer", "before_relu"),
    [
        ("vgg19", "block3_conv4", False),
        ("vgg19", "block3_conv4", True),
        ("vgg19", "block2_conv2", True),
        ("vgg19", "block1_conv1", False),
        ("vgg16", "block4_conv3", False),
        ("vgg16", "block4_conv3", True),
        ("vgg16", "block3_conv2", False),
    ],
)
def test_feature_scale_keeps_the_papers_balance(shared, request, network, layer, before_relu):
    weights = request.getfixturevalue(f"{network}_file")
    originals, upscaled = [], []
    for _, hr, lr in PairedFolder(shared / "data/val"):
        top, left = (hr.shape[0] - 96) // 2, (hr.shape[1] - 96) // 2
        window = slice(top, top + 96), slice(left, left + 96)
        originals.append(to_signed(hr[window]))
        upscaled.append(to_signed(bicubic_upscale(lr, 4)[window]))
    assert len(originals) == 12
    hr_crops, sr_crops = np.stack(originals), np.stack(upscaled)
    model = build_vgg_features(network, layer, before_relu=before_relu, weights=weights)
    difference = np.asarray(model(hr_crops)) - np.asarray(model(sr_crops))
    perceptual = feature_scale(network, layer, before_relu) * np.mean(difference**2)
    pixel = np.mean((hr_crops - sr_crops) ** 2)
    assert 0.3 <= 6e-3 * perceptual / pixel <= 3


@pytest.mark.parametrize("before_relu", [False, True])
@pytest.mark.parametrize(
    ("network", "layer"), [("vgg19", "block5_conv4"), ("vgg16", "block5_conv3")]
)
def test_the_papers_layers_have_scale_one(network, layer, before_relu):
    assert feature_scale(network, layer, before_relu) == 1.0


@pytest.mark.parametrize(
    ("network", "deepest"), [("vgg19", "block3_conv4"), ("vgg16", "block4_conv3")]
)
def test_every_layer_to_the_deepest_measured_one_has_a_scale(network, deepest):
    for each in layers_up_to(network, deepest):
        after = feature_scale(network, each.name, before_relu=False)
        before = feature_scale(network, each.name, before_relu=True)
        assert 0 < before < after < 1  # the ReLU removes part of the difference
    assert len(FEATURE_SCALE) == 2 * 8 + 2 * 10 + 4


def test_layer_without_a_scale_names_the_flag():
    with pytest.raises(UsageError, match="vgg16 block5_conv1: set --feature_scale"):
        feature_scale("vgg16", "block5_conv1", False)
    with pytest.raises(UsageError, match="no layer 'block9_conv1'"):
        feature_scale("vgg19", "block9_conv1", False)
