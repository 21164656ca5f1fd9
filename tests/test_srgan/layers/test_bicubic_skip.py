import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan.layers.bicubic_skip import BicubicUpsampling, bicubic_taps


def cubic(x: np.ndarray) -> np.ndarray:
    """MATLAB's `cubic` (imresize.m): Keys' kernel with a = -0.5."""
    x = np.abs(x)
    return (1.5 * x**3 - 2.5 * x**2 + 1) * (x <= 1) + (-0.5 * x**3 + 2.5 * x**2 - 4 * x + 2) * (
        (x > 1) & (x <= 2)
    )


def imresize_axis(image: np.ndarray, scale: int, axis: int) -> np.ndarray:
    """MATLAB's `contributions` and `resizeAlongDim` for enlarging, edges replicated, 1-based."""
    length = image.shape[axis]
    u = np.arange(1, length * scale + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(u - 4 / 2)
    indices = left[:, None] + np.arange(4 + 2)
    weights = cubic(u[:, None] - indices)
    weights /= weights.sum(axis=1, keepdims=True)
    indices = np.clip(indices, 1, length).astype(int) - 1
    taken = np.take(image, indices, axis=axis)  # the axis becomes (output sample, tap)
    return np.moveaxis(
        np.einsum("...ot,ot->...o", np.moveaxis(taken, (axis, axis + 1), (-2, -1)), weights),
        -1,
        axis,
    )


def imresize(image: np.ndarray, scale: int) -> np.ndarray:
    """[H, W, C] float64, before the rounding to uint8."""
    return imresize_axis(imresize_axis(image.astype(np.float64), scale, 0), scale, 1)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    scale=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 99),
)
def test_equals_matlab_imresize(height, width, scale, seed):
    images = np.random.default_rng(seed).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)
    output = np.asarray(BicubicUpsampling(scale)(images))
    assert output.shape == (2, scale * height, scale * width, 3)
    for image, result in zip(images, output, strict=True):
        np.testing.assert_allclose(result, imresize(image, scale), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 3)])
def test_constant_is_kept(scale, shape):
    colour = np.array([-1.0, 0.3, 1.0], np.float32)
    output = np.asarray(BicubicUpsampling(scale)(np.broadcast_to(colour, (1, *shape, 3))))
    np.testing.assert_allclose(output, np.broadcast_to(colour, output.shape), rtol=0, atol=5e-7)


def test_ramp_is_kept_inside():
    """Keys' kernel reproduces straight lines, on the grid that imresize aligns by centres."""
    ramp = np.arange(8.0, dtype=np.float32)[None, None, :, None] * np.ones((1, 1, 1, 3), np.float32)
    output = np.asarray(BicubicUpsampling(4)(ramp))[0, 0, :, 0]
    expected = (np.arange(32) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(output[8:-8], expected[8:-8], atol=1e-5)


def test_taps_of_scale_2_by_hand():
    # At distance 1/4, 3/4, 5/4 and 7/4 Keys' kernel is 111, 29, -9 and -3 of 128.
    expected = np.array([[-3, 29, 111, -9, 0], [0, -9, 111, 29, -3]]) / 128
    np.testing.assert_allclose(bicubic_taps(2), expected, atol=1e-15)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_taps_sum_to_one(scale):
    np.testing.assert_allclose(bicubic_taps(scale).sum(axis=1), 1.0, atol=1e-14)


def test_float32_under_mixed_precision():
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = BicubicUpsampling(4)
        image = np.full((1, 2, 2, 3), 0.3, np.float32)
        output = layer(image)
    finally:
        keras.config.set_dtype_policy(previous)
    np.testing.assert_allclose(output, np.full((1, 8, 8, 3), 0.3), atol=1e-6)


def test_nothing_to_learn_and_config_round_trip():
    layer = BicubicUpsampling(2, name="skip")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == layer.get_config()
    assert copy.scale == 2
    image = np.random.default_rng(0).normal(size=(1, 3, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(copy(image), layer(image))
    assert layer.weights == []
    assert layer.compute_output_shape((None, None, 7, 3)) == (None, None, 14, 3)
