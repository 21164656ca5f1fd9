import keras
import numpy as np
import pytest
from scipy.signal import correlate

from srgan.layers.residual_block import conv, residual_block


def same_convolution(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """[H, W, C] and [k, k, C, D] → [H, W, D], zeros outside, float64."""
    reach = kernel.shape[0] // 2
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))
    return np.concatenate(
        [correlate(padded, kernel[..., d], mode="valid") for d in range(kernel.shape[-1])], axis=-1
    )


def block(channels: int, **options) -> keras.Model:
    inputs = keras.Input((None, None, channels))
    return keras.Model(inputs, residual_block(inputs, name="res", **options))


def randomize(model: keras.Model) -> dict[str, np.ndarray]:
    """Gives every variable random values; returns them in float64 by layer and name."""
    random = np.random.default_rng(3)
    values = {}
    for variable in model.variables:
        value = random.uniform(0.2, 1.0, variable.shape) * random.choice([-1, 1], variable.shape)
        value = np.abs(value) if "variance" in variable.path else value
        variable.assign(value)
        values[variable.path.removeprefix("res_")] = np.asarray(variable, np.float64)
    return values


@pytest.mark.parametrize("batch_norm", [False, True])
def test_equals_conv_prelu_conv_add_by_hand(batch_norm):
    model = block(3, batch_norm=batch_norm)
    value = randomize(model)
    inputs = np.random.default_rng(4).normal(size=(1, 4, 5, 3)).astype(np.float32)

    def normalised(x: np.ndarray, name: str) -> np.ndarray:
        if not batch_norm:
            return x
        x = (x - value[f"{name}/moving_mean"]) / np.sqrt(value[f"{name}/moving_variance"] + 1e-3)
        return x * value[f"{name}/gamma"] + value[f"{name}/beta"]

    image = inputs[0].astype(np.float64)
    x = same_convolution(image, value["conv1/kernel"]) + value["conv1/bias"]
    x = normalised(x, "bn1")
    x = np.where(x > 0, x, value["prelu/slope"] * x)
    x = same_convolution(x, value["conv2/kernel"]) + value["conv2/bias"]
    expected = image + normalised(x, "bn2")
    output = np.asarray(model(inputs))[0]
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_batch_norm_is_off_unless_asked_for():
    kinds = [type(layer).__name__ for layer in block(4).layers]
    assert kinds == ["InputLayer", "Conv2D", "PReLU", "Conv2D", "Add"]
    kinds = [type(layer).__name__ for layer in block(4, batch_norm=True).layers]
    assert kinds.count("BatchNormalization") == 2


def test_convolution_starts_with_xavier_weights():
    keras.utils.set_random_seed(0)
    layer = conv(64, 3, name="conv")
    layer.build((None, None, None, 32))
    # Glorot & Bengio: uniform within sqrt(6 / (fan in + fan out)), fans of 9·32 and 9·64.
    limit = np.sqrt(6 / (9 * 32 + 9 * 64))
    kernel = np.asarray(layer.kernel)
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    np.testing.assert_array_equal(layer.bias, np.zeros(64))


def test_mixed_precision_keeps_float32_weights():
    model = block(4, dtype="mixed_bfloat16")
    output = model(np.ones((1, 2, 2, 4), np.float32))
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert {variable.dtype for variable in model.variables} == {"float32"}
