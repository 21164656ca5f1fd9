import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion.soft_threshold import (
    as_printed,
    luma_change,
    soft_threshold,
    soft_threshold_together,
)

# Eager TensorFlow flushes subnormal numbers to zero; grey levels have no use for them.
GREY = st.floats(0, 255, width=32, allow_subnormal=False)
IMAGE = npst.arrays(np.float32, (1, 2, 3, 3), elements=GREY)
LIMIT = st.floats(0, 300, width=32, allow_subnormal=False)


def limit_tensor(value):
    return tf.constant(np.float32(value).reshape(1, 1, 1, 1))


def equation_9_10(vivid, delta, threshold):
    """The paper's formula, literally, in float64."""
    soft = np.sign(delta) * np.maximum(np.abs(delta) - threshold, 0)
    return vivid + soft


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    faithful = rng.uniform(0, 255, (2, 9, 8, 3)).astype(np.float32)
    vivid = np.clip(faithful + rng.laplace(0, 9, faithful.shape), 0, 255).astype(np.float32)
    return faithful, vivid


@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 1, 1, 3)])
def test_is_equation_9_10_with_the_sign_as_read(pair, shape):
    faithful, vivid = pair
    limit = np.random.default_rng(1).uniform(0.1, 20, shape).astype(np.float32)
    found = soft_threshold(faithful, vivid, tf.constant(limit)).numpy()
    f, v = faithful.astype(np.float64), vivid.astype(np.float64)
    np.testing.assert_allclose(found, equation_9_10(v, f - v, limit), atol=5e-5, rtol=0)


def test_is_equation_9_10_with_the_sign_as_printed(pair):
    faithful, vivid = pair
    limit = np.array([3, 11], np.float32).reshape(2, 1, 1, 1)
    read = soft_threshold(faithful, vivid, tf.constant(limit))
    found = as_printed(tf.constant(vivid), read).numpy()
    f, v = faithful.astype(np.float64), vivid.astype(np.float64)
    np.testing.assert_allclose(found, equation_9_10(v, v - f, limit), atol=1e-4, rtol=0)


def test_together_is_equation_9_10_for_the_measure(pair):
    faithful, vivid = pair
    limit = np.array([3, 7], np.float32).reshape(2, 1, 1, 1)
    measure = luma_change(tf.constant(faithful), tf.constant(vivid))
    found = soft_threshold_together(faithful, vivid, tf.constant(limit), measure).numpy()
    delta = faithful.astype(np.float64) - vivid
    kept = (
        np.maximum(measure.numpy() - limit, 0) / measure.numpy()
    )  # soft(m) / m, the same for three channels
    np.testing.assert_allclose(found, vivid + delta * kept, atol=5e-5, rtol=0)


def test_together_keeps_the_hue(pair):
    faithful, vivid = pair
    limit = limit_tensor(4)
    measure = luma_change(tf.constant(faithful), tf.constant(vivid))
    found = soft_threshold_together(faithful, vivid, limit, measure).numpy()
    assert 0.1 < np.mean(measure.numpy() > 4) < 0.9
    # Parallel vectors have no cross product.
    cross = np.cross((found - faithful).astype(float), (vivid - faithful).astype(float))
    assert np.abs(cross).max() < 0.01
    separate = soft_threshold(faithful, vivid, limit).numpy()
    assert np.abs(np.cross(separate - faithful, vivid - faithful)).max() > 10


def test_luma_change_by_hand():
    faithful = tf.constant([[[[10.0, 20.0, 30.0], [0.0, 0.0, 0.0], [50.0, 50.0, 50.0]]]])
    vivid = tf.constant([[[[20.0, 20.0, 30.0], [100.0, -100.0, 0.0], [42.0, 42.0, 42.0]]]])
    found = luma_change(faithful, vivid).numpy()
    np.testing.assert_allclose(found.ravel(), [2.99, 28.8, 8.0], rtol=1e-6)
    assert found.shape == (1, 1, 3, 1)


def test_together_with_threshold_zero_ignores_a_change_of_colour_alone():
    faithful, vivid = tf.fill([1, 1, 1, 3], 10.0), tf.constant([[[[40.0, 0.0, 9.0]]]])
    zero = tf.zeros([1, 1, 1, 1])
    assert np.all(soft_threshold_together(faithful, vivid, zero, zero) == faithful)


@settings(deadline=None)
@given(IMAGE, IMAGE)
def test_both_ends_are_exact(faithful, vivid):
    np.testing.assert_array_equal(soft_threshold(faithful, vivid, limit_tensor(0)), faithful)
    largest = np.abs(vivid - faithful).max()
    np.testing.assert_array_equal(soft_threshold(faithful, vivid, limit_tensor(largest)), vivid)


@settings(deadline=None)
@given(IMAGE, IMAGE)
def test_both_ends_are_exact_together(faithful, vivid):
    measure = luma_change(tf.constant(faithful), tf.constant(vivid))
    none = soft_threshold_together(faithful, vivid, limit_tensor(0), measure)
    np.testing.assert_array_equal(none, faithful)
    # A luma change of exactly 0 over the whole image leaves no threshold above 0 to reach.
    largest = max(float(tf.reduce_max(measure)), 1e-6)
    whole = soft_threshold_together(faithful, vivid, limit_tensor(largest), measure)
    np.testing.assert_array_equal(whole, vivid)


@settings(deadline=None)
@given(IMAGE, IMAGE, st.lists(LIMIT, min_size=2, max_size=6), st.booleans())
def test_distance_from_the_faithful_image_never_decreases(faithful, vivid, limits, together):
    measure = luma_change(tf.constant(faithful), tf.constant(vivid))
    before = np.zeros(faithful.shape)
    for limit in sorted(limits):
        tensor = limit_tensor(limit)
        if together:
            merged = soft_threshold_together(faithful, vivid, tensor, measure).numpy()
        else:
            merged = soft_threshold(faithful, vivid, tensor).numpy()
        distance = np.abs(merged.astype(np.float64) - faithful)
        assert np.all(distance >= before)
        assert np.all(np.minimum(faithful, vivid) <= merged)
        assert np.all(merged <= np.maximum(faithful, vivid))
        before = distance
