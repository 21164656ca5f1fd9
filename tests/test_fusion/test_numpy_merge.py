import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion import numpy_merge, parts
from fusion.fuse import fuse
from fusion.quantile import quantile

GREY = st.floats(0, 255, width=32, allow_subnormal=False)
IMAGE = npst.arrays(np.float32, (3, 4, 3), elements=GREY)
XI = st.one_of(st.sampled_from([0.0, 0.73, 1.0]), st.floats(0, 1, width=32, allow_subnormal=False))
THRESHOLD = st.sampled_from(["joint", "per_channel", "luma"])
MODES = [(t, d) for t in ("joint", "per_channel", "luma") for d in ("as_read", "as_printed")]


def tensors(*arrays: np.ndarray) -> Any:
    return [tf.constant(array[None]) for array in arrays]


def reconstructions(height: int = 21, width: int = 34) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    faithful = rng.uniform(0, 255, (height, width, 3)).astype(np.float32)
    vivid = np.clip(faithful + rng.laplace(0, 6, faithful.shape), 0, 255).astype(np.float32)
    return faithful, vivid


def assert_same_levels(found: np.ndarray, fused: Any, at_most: int = 0) -> None:
    """Equal but where the unrounded value lies on a half."""
    assert found.dtype == np.uint8
    differs = found != fused.sr[0].numpy()
    fraction = fused.unrounded[0].numpy()[differs] % 1
    np.testing.assert_allclose(fraction, 0.5, atol=1e-4)
    assert np.count_nonzero(differs) <= at_most or differs.size < 100


@settings(deadline=None)
@given(IMAGE, IMAGE, XI, THRESHOLD, st.sampled_from(["as_read", "as_printed"]))
def test_equals_the_graph_by_xi(faithful, vivid, xi, threshold, delta):
    modes: dict[str, Any] = {"threshold": threshold, "delta": delta}
    expected = fuse(*tensors(faithful, vivid), xi=xi, **modes)
    assert_same_levels(numpy_merge.fuse(faithful, vivid, xi, **modes), expected)


@settings(deadline=None)
@given(IMAGE, IMAGE, st.floats(0, 300, width=32, allow_subnormal=False), THRESHOLD)
def test_equals_the_graph_by_max_deviation(faithful, vivid, bound, threshold):
    expected = fuse(*tensors(faithful, vivid), xi=0.5, max_deviation=bound, threshold=threshold)
    found = numpy_merge.fuse(faithful, vivid, 0.5, bound, threshold=threshold)
    assert_same_levels(found, expected)
    departure = found - np.floor(faithful.astype(np.float64) + 0.5)
    assert np.abs(departure).max() <= bound


@pytest.mark.parametrize(("threshold", "delta"), MODES)
@pytest.mark.parametrize("xi", [0.0, 0.2, 0.73, 1.0])
def test_equals_the_graph_for_a_photo(threshold, delta, xi):
    faithful, vivid = reconstructions()
    modes: dict[str, Any] = {"threshold": threshold, "delta": delta}
    expected = fuse(*tensors(faithful, vivid), xi=xi, **modes)
    assert_same_levels(numpy_merge.fuse(faithful, vivid, xi, **modes), expected, at_most=1)


@settings(deadline=None)
@given(
    npst.arrays(
        np.float32,
        st.integers(1, 60),
        elements=st.floats(0, width=32, allow_infinity=False, allow_subnormal=False),
    ),
    XI,
)
def test_quantile_equals_the_graph(values, xi):
    expected = quantile(tf.constant(values[None]), tf.constant([xi], tf.float32)).numpy()[0]
    found = numpy_merge.quantile(values, xi)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=2.0**-126)


def test_quantile_by_hand():
    values = np.array([3, 1, 2, 5], np.float32)
    found = [numpy_merge.quantile(values, xi) for xi in (-1, 0, 0.5, 0.75, 1, 2, np.nan)]
    assert found == [0, 0, 2.5, 3.5, 5, 5, 0]
    assert values.tolist() == [3, 1, 2, 5]


@settings(deadline=None)
@given(IMAGE, IMAGE, THRESHOLD)
def test_deviations_equal_the_graph(faithful, vivid, threshold):
    expected = parts.deviations(*tensors(faithful, vivid), threshold=threshold)[0].numpy()
    found = numpy_merge.deviations(faithful, vivid, threshold)
    assert found.dtype == np.float32 and found.shape == expected.shape
    # The graph may add the three terms of a luma in another order.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4 if threshold == "luma" else 0)


@pytest.mark.parametrize(("threshold", "delta"), MODES)
def test_merge_at_equals_the_graph(threshold, delta):
    faithful, vivid = reconstructions()
    limits = np.array([3.0, 9.5, 0.0][: 3 if threshold == "per_channel" else 1], np.float32)
    expected = parts.merge_at(*tensors(faithful, vivid, limits), threshold=threshold, delta=delta)[
        0
    ].numpy()
    found = numpy_merge.merge_at(faithful, vivid, limits, threshold, delta)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.count_nonzero(found != expected) <= 1


@settings(deadline=None, max_examples=50)
@given(IMAGE, IMAGE, XI, st.sampled_from([-1.0, 0.0, 0.3, 7.0]), st.sampled_from(MODES))
def test_unrounded_equals_the_graph_and_keeps_the_bound(faithful, vivid, xi, bound, modes):
    threshold, delta = modes
    if delta == "as_printed":
        bound = -1.0
    found = numpy_merge.fuse_unrounded(faithful, vivid, xi, bound, threshold=threshold, delta=delta)
    expected = fuse(
        *tensors(faithful, vivid),
        xi=xi,
        max_deviation=None if bound < 0 else bound,
        threshold=threshold,
        delta=delta,
    )
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 255
    np.testing.assert_allclose(found, expected.unrounded[0].numpy(), rtol=1e-6, atol=1e-4)
    if bound >= 0:
        assert np.abs(found - faithful.astype(float)).max() <= bound + 1.6e-5


@pytest.mark.parametrize(("threshold", "delta"), MODES)
def test_unrounded_pieces_equal_the_graph(threshold, delta):
    faithful, vivid = reconstructions()
    limits = np.array([3.0, 9.5, 0.0][: 3 if threshold == "per_channel" else 1], np.float32)
    graph = parts.merge_at_unrounded(
        *tensors(faithful, vivid, limits), threshold=threshold, delta=delta
    )
    found = numpy_merge.merge_at_unrounded(faithful, vivid, limits, threshold, delta)
    np.testing.assert_allclose(found, graph[0].numpy(), rtol=1e-6, atol=1e-4)


def test_needs_no_tensorflow(subprocess_environment):
    program = "import fusion.numpy_merge, sys; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], env=subprocess_environment, check=True)
