import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion.quantile import quantile

XI = st.floats(0, 1, width=32, allow_subnormal=False)
graph_quantile = tf.function(
    quantile,
    input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32)],
)


def f32(values) -> np.ndarray:
    return np.asarray(values, np.float32)


def numpy_quantile(values, xi):
    """numpy in float64 (in float32 its ranks are off for a large image), with Q(0) := 0."""
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
    # TensorFlow may take a subnormal number for zero.
    tiny = 2.0**-126
    np.testing.assert_allclose(found, numpy_quantile(values, xi), rtol=1e-7, atol=tiny)


def laplace(rng, *shape):
    return np.abs(rng.laplace(0, 6, shape)).astype(np.float32)


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
    "photo": lambda rng: laplace(rng, 3, 128 * 96 * 3),
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
        elements=st.floats(0, width=32, allow_infinity=False, allow_subnormal=False),
    ),
    st.data(),
)
def test_equals_numpy_for_any_values(values, data):
    check(values, data.draw(st.lists(XI, min_size=len(values), max_size=len(values))))


def test_rank_is_exact_for_many_values():
    # One step, between two neighbouring ranks: the result is the fraction of the position, which
    # float32 cannot hold beside the rank.
    count = 1024 * 1024 * 3
    for xi in f32([0.1, 0.73, 0.9999]):
        position = float(xi) * (count - 1)
        values = f32(np.arange(count) > np.floor(position))
        found = graph_quantile(tf.constant(values[None]), tf.constant([xi])).numpy()
        np.testing.assert_allclose(found, position % 1, rtol=1e-6)


def test_ends():
    values = tf.constant([[3.0, 1.0, 2.0], [7.0, 9.0, 8.0]])
    assert quantile(values, tf.constant([0.0, -0.0])).numpy().tolist() == [0, 0]
    assert quantile(values, tf.constant([1.0, 1.0])).numpy().tolist() == [3, 9]
    assert quantile(values, tf.constant([-4.0, 4.0])).numpy().tolist() == [0, 9]
    assert quantile(values, tf.constant([np.nan, np.inf])).numpy().tolist() == [0, 9]


@settings(deadline=None)
@given(
    npst.arrays(np.float32, 17, elements=st.floats(0, 255, width=32, allow_subnormal=False)),
    st.lists(XI, min_size=2, max_size=8),
)
def test_never_decreases_in_xi(values, xis):
    rows = tf.constant(np.tile(values, (len(xis), 1)))
    found = graph_quantile(rows, tf.constant(np.sort(f32(xis)))).numpy()
    assert np.all(np.diff(found) >= 0)
    assert found.max() <= values.max()


def test_rows_do_not_touch_each_other():
    values = laplace(np.random.default_rng(1), 4, 500) * f32([[1], [1e-6], [40], [0]])
    xi = f32([0.2, 0.73, 1, 0.5])
    together = graph_quantile(tf.constant(values), tf.constant(xi)).numpy()
    for row, q, found in zip(values, xi, together, strict=True):
        assert graph_quantile(tf.constant(row[None]), tf.constant([q])).numpy()[0] == found
