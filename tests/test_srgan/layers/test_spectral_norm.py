from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.layers.discriminator import build_discriminator
from srgan.layers.spectral_norm import SpectralConv2D, SpectralDense
from srgan.layers.unet_discriminator import build_unet_discriminator
from srgan.runs.weights import load_weights, save_weights

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.uniform(-1, 1, (2, 6, 6, 3)).astype(np.float32)


def conv(**options) -> Any:
    keras.utils.set_random_seed(0)
    layer = SpectralConv2D(5, 3, strides=2, padding="same", bias_initializer="ones", **options)
    layer.build(IMAGES.shape)
    return layer


def dense() -> Any:
    keras.utils.set_random_seed(0)
    layer = SpectralDense(4, bias_initializer="ones")
    layer.build((None, 7))
    return layer


def largest(kernel) -> float:
    matrix = np.array(kernel, np.float64)
    return np.linalg.svd(matrix.reshape(-1, matrix.shape[-1]), compute_uv=False)[0]


@pytest.mark.parametrize("make", [conv, dense])
def test_the_largest_singular_value_becomes_1(make):
    layer = make()
    kernel = np.asarray(layer.kernel)
    for _ in range(100):
        layer.normalized_kernel(training=True)
    found = np.array(layer.normalized_kernel())
    np.testing.assert_allclose(found, kernel / largest(kernel), rtol=1e-4)
    np.testing.assert_array_equal(layer.kernel, kernel)


def test_one_iteration_by_hand():
    layer = dense()
    kernel, u = np.asarray(layer.kernel, np.float64), np.asarray(layer.u, np.float64)
    u /= np.linalg.norm(u)
    v = kernel @ u
    v /= np.linalg.norm(v)
    np.testing.assert_allclose(layer.normalized_kernel(), kernel / (v @ kernel @ u), rtol=1e-5)
    new = v @ kernel
    new /= np.linalg.norm(new)
    found = layer.normalized_kernel(training=True)
    np.testing.assert_allclose(found, kernel / (v @ kernel @ new), rtol=1e-5)
    np.testing.assert_allclose(layer.u, new, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_goes_through_the_division(training):
    """d/dW of Σ G·W/σ is G/σ - (Σ G·W)/σ²·v·uᵀ."""
    layer = dense()
    weight = RANDOM.normal(size=(7, 4))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer.normalized_kernel(training) * weight.astype(np.float32))
    found = tape.gradient(value, layer.kernel.value)
    twin = dense()
    kernel, u = np.asarray(twin.kernel, np.float64), np.asarray(twin.u, np.float64)
    v = kernel @ u / np.linalg.norm(kernel @ u)
    u = v @ kernel / np.linalg.norm(v @ kernel) if training else u / np.linalg.norm(u)
    sigma = v @ kernel @ u
    expected = weight / sigma - (weight * kernel).sum() / sigma**2 * np.outer(v, u)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_only_training_moves_u():
    layer = conv()
    before = np.asarray(layer.u)
    layer(IMAGES)
    layer(IMAGES, training=False)
    np.testing.assert_array_equal(layer.u, before)
    layer(IMAGES, training=True)
    assert np.abs(np.asarray(layer.u) - before).max() > 1e-3


def test_the_result_is_the_layers_with_the_divided_kernel():
    for layer, plain, x in (
        (conv(), keras.layers.Conv2D(5, 3, strides=2, padding="same"), IMAGES),
        (dense(), keras.layers.Dense(4), RANDOM.normal(size=(3, 7)).astype(np.float32)),
    ):
        plain.build(x.shape)
        plain.set_weights([layer.normalized_kernel(), layer.bias])
        np.testing.assert_allclose(layer(x), plain(x), rtol=1e-5, atol=1e-6)


def test_in_bfloat16_the_norm_is_computed_in_float32():
    layer, exact = conv(dtype="mixed_bfloat16"), conv()
    assert layer(IMAGES, training=True).dtype == tf.bfloat16
    assert {v.dtype for v in layer.variables} == {"float32"}
    exact(IMAGES, training=True)
    np.testing.assert_allclose(layer.u, exact.u, atol=1e-2)
    assert np.linalg.norm(layer.u) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("unet", [False, True])
def test_a_discriminators_file_holds_it_all(unet, tmp_path):
    def build(seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        if unet:
            return build_unet_discriminator(16, spectral_norm=True, base_filters=2)
        return build_discriminator(
            16, batch_norm=False, spectral_norm=True, base_filters=2, dense_units=4
        )

    images = RANDOM.uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    one, other = build(1), build(2)
    one(images, training=True)
    assert len(one.non_trainable_variables) == (8 if unet else 10)
    save_weights(one, tmp_path / "discriminator.weights.h5")
    load_weights(other, tmp_path / "discriminator.weights.h5")
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one(images), other(images))
