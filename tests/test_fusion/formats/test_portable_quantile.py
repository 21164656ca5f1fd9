import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion.formats.portable_quantile import quantile
from tests.test_fusion.test_quantile import SAMPLES, XI, f32, numpy_quantile

graph_quantile = tf.function(
    quantile,
    input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32)],
)


def check(values, xi):
    values, xi = f32(values), f32(xi)
    found = graph_quantile(tf.constant(values), tf.constant(xi)).numpy()
    assert found.dtype == np.float32
    expected = numpy_quantile(values, xi)
    # The fraction between two neighbours is inexact by so much, and subnormal numbers count as 0.
    largest_gap = np.diff(np.sort(values, axis=1), axis=1, prepend=0).max(axis=1, initial=0)
    allowed = 1e-6 * expected + 1e-5 * largest_gap + 2.0**-126
    assert np.all(np.abs(found - expected) <= allowed)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("xi", [0, 1e-6, 0.25, 0.5, 0.73, 0.999, 1])
def test_equals_numpy(name, xi):
    check(SAMPLES[name](np.random.default_rng(3)), [xi] * 3)


@settings(deadline=None)
@given(
    npst.arrays(
        np.float32,
        npst.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(0, 2.0**120, width=32, allow_subnormal=False),
    ),
    st.data(),
)
def test_equals_numpy_for_any_values(values, data):
    check(values, data.draw(st.lists(XI, min_size=len(values), max_size=len(values))))


@pytest.mark.parametrize("xi", [0.1, 0.73, 0.9999, 1e-5])
def test_rank_for_more_values_than_float32_counts(xi):
    # One step, between two neighbouring ranks: another rank would give 0 or 1.
    count = 2**25 + 77
    position = float(np.float32(xi)) * (count - 1)
    values = f32(np.arange(count) > np.floor(position))
    found = graph_quantile(tf.constant(values[None]), tf.constant([xi])).numpy()
    np.testing.assert_allclose(found, position % 1, atol=1e-3)


def test_ends():
    values = tf.constant([[3.0, 1.0, 2.0], [7.0, 9.0, 8.0]])
    assert quantile(values, tf.constant([0.0, -0.0])).numpy().tolist() == [0, 0]
    assert quantile(values, tf.constant([1.0, 1.0])).numpy().tolist() == [3, 9]
    assert quantile(values, tf.constant([-4.0, 4.0])).numpy().tolist() == [0, 9]
    assert quantile(values, tf.constant([np.nan, np.inf])).numpy().tolist() == [0, 9]
