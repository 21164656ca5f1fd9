from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.layers.discriminator import build_discriminator
from srgan.losses.gradient_penalty import lazy_r1, r1_penalty

IMAGES = np.random.default_rng(1).uniform(-1, 1, (3, 4, 5, 2)).astype(np.float32)


class Quadratic(keras.layers.Layer):
    """D(x) = Σ a·x², in as many equal logits as are asked for."""

    def __init__(self, places: int = 1):
        super().__init__()
        self.places = places
        self.a = self.add_weight(shape=IMAGES.shape[1:], initializer="random_normal")

    def call(self, inputs, training=False):
        assert not training
        logit = keras.ops.sum(self.a * inputs**2, axis=(1, 2, 3))
        return keras.ops.tile(logit[:, None, None, None], (1, self.places, 1, 1))


@pytest.mark.parametrize("places", [1, 6])
def test_by_hand(places):
    """∇ = 2·a·x, so R1 is the mean of Σ 4·a²·x², whose derivative is the mean of 8·a·x²."""
    network: Any = Quadratic(places)
    with tf.GradientTape() as tape:
        value = r1_penalty(network, IMAGES)
    a = np.asarray(network.a)
    expected = (4 * a**2 * IMAGES**2).sum((1, 2, 3)).mean()
    assert float(value) == pytest.approx(expected, rel=1e-5)
    found = tape.gradient(value, network.a.value)
    np.testing.assert_allclose(found, (8 * a * IMAGES**2).mean(0), rtol=1e-5)


@pytest.mark.parametrize("every", [1, 3])
def test_due_in_one_of_some_updates(every):
    network: Any = Quadratic()
    whole = float(r1_penalty(network, IMAGES))

    @tf.function
    def step(update):
        with tf.GradientTape() as tape:
            value = lazy_r1(network, tf.constant(IMAGES), update, every)
        return value, tape.gradient(value, network.a.value)

    for update in range(7):
        value, gradient = step(tf.constant(update, tf.int64))
        due = update % every == 0
        assert float(value) == (pytest.approx(whole, rel=1e-6) if due else 0.0)
        assert np.any(np.array(gradient)) == due


def test_what_is_not_due_is_not_computed():
    calls = []

    def network(x, training):
        calls.append(training)
        return keras.ops.sum(x**2, axis=(1, 2, 3), keepdims=True)

    stand_in: Any = network
    for update in range(1, 16):
        assert float(lazy_r1(stand_in, IMAGES, update, 16)) == 0.0
    assert not calls
    lazy_r1(stand_in, IMAGES, 16, 16)
    assert calls == [False]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_of_a_discriminator_by_differences(dtype):
    """The derivative along a direction of the weights, from R1 at two points of it."""
    keras.utils.set_random_seed(2)
    network = build_discriminator(
        16, batch_norm=False, spectral_norm=True, base_filters=4, dense_units=8, dtype=dtype
    )
    images = np.random.default_rng(3).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    before = [np.array(v) for v in network.non_trainable_variables]
    with tf.GradientTape() as tape:
        value = r1_penalty(network, images)
    kernel = network.get_layer("dense").kernel
    gradient = np.array(tape.gradient(value, kernel.value))
    for old, variable in zip(before, network.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(variable, old)
    assert value.dtype == tf.float32 and float(value) > 0
    if dtype == "float32":
        start, size = np.array(kernel), 1e-2 / np.linalg.norm(gradient)
        found = []
        for sign in (1, -1):
            kernel.assign(start + sign * size * gradient)
            found.append(float(r1_penalty(network, images)))
        slope = (found[0] - found[1]) / (2 * size)
        assert slope == pytest.approx((gradient**2).sum(), rel=1e-2)
