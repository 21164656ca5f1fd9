import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fusion.fuse import fuse
from fusion.modes import DELTAS, THRESHOLDS
from sr_images.rounding import grey_levels
from sr_program.errors import UsageError

# No differences so small that TensorFlow, which flushes subnormal numbers, takes them for zero.
GREY = st.one_of(st.just(0.0), st.floats(2**-20, 255, width=32))
MODE = st.sampled_from(THRESHOLDS)
XI = st.floats(0, 1, width=32, allow_subnormal=False)


def beside_halves() -> np.ndarray:
    """Grey levels where rounding is decided: k/2, and up to three float32 steps beside it."""
    halves = np.arange(511, dtype=np.float32) / 2
    above, below, values = halves, halves, [halves]
    for _ in range(3):
        above = np.nextafter(above, np.float32(np.inf))
        below = np.nextafter(below, np.float32(-np.inf))
        values += [above, below]
    near = np.unique(values)
    return near[((near > 2**-20) & (near <= 255)) | (near == 0)]


NEAR = st.sampled_from(beside_halves().tolist())
BOUND = st.one_of(
    st.integers(0, 255).map(float),
    GREY,
    NEAR,
    st.sampled_from([1e-30, 0.999999, 300.5, 1e30, np.inf]),
)


def image_of(elements, batch=1):
    return npst.arrays(np.float32, (batch, 1, 3, 3), elements=elements, fill=st.nothing())


IMAGE = image_of(st.one_of(GREY, NEAR))


@functools.cache
def graph_of(bounded: bool, **modes: Any) -> Any:
    """`fuse` as one graph for all sizes: much faster than eager calls."""
    image = tf.TensorSpec([None, None, None, 3], tf.float32)
    numbers = [tf.TensorSpec([None], tf.float32)] * (2 if bounded else 1)

    @tf.function(input_signature=[image, image, *numbers])
    def graph(faithful, vivid, *how_far):
        return fuse(faithful, vivid, *how_far, **modes)

    return graph


def run_fuse(
    faithful, vivid, xi: Any = 0.73, max_deviation: Any = None, **modes: Any
) -> tuple[np.ndarray, np.ndarray]:
    how_far = [xi] if max_deviation is None else [xi, max_deviation]
    vectors = [tf.constant(np.atleast_1d(value), tf.float32) for value in how_far]
    images = [tf.constant(image, tf.float32) for image in (faithful, vivid)]
    fused = graph_of(max_deviation is not None, **modes)(*images, *vectors)
    return fused.sr.numpy(), fused.unrounded.numpy()


def as_uint8(grey) -> np.ndarray:
    return np.asarray(grey_levels(np.asarray(grey), np)).astype(np.uint8)


def departure(sr, faithful) -> np.ndarray:
    return np.abs(sr.astype(int) - as_uint8(faithful))


def row_image(*pixels) -> np.ndarray:
    return np.array(pixels, np.float32)[None, None]


@settings(deadline=None)
@given(IMAGE, IMAGE, MODE)
def test_xi_0_is_the_faithful_and_xi_1_the_vivid_image(faithful, vivid, mode):
    sr, unrounded = run_fuse(faithful, vivid, 0.0, threshold=mode)
    np.testing.assert_array_equal(unrounded, faithful)
    np.testing.assert_array_equal(sr, as_uint8(faithful))
    sr, unrounded = run_fuse(faithful, vivid, 1.0, threshold=mode)
    np.testing.assert_array_equal(unrounded, vivid)
    np.testing.assert_array_equal(sr, as_uint8(vivid))


@settings(deadline=None, max_examples=200)
@given(IMAGE, IMAGE, BOUND, MODE)
def test_no_value_departs_by_more_than_max_deviation(faithful, vivid, bound, mode):
    sr, unrounded = run_fuse(faithful, vivid, 0.5, bound, threshold=mode)
    assert departure(sr, faithful).max() <= np.float32(bound)
    assert np.all(np.abs(unrounded - faithful.astype(float)) <= bound + 1.6e-5)
    if bound >= 255:
        np.testing.assert_array_equal(sr, as_uint8(vivid))


@pytest.mark.parametrize("mode", THRESHOLDS)
def test_the_bound_holds_wherever_rounding_is_decided(mode):
    near, rng = beside_halves(), np.random.default_rng(0)
    faithful = np.resize(near, (1, 40, len(near) // 3, 3)).astype(np.float32)
    vivid = rng.permutation(faithful.ravel()).reshape(faithful.shape)
    bounds = np.concatenate([near[near < 12], [0.1, 0.3, 0.7, 1.3, 7.9, 100.2, 254.7]])
    for bound in bounds.astype(np.float32):
        sr, _ = run_fuse(faithful, vivid, 0.5, bound, threshold=mode)
        largest = departure(sr, faithful).max()
        assert largest <= bound
        assert largest == np.floor(bound)  # and it is used in full


@settings(deadline=None, max_examples=50)
@given(IMAGE, IMAGE, st.lists(XI, min_size=2, max_size=5), MODE)
def test_departure_never_decreases_in_xi(faithful, vivid, xis, mode):
    before = before_rounded = np.zeros(faithful.shape)
    for xi in sorted(xis):
        sr, unrounded = run_fuse(faithful, vivid, xi, threshold=mode)
        exact, rounded = np.abs(unrounded.astype(float) - faithful), departure(sr, faithful)
        assert np.all(exact >= before)
        assert np.all(rounded >= before_rounded)
        before, before_rounded = exact, rounded


@settings(deadline=None, max_examples=50)
@given(IMAGE, IMAGE, st.lists(BOUND, min_size=2, max_size=5), MODE)
def test_departure_never_decreases_in_max_deviation(faithful, vivid, bounds, mode):
    before = np.zeros(faithful.shape)
    for bound in sorted(bounds):
        sr, _ = run_fuse(faithful, vivid, 0.5, bound, threshold=mode)
        assert np.all(departure(sr, faithful) >= before)
        before = departure(sr, faithful)


@settings(deadline=None, max_examples=50)
@given(
    image_of(GREY, batch=3),
    image_of(GREY, batch=3),
    st.tuples(XI, XI, XI),
    st.tuples(*[st.one_of(st.just(-1.0), GREY)] * 3),
    MODE,
)
def test_an_image_does_not_depend_on_the_others(faithful, vivid, xis, bounds, mode):
    sr, unrounded = run_fuse(faithful, vivid, xis, bounds, threshold=mode)
    for i in range(3):
        one = slice(i, i + 1)
        alone = run_fuse(faithful[one], vivid[one], xis[i], bounds[i], threshold=mode)
        np.testing.assert_array_equal(sr[one], alone[0])
        np.testing.assert_array_equal(unrounded[one], alone[1])


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    faithful = rng.uniform(0, 255, (2, 16, 13, 3)).astype(np.float32)
    vivid = np.clip(faithful + rng.laplace(0, 9, faithful.shape), 0, 255).astype(np.float32)
    return faithful, vivid


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("xi", [0.0, 0.25, 0.73, 1.0])
def test_joint_is_the_papers_formula(pair, delta, xi):
    faithful, vivid = (image.astype(np.float64) for image in pair)
    difference = faithful - vivid if delta == "as_read" else vivid - faithful
    limits = [np.quantile(np.abs(image), float(np.float32(xi))) for image in difference]
    limit = np.reshape(limits, (2, 1, 1, 1)) if xi > 0 else 0.0
    expected = vivid + np.sign(difference) * np.maximum(np.abs(difference) - limit, 0)
    sr, unrounded = run_fuse(pair[0], pair[1], xi, delta=delta)
    np.testing.assert_allclose(unrounded, np.clip(expected, 0, 255), atol=1e-4)
    np.testing.assert_array_equal(sr, as_uint8(unrounded))


def test_max_deviation_is_the_threshold_in_grey_levels(pair):
    faithful, vivid = pair
    expected = faithful + np.clip(vivid - faithful, -6.25, 6.25)
    for threshold in ("joint", "per_channel"):
        _, unrounded = run_fuse(faithful, vivid, 0.1, 6.25, threshold=threshold)
        np.testing.assert_allclose(unrounded, expected, atol=3e-5)


def test_max_deviation_below_0_or_nan_means_xi(pair):
    faithful, vivid = pair
    expected, _ = run_fuse(faithful, vivid, 0.4)
    for bound in (-1.0, -0.5, np.nan):
        np.testing.assert_array_equal(run_fuse(faithful, vivid, 0.4, bound)[0], expected)


def test_per_channel_by_hand():
    faithful = row_image(*[[100, 100, 100]] * 5)
    change = [[0, 0, 0], [1, 10, 0], [2, -20, 0], [3, 30, 0], [-4, 40, 0]]
    # The medians of |Δ| are 2, 20 and 0; over all channels it is 1.
    expected = [[0, 0, 0], [1, 10, 0], [2, -20, 0], [2, 20, 0], [-2, 20, 0]]
    sr, _ = run_fuse(faithful, faithful + change, 0.5, threshold="per_channel")
    np.testing.assert_array_equal(sr[0, 0].astype(int) - 100, expected)
    expected = [[0, 0, 0], [1, 1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]
    sr, _ = run_fuse(faithful, faithful + change, 0.5, threshold="joint")
    np.testing.assert_array_equal(sr[0, 0].astype(int) - 100, expected)


def test_luma_by_hand():
    faithful = row_image([100, 100, 100], [100, 100, 100], [100, 150, 200])
    vivid = row_image([104, 104, 104], [92, 92, 92], [100, 200, 150])
    # Lumas of Δ: 4, 8, 50 · 0.587 - 50 · 0.114 = 23.65; their median 8.
    _, unrounded = run_fuse(faithful, vivid, 0.5, threshold="luma")
    step = 50 * 8 / 23.65
    expected = row_image([104, 104, 104], [92, 92, 92], [100, 150 + step, 200 - step])
    np.testing.assert_allclose(unrounded, expected, rtol=1e-6)
    # Absolute: the largest change of a channel counts, 50 of the last pixel.
    sr, _ = run_fuse(faithful, vivid, max_deviation=5.0, threshold="luma")
    np.testing.assert_array_equal(sr[0, 0], [[104] * 3, [95] * 3, [100, 155, 195]])


def test_luma_keeps_both_ends_where_only_colours_differ():
    faithful, vivid = row_image([0, 0.299, 0]), row_image([0.587, 0, 0])
    np.testing.assert_array_equal(run_fuse(faithful, vivid, 0.0, threshold="luma")[1], faithful)
    np.testing.assert_array_equal(run_fuse(faithful, vivid, 1.0, threshold="luma")[1], vivid)


def test_as_printed_moves_away_from_the_faithful_image(pair):
    faithful, vivid = pair
    _, unrounded = run_fuse(faithful, vivid, 0.5, delta="as_printed")
    assert np.all(np.abs(unrounded - faithful) >= np.abs(vivid - faithful))
    with pytest.raises(UsageError, match="max_deviation"):
        fuse(tf.constant(faithful), tf.constant(vivid), 0.5, 3.0, delta="as_printed")


@pytest.mark.parametrize("xi", [[0.1, 0.2, 0.3], []])
def test_a_wrong_number_of_xis_is_an_error(pair, xi):
    faithful, vivid = pair
    with pytest.raises(tf.errors.InvalidArgumentError):
        run_fuse(faithful, vivid, xi)
