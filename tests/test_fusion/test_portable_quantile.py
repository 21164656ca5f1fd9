import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion.portable_quantile import quantile

XI = st.floats(0, 1, width=32, allow_subnormal=False)
graph_quantile = tf.function(
    quantile,
    input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32)],
)


def f32(values) -> np.ndarray:
    return np.asarray(values, np.float32)


def numpy_quantile(values, xi):
    """numpy in float64, with Q(0) := 0."""
    return np.array(
        [
            np.quantile(row.astype(np.float64), float(q), method="linear") if q > 0 else 0.0
            for row, q in zip(values, f32(xi), strict=True)
        ]
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


SAMPLES = {
    "ties": lambda rng: rng.integers(0, 4, (3, 1001)),
    "two values": lambda rng: rng.integers(0, 2, (3, 50)) * 255,
    "all zeros": lambda rng: np.zeros((3, 75)),
    "all equal": lambda rng: np.full((3, 75), 3.7),
    "one value": lambda rng: rng.uniform(0, 9, (3, 1)),
    "two ranks": lambda rng: rng.uniform(0, 9, (3, 2)),
    "close together": lambda rng: 100 + rng.integers(0, 9, (3, 999)) * 2.0**-17,
    "huge range": lambda rng: 10.0 ** rng.uniform(-37, 38, (3, 999)),
    "subnormal": lambda rng: 10.0 ** rng.uniform(-45, -37, (3, 999)),
    "photo": lambda rng: np.abs(rng.laplace(0, 6, (3, 128 * 96 * 3))),
}


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
