import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate

from sr_program.errors import UsageError
from srgan.layers.discriminator import build_discriminator

# Weights of the 3x3 convolutions 2 to 8: 64·64, 64·128, 128·128, ..., 512·512, times 9.
CONVOLUTIONS_2_TO_8 = 36864 + 73728 + 147456 + 294912 + 589824 + 1179648 + 2359296
CONVOLUTION_1 = 9 * 3 * 64 + 64
CHANNELS_2_TO_8 = 64 + 128 + 128 + 256 + 256 + 512 + 512
LOGIT = 1024 + 1


def small(**options) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_discriminator(**{"crop_size": 16, "base_filters": 4, "dense_units": 8, **options})


def images(count: int, size: int = 16) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("crop_size", "batch_norm", "expected"),
    [
        # 96 / 16 = 6: the dense layer sees 6·6·512 = 18432 values; 48 / 16 = 3 gives 4608.
        (
            96,
            True,
            CONVOLUTION_1 + CONVOLUTIONS_2_TO_8 + 4 * CHANNELS_2_TO_8 + 18432 * 1024 + 1024 + LOGIT,
        ),
        (
            96,
            False,
            CONVOLUTION_1 + CONVOLUTIONS_2_TO_8 + CHANNELS_2_TO_8 + 18432 * 1024 + 1024 + LOGIT,
        ),
        (
            48,
            True,
            CONVOLUTION_1 + CONVOLUTIONS_2_TO_8 + 4 * CHANNELS_2_TO_8 + 4608 * 1024 + 1024 + LOGIT,
        ),
    ],
)
def test_parameter_count(crop_size, batch_norm, expected):
    assert build_discriminator(crop_size, batch_norm=batch_norm).count_params() == expected


def test_parameter_count_of_patches():
    weights = CONVOLUTION_1 + CONVOLUTIONS_2_TO_8 + CHANNELS_2_TO_8 + 512 * 1024 + 1024 + LOGIT
    for crop_size in (48, 96):
        model = build_discriminator(crop_size, batch_norm=False, patches=True)
        assert model.count_params() == weights
        assert model.output_shape == (None, crop_size // 16, crop_size // 16, 1)


def test_a_patch_is_judged_by_its_61_pixels():
    model = small(crop_size=128, batch_norm=False, patches=True)
    image = tf.constant(images(1, 128))
    with tf.GradientTape() as tape:
        tape.watch(image)
        logit = model(image)[0, 4, 3, 0]
    seen = np.argwhere(np.abs(np.array(tape.gradient(logit, image))[0]).sum(-1) > 0)
    first, last = seen.min(0), seen.max(0)
    np.testing.assert_array_equal(last - first + 1, [61, 61])
    # One logit further is 16 pixels further.
    np.testing.assert_array_equal(first - first[1], [16, 0])


def test_layers_are_those_of_figure_4():
    model = build_discriminator(16, dense_units=8)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.strides) for layer in convolutions] == [
        (64, (1, 1)),
        (64, (2, 2)),
        (128, (1, 1)),
        (128, (2, 2)),
        (256, (1, 1)),
        (256, (2, 2)),
        (512, (1, 1)),
        (512, (2, 2)),
    ]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    kinds = [type(layer).__name__ for layer in model.layers]
    block = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert kinds == [
        "InputLayer",
        *["Conv2D", "LeakyReLU"],
        *(block * 7),
        *["Flatten", "Dense", "LeakyReLU", "Dense"],
    ]


def test_without_batch_norm_there_is_none():
    kinds = {type(layer).__name__ for layer in small(batch_norm=False).layers}
    assert "BatchNormalization" not in kinds


@pytest.mark.parametrize("crop_size", [100, 0, -16, 8])
def test_crop_size_must_divide_by_16(crop_size):
    with pytest.raises(UsageError, match=rf"multiple of 16, not {crop_size}$"):
        build_discriminator(crop_size)


def test_logits_equal_a_network_written_by_hand():
    model = small(batch_norm=False)
    for layer in model.layers:  # Glorot's zero biases would not be seen
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, np.linspace(-0.1, 0.1, len(bias))])

    batch = images(2)
    x = batch.astype(np.float64)
    for number in range(1, 9):
        kernel, bias = model.get_layer(f"conv{number}").get_weights()
        x = leaky(convolve(x, kernel.astype(np.float64), 2 - number % 2) + bias)
    kernel, bias = model.get_layer("dense").get_weights()
    x = leaky(x.reshape(2, -1) @ kernel + bias)
    kernel, bias = model.get_layer("logits").get_weights()
    expected = x @ kernel + bias

    np.testing.assert_allclose(np.asarray(model(batch)), expected, rtol=1e-4, atol=1e-6)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x)


def convolve(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """3x3, zero padding; with stride 2 and an even size TensorFlow pads after the image only."""
    before = 1 if stride == 1 else 0
    padded = np.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    outputs = [
        [correlate(image, kernel[..., channel], mode="valid")[..., 0] for image in padded]
        for channel in range(kernel.shape[-1])
    ]
    return np.stack(outputs, axis=-1)[:, ::stride, ::stride]


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_logits_are_float32_and_unbounded(dtype, batch_norm):
    model = small(dtype=dtype, batch_norm=batch_norm)
    logits = model(images(3))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert tuple(logits.shape) == (3, 1)
    assert {variable.dtype for variable in model.variables} == {"float32"}
    model.get_layer("logits").bias.assign([7.0])
    assert np.all(np.asarray(model(images(3))) > 1)  # a sigmoid would end below 1


def test_mixed_policy_convolves_in_bfloat16_and_normalises_in_float32():
    model = small(dtype="mixed_bfloat16", base_filters=8)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert {layer.compute_dtype for layer in convolutions} == {"bfloat16"}

    norm = model.get_layer("norm2")
    assert isinstance(norm, keras.layers.BatchNormalization)
    before = keras.Model(model.input, model.get_layer("conv2").output)
    batch = images(16)
    values = np.asarray(keras.ops.cast(before(batch), "float32")).astype(np.float64)
    model(batch, training=True)
    share = 1 - norm.momentum
    # bfloat16 sums over 1024 values would be off by more than 1e-3.
    np.testing.assert_allclose(
        np.asarray(norm.moving_mean) / share, values.mean((0, 1, 2)), rtol=1e-4, atol=1e-6
    )
    variance = (np.asarray(norm.moving_variance) - norm.momentum) / share
    np.testing.assert_allclose(variance, values.var((0, 1, 2)), rtol=1e-3, atol=1e-4)


def test_a_logit_depends_on_the_rest_of_the_batch_only_through_batch_norm():
    batch = images(4)
    other = batch.copy()
    other[1:] = -0.5

    plain = small(batch_norm=False)
    first, second = (np.asarray(plain(each, training=True))[0] for each in (batch, other))
    np.testing.assert_allclose(first, second, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(plain(batch[:1], training=True))[0], first, rtol=1e-5)

    normalised = small(batch_norm=True)
    first, second = (np.asarray(normalised(each, training=True))[0] for each in (batch, other))
    assert abs(first - second) > 1e-3
