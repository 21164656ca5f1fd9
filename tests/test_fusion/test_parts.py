import numpy as np
import pytest
import tensorflow as tf

from fusion.fuse import fuse
from fusion.parts import deviations, merge_at

MODES = [(t, d) for t in ("joint", "per_channel", "luma") for d in ("as_read", "as_printed")]


def reconstructions(height: int = 11, width: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    faithful = rng.uniform(0, 255, (1, height, width, 3)).astype(np.float32)
    vivid = np.clip(faithful + rng.laplace(0, 6, faithful.shape), 0, 255).astype(np.float32)
    return faithful, vivid


@pytest.mark.parametrize(("threshold", "delta"), MODES)
@pytest.mark.parametrize("xi", [0.0, 0.3, 0.73])
def test_pieces_give_what_the_whole_gives(threshold, delta, xi):
    faithful, vivid = reconstructions()
    whole = fuse(tf.constant(faithful), tf.constant(vivid), xi, threshold=threshold, delta=delta)
    pieces = [np.s_[:, :4, :9], np.s_[:, :4, 9:], np.s_[:, 4:]]
    values = np.concatenate(
        [
            deviations(tf.constant(faithful[p]), tf.constant(vivid[p]), threshold).numpy()
            for p in pieces
        ],
        axis=1,
    )
    assert values.shape == {
        "joint": (1, 462, 1), "per_channel": (1, 154, 3), "luma": (1, 154, 1)
    }[threshold]  # fmt: skip
    limits = np.quantile(values.astype(np.float64), np.float32(xi), axis=1) * (xi > 0)
    merged = np.empty(faithful.shape, np.uint8)
    for piece in pieces:
        first, second = (tf.constant(array[piece]) for array in (faithful, vivid))
        limit = tf.constant(limits, tf.float32)
        merged[piece] = merge_at(first, second, limit, threshold=threshold, delta=delta)
    np.testing.assert_array_equal(merged, whole.sr)


def test_by_hand():
    faithful = tf.constant([[[[10.0, 20.0, 30.0], [0.0, 100.0, 200.0]]]])
    vivid = tf.constant([[[[12.0, 16.0, 30.0], [0.4, 109.6, 190.5]]]])
    values = deviations(faithful, vivid)[0, :, 0].numpy()
    np.testing.assert_allclose(values, [2, 4, 0, 0.4, 9.6, 9.5], atol=1e-5)
    merged = merge_at(faithful, vivid, tf.constant([[3.0]]))
    np.testing.assert_array_equal(merged, [[[[12, 17, 30], [0, 103, 197]]]])
    merged = merge_at(faithful, vivid, tf.constant([[1.0, 5.0, 0.0]]), threshold="per_channel")
    np.testing.assert_array_equal(merged, [[[[11, 16, 30], [0, 105, 200]]]])
