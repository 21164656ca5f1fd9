from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan.layers.subpixel import PixelShuffle, SubpixelConv2D, coarse_kernel, upsample

# One LR pixel, smaller than either kernel, odd, even, and a size where not all taps hit an edge.
SIZES = [(1, 1), (1, 4), (3, 2), (5, 7), (8, 6), (12, 11)]
BFLOAT16_EPSILON = 2.0**-7  # the step from 1 to the next number: 8 bits of precision


class Case(NamedTuple):
    inputs: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    upstream: np.ndarray  # the gradient that comes back to the output


def pixel_shuffle(x: np.ndarray) -> np.ndarray:
    """[B, H, W, 4C] → [B, 2H, 2W, C] by its definition, channel (2·row + column)·C + c."""
    batch, height, width, channels = x.shape
    count = channels // 4
    result = np.empty((batch, 2 * height, 2 * width, count), x.dtype)
    for row in range(2):
        for column in range(2):
            first = (2 * row + column) * count
            result[:, row::2, column::2] = x[..., first : first + count]
    return result


def layer_with(kernel: np.ndarray, bias: np.ndarray, dtype: str = "float32") -> SubpixelConv2D:
    layer = SubpixelConv2D(kernel.shape[-1], kernel.shape[0], dtype=dtype)
    layer.build((None, None, None, 4 * kernel.shape[2]))
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    return layer


def value_and_gradients(function, inputs, kernel, bias, upstream) -> dict[str, np.ndarray]:
    """The output, and the gradients of its product with `upstream`."""
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel, bias])
        output = function(inputs)
        product = tf.reduce_sum(output * tf.cast(upstream, output.dtype))
    names = ("inputs", "kernel", "bias")
    gradients = tape.gradient(product, (inputs, kernel, bias))
    arrays = [output, *gradients]
    return {
        name: np.asarray(tf.cast(array, tf.float64))
        for name, array in zip(("output", *names), arrays, strict=True)
    }


def coarse_form(inputs, kernel, bias, upstream, dtype="float32") -> dict[str, np.ndarray]:
    """The layer under test."""
    layer = layer_with(kernel, bias, dtype)
    compute = tf.as_dtype(keras.DTypePolicy(dtype).compute_dtype)
    return value_and_gradients(
        layer, tf.cast(inputs, compute), layer.kernel.value, layer.bias.value, upstream
    )


def plain_form(inputs, kernel, bias, upstream) -> dict[str, np.ndarray]:
    """Shuffle, then a "same" convolution with the canonical kernel, in double precision."""
    x, k, b = (tf.convert_to_tensor(a.astype(np.float64)) for a in (inputs, kernel, bias))
    return value_and_gradients(
        lambda x: tf.nn.conv2d(tf.nn.depth_to_space(x, 2), k, 1, "SAME") + b, x, k, b, upstream
    )


def magnitudes(inputs, kernel, bias, upstream) -> dict[str, np.ndarray]:
    """For each result, the sum of its terms' magnitudes: what rounding errors are relative to."""
    return plain_form(*(np.abs(a) for a in (inputs, kernel, bias, upstream)))


def random_case(size, k, channels, filters, seed=0, integers=False) -> Case:
    random = np.random.default_rng(seed)
    shapes = (
        (1, *size, 4 * channels),
        (k, k, channels, filters),
        (filters,),
        (1, 2 * size[0], 2 * size[1], filters),
    )
    x, kernel, bias, upstream = (
        random.integers(-1, 2, shape) if integers else random.normal(size=shape) for shape in shapes
    )
    return Case(*(array.astype(np.float32) for array in (x, kernel, bias, upstream)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [3, 9])
def test_values_and_gradients_equal_the_plain_form(k, size):
    case = random_case(size, k, channels=5, filters=3)
    actual, expected, scale = coarse_form(*case), plain_form(*case), magnitudes(*case)
    for name in expected:
        error = np.abs(actual[name] - expected[name])
        assert (error <= 1e-6 * scale[name]).all(), (name, (error / scale[name]).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [3, 9])
def test_bfloat16_against_the_double_precision_plain_form(k, size):
    """Input and kernel are rounded by ε/2 each, the sum (and a gradient's input) once more."""
    case = random_case(size, k, channels=2, filters=3)
    actual, expected = coarse_form(*case, dtype="mixed_bfloat16"), plain_form(*case)
    float32, scale = coarse_form(*case), magnitudes(*case)
    for name in expected:
        bound = 2 * BFLOAT16_EPSILON * scale[name]
        assert (np.abs(actual[name] - expected[name]) <= bound).all(), name
        assert (np.abs(actual[name] - float32[name]) <= bound).all(), name
    # … and it was computed in bfloat16, not in float32 beside it.
    assert np.abs(actual["output"] - float32["output"]).max() > 1e-4


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    k=st.sampled_from([1, 3, 5, 7, 9]),
    channels=st.integers(1, 2),
    dtype=st.sampled_from(["float32", "mixed_bfloat16"]),
    seed=st.integers(0, 999),
)
def test_small_integers_are_exact_in_either_type(height, width, k, channels, dtype, seed):
    """Every sum of these is an integer of at most 256, so no rounding excuses a wrong tap."""
    case = random_case((height, width), k, channels, filters=3, seed=seed, integers=True)
    actual, expected = coarse_form(*case, dtype=dtype), plain_form(*case)
    assert max(np.abs(array).max() for array in magnitudes(*case).values()) <= 256
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


@pytest.mark.parametrize(("k", "side"), [(1, 1), (3, 2), (5, 3), (7, 4), (9, 5)])
def test_coarse_kernel_moves_every_tap_once_a_phase(k, side):
    kernel = np.arange(1.0, 1 + k * k * 2 * 3).reshape(k, k, 2, 3)
    coarse = np.asarray(coarse_kernel(tf.constant(kernel)))
    assert coarse.shape == (side, side, 8, 12)
    for phase in range(4):
        taps = coarse[..., 3 * phase : 3 * phase + 3]
        np.testing.assert_array_equal(np.sort(taps[taps != 0]), kernel.ravel())


def test_pixel_shuffle_against_numpy():
    x = np.random.default_rng(1).normal(size=(2, 3, 5, 12)).astype(np.float32)
    np.testing.assert_array_equal(PixelShuffle()(x), pixel_shuffle(x))


def test_order_of_the_phases_by_hand():
    """Two channels of four phases: the first half of the channels is the upper row."""
    x = np.array([[[[0, 10, 1, 11, 2, 12, 3, 13]]]], np.float32)
    shuffled = np.asarray(PixelShuffle()(x))
    np.testing.assert_array_equal(shuffled[0, :, :, 0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(shuffled[0, :, :, 1], [[10, 11], [12, 13]])


def test_a_single_tap_shifts_the_shuffled_image():
    """The kernel is canonical: tap (row 0, column 2) of 3x3 reads one row up, one column right."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[0, 2] = 1
    x = np.random.default_rng(2).normal(size=(1, 3, 4, 4)).astype(np.float32)
    fine = pixel_shuffle(x)
    expected = np.zeros_like(fine)
    expected[:, 1:, :-1] = fine[:, :-1, 1:]
    np.testing.assert_array_equal(layer_with(kernel, np.zeros(1))(x), expected)


def random_weights(model: keras.Model) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    values = [random.normal(size=w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights(values)
    return values


@pytest.mark.parametrize("shuffle", [True, False])
def test_upsample_equals_conv_shuffle_keras_prelu(shuffle):
    features = keras.Input((None, None, 3))
    model = keras.Model(features, upsample(features, 2, name="up", shuffle=shuffle))
    kernel, bias, slopes = random_weights(model)
    assert (kernel.shape, bias.shape, slopes.shape) == ((3, 3, 3, 8), (8,), (2,))

    x = np.random.default_rng(6).normal(size=(2, 4, 3, 3)).astype(np.float32)
    prelu = keras.layers.PReLU(shared_axes=[1, 2])
    prelu.build((None, 8, 6, 2))
    prelu.alpha.assign(slopes[None, None])
    convolved = np.asarray(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
    expected = np.asarray(prelu(pixel_shuffle(convolved)))
    output = np.asarray(model(x))
    np.testing.assert_allclose(
        output if shuffle else pixel_shuffle(output), expected, rtol=1e-5, atol=1e-5
    )


def test_output_and_its_offset_are_float32_under_mixed_precision():
    """0.1001 is none of bfloat16's numbers."""
    bias = np.array([0.1001, -0.2003, 0.3007], np.float32)
    layer = layer_with(np.zeros((3, 3, 2, 3)), bias, "mixed_bfloat16")
    output = layer(np.ones((1, 2, 2, 8), np.float32))
    np.testing.assert_array_equal(output, np.broadcast_to(bias, (1, 4, 4, 3)))
    symbolic = layer(keras.Input((None, None, 8)))
    assert (symbolic.dtype, symbolic.shape) == ("float32", (None, None, None, 3))
    assert {variable.dtype for variable in layer.variables} == {"float32"}


def test_shapes():
    layer = SubpixelConv2D(3, 9)
    assert layer.compute_output_shape((2, 5, None, 16)) == (2, 10, None, 3)
    assert PixelShuffle().compute_output_shape((2, 5, None, 16)) == (2, 10, None, 4)
    assert layer(keras.Input((5, None, 16))).shape == (None, 10, None, 3)


def test_config_round_trip():
    layer = SubpixelConv2D(
        3, 9, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3), name="output"
    )
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(copy, SubpixelConv2D)
    assert copy.get_config() == layer.get_config()
    assert (copy.filters, copy.kernel_size, copy.name) == (3, 9, "output")
    assert copy.kernel_initializer.stddev == 1e-3


def test_saved_model_file_gives_the_same_image(tmp_path):
    features = keras.Input((None, None, 4))
    up = upsample(features, 4, name="up1")
    unshuffled = upsample(up, 2, name="up2", shuffle=False)
    model = keras.Model(features, SubpixelConv2D(3, 5, name="output")(unshuffled))
    random_weights(model)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(7).normal(size=(1, 3, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))


@pytest.mark.parametrize("k", [2, 4, 8])
def test_even_kernel_is_an_error(k):
    with pytest.raises(ValueError, match=f"kernel_size must be odd, got {k}"):
        SubpixelConv2D(3, k)


def test_channels_that_are_not_four_phases_are_an_error():
    with pytest.raises(ValueError, match="6 channels are not the 4 phases of a shuffle"):
        SubpixelConv2D(3, 3).build((None, None, None, 6))
