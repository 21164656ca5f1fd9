import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bigans.upscaler.tiles.streaming_quantile import StreamingQuantile
from fusion import quantile

FLOATS = st.floats(0, width=32, allow_infinity=False, allow_subnormal=False)
FEW = st.sampled_from([0.0, 1.0, 1.0000001, 2.5, 254.99998, 255.0])


def streamed(values: np.ndarray, xi: float, pieces: int = 3) -> np.float32:
    stream = StreamingQuantile(xi)
    for piece in np.array_split(values, pieces):
        stream.count(piece)
    for piece in np.array_split(values, pieces)[::-1]:
        stream.refine(piece)
    return stream.value()


def in_the_graph(values: np.ndarray, xi: float) -> np.float32:
    return quantile.quantile(tf.constant(values[None]), tf.constant([xi], tf.float32)).numpy()[0]


def arrays(elements) -> st.SearchStrategy:
    return npst.arrays(np.float32, st.integers(1, 60), elements=elements)


@settings(deadline=None)
@given(arrays(FLOATS) | arrays(FEW), st.floats(0, 1, width=32, allow_subnormal=False))
def test_equals_numpy_and_the_graph(values, xi):
    found = streamed(values, xi)
    assert found.dtype == np.float32
    expected = np.quantile(values.astype(np.float64), xi) if xi > 0 else 0.0
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=2.0**-126)
    np.testing.assert_allclose(found, in_the_graph(values, xi), rtol=0, atol=2.0**-126)


@pytest.mark.parametrize("xi", [0.0, 1e-6, 0.25, 0.73, 0.999999, 1.0])
@pytest.mark.parametrize("pieces", [1, 7])
def test_equals_the_graph_for_many_values(xi, pieces):
    values = np.abs(np.random.default_rng(3).laplace(0, 6, 300_001)).astype(np.float32)
    assert streamed(values, xi, pieces) == in_the_graph(values, xi)
    ties = np.round(values)
    assert streamed(ties, xi, pieces) == in_the_graph(ties, xi)


def test_any_shape():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert streamed(values[:, ::-1].transpose(2, 0, 1), 0.5) == 11.5


def test_a_second_reading_of_other_values_is_noticed():
    stream = StreamingQuantile(0.5)
    stream.count(np.ones(3, np.float32))
    with pytest.raises(RuntimeError, match="not of the 3 values"):
        stream.value()
    stream.refine(np.ones(2, np.float32))
    with pytest.raises(RuntimeError, match="not of the 3 values"):
        stream.value()
    with pytest.raises(RuntimeError, match="after refine"):
        stream.count(np.ones(1, np.float32))
