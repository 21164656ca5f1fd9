import keras
import numpy as np
import pytest
import tensorflow as tf

from sr_program.errors import UsageError
from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.tail import doublings_of, image_tail

CHANNELS, FILTERS = 3, 2


def tail(scale: int, output_kernel: int = 3, bicubic_skip: bool = False, dtype=None):
    keras.utils.set_random_seed(0)
    features = keras.Input((None, None, CHANNELS))
    lr = keras.Input((None, None, 3))
    sr = image_tail(
        features,
        lr,
        scale=scale,
        filters=FILTERS,
        output_kernel=output_kernel,
        bicubic_skip=bicubic_skip,
        dtype=dtype,
    )
    return keras.Model([features, lr], sr)


def inputs(height: int = 3, width: int = 5) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(size=(2, height, width, c)).astype(np.float32) for c in (CHANNELS, 3)]


def plain_tail(weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """As the paper draws it, in double precision: (conv, shuffle, PReLU)*, then the output conv."""
    tensors = [tf.constant(w, tf.float64) for w in weights]
    y = tf.constant(x, tf.float64)
    while len(tensors) > 2:
        kernel, bias, slope = (tensors.pop(0) for _ in range(3))
        y = tf.nn.depth_to_space(tf.nn.conv2d(y, kernel, 1, "SAME") + bias, 2)
        y = tf.where(y > 0, y, slope * y)
    kernel, bias = tensors
    return np.asarray(tf.nn.conv2d(y, kernel, 1, "SAME") + bias)


@pytest.mark.parametrize("bicubic_skip", [False, True])
@pytest.mark.parametrize("output_kernel", [3, 9])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_equals_the_plain_network(scale, output_kernel, bicubic_skip):
    model = tail(scale, output_kernel, bicubic_skip)
    random = np.random.default_rng(2)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    features, lr = inputs()
    expected = plain_tail(model.get_weights(), features)
    assert expected.shape == (2, 3 * scale, 5 * scale, 3)
    tolerance = 2e-6 * np.abs(expected).max()
    if bicubic_skip:
        expected = expected + np.asarray(BicubicUpsampling(scale)(lr))
    np.testing.assert_allclose(model([features, lr]), expected, rtol=0, atol=tolerance)


def test_without_a_skip_the_input_image_is_not_used():
    model = tail(4)
    features, lr = inputs()
    np.testing.assert_array_equal(model([features, lr]), model([features, -lr]))
    assert np.asarray(model([features, lr])).std() > 0.1


def test_with_a_skip_the_untrained_detail_is_small():
    model = tail(4, bicubic_skip=True)
    features, lr = inputs()
    detail = np.asarray(model([features, lr])) - np.asarray(BicubicUpsampling(4)(lr))
    # 9·2 terms of a deviation of 1e-3 each, on features near 1.
    assert 0 < np.abs(detail).max() < 0.05


@pytest.mark.parametrize("bicubic_skip", [False, True])
def test_float32_under_mixed_precision(bicubic_skip):
    model = tail(4, bicubic_skip=bicubic_skip, dtype="mixed_bfloat16")
    assert model.outputs[0].dtype == "float32"
    assert keras.backend.standardize_dtype(model(inputs()).dtype) == "float32"
    assert model.get_layer("upsample1_conv").compute_dtype == "bfloat16"
    assert model.get_layer("output").compute_dtype == "bfloat16"


@pytest.mark.parametrize(("scale", "doublings"), [(2, 1), (4, 2), (8, 3), (16, 4)])
def test_doublings(scale, doublings):
    assert doublings_of(scale) == doublings
    layers = [layer.name for layer in tail(scale).layers if layer.name.endswith("_conv")]
    assert layers == [f"upsample{i}_conv" for i in range(1, doublings + 1)]


@pytest.mark.parametrize("scale", [-4, 0, 1, 3, 6, 12])
def test_other_scales_are_usage_errors(scale):
    with pytest.raises(UsageError, match=f"--scale must be 2, 4, 8, …, got {scale}"):
        doublings_of(scale)
