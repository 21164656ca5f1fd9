"""The loops of the graph, with generators that are two lines, against their definition."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bigans.serving.graph.enlarging import Enlarging
from bigans.serving.graph.kept_pieces import KeptPieces
from bigans.serving.serving_model import NOT_ROUNDED, ROUNDED
from fusion.fuse import fuse


def generators(images: Any) -> Any:
    """Which look at their own pixel only, so that tiles need no overlap."""
    large = tf.repeat(tf.repeat(tf.cast(images, tf.float32), 4, 1), 4, 2)
    return tf.clip_by_value(large * 0.9 + 0.37, 0, 255), tf.clip_by_value(large * 1.1 - 9, 0, 255)


_HOW: Any = {
    "generators": generators,
    "scale": 4,
    "threshold": "luma",
    "delta": "as_read",
    "tile": 6,
    "overlap": 1,
}


@pytest.fixture(scope="module")
def image() -> Any:
    return np.random.default_rng(0).integers(0, 256, (11, 13, 3), np.uint8)


@pytest.fixture(scope="module")
def enlarged(image) -> Any:
    """A function of the bound: the rounded image, and before that."""
    enlarging = Enlarging(**_HOW, exact_pixels=1000)

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def run(bound: Any) -> Any:
        pixels, xi = tf.constant(image), tf.constant(0.5)
        return [enlarging.enlarge(pixels, xi, bound, one)[0] for one in (ROUNDED, NOT_ROUNDED)]

    return lambda bound: [one.numpy() for one in run(tf.constant(bound))]


@pytest.mark.parametrize("bound", [0.5, 3.7, -1.0])
def test_a_bound_is_in_whole_levels_where_results_are(image, enlarged, bound: float) -> None:
    """As the upscaler's; `unrounded` takes it as it is. In mode "luma" a fraction shows."""
    rounded, exact = enlarged(bound)
    faithful, vivid = generators(image[None])
    fusions = [
        fuse(faithful, vivid, 0.5, one, threshold="luma") for one in (float(np.floor(bound)), bound)
    ]
    assert np.array_equal(rounded, fusions[0].sr.numpy()[0])
    assert np.abs(exact - fusions[1].unrounded.numpy()[0]).max() < 5e-5
    if bound == 3.7:
        assert not np.array_equal(rounded, fusions[1].sr.numpy()[0])


def test_a_large_image_in_16_bits(image, enlarged) -> None:
    """If it is rounded in the end; what is not stays exact."""
    large = Enlarging(**_HOW, exact_pixels=image[..., 0].size - 1)

    def made(outputs: Any) -> Any:
        xi, no_bound = tf.constant(0.5), tf.constant(-1.0)
        return large.enlarge(tf.constant(image), xi, no_bound, outputs)[0].numpy()

    rounded, exact = enlarged(-1.0)
    assert np.abs(made(ROUNDED).astype(int) - rounded).max() <= 1
    assert np.array_equal(made(NOT_ROUNDED), exact)
    before_rounding = made(NOT_ROUNDED._replace(in_whole_levels=True))
    # Of a value, of the generators' distance and of the limit.
    assert 2**-10 < np.abs(before_rounding - exact).max() <= 4 * 2**-9


@pytest.mark.parametrize(("value_bytes", "away"), [(2, 2**-9), (3, 2**-17)])
def test_kept_levels(value_bytes: int, away: float) -> None:
    values = np.random.default_rng(1).uniform(0, 255, 100_000).astype(np.float32)
    values[:4] = 0, 0.5, 254.99998, 255
    pieces = KeptPieces(tf.constant(1), tf.constant(1), tf.constant(value_bytes))
    kept = pieces.kept_levels(tf.constant(values)).numpy()
    difference = np.abs(kept.astype(float) - values)
    assert away / 2 < difference.max() <= away
    if value_bytes == 3:
        assert difference[values >= 128].max() == 0


@pytest.mark.parametrize("value_bytes", [2, 3])
def test_pieces_come_back(value_bytes: int) -> None:
    """Of unlike sizes, in any order."""
    random = np.random.default_rng(2)
    pieces = KeptPieces(tf.constant(90), tf.constant(70), tf.constant(value_bytes))
    sizes = [(90, 70), (1, 1), (37, 70), (90, 3)]
    levels = [random.uniform(0, 255, (2, *size, 3)).astype(np.float32) for size in sizes]
    pairs = [pieces.kept_levels(tf.constant(one)) for one in levels]
    room = pieces.room(tf.constant(len(pairs)))
    for index in (2, 0, 3, 1):
        room = pieces.put(room, tf.constant(index), *tf.unstack(pairs[index]))
    for index, size in enumerate(sizes):
        found = pieces.get(room, tf.constant(index), *map(tf.constant, size))
        assert np.array_equal(found, pairs[index])
    sizes_left = [tf.size(pieces.give_up(room, tf.constant(now))) for now in (True, False)]
    assert sizes_left[0] == 0 < sizes_left[1]
