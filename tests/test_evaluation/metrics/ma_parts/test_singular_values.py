import numpy as np
import pytest

from evaluation.metrics.ma_parts.singular_values import singular_values


def patches_of(level):
    """One row a patch of 5x5, by plain loops."""
    height, width = level.shape
    padded = np.zeros((-(-height // 5) * 5, -(-width // 5) * 5))
    padded[:height, :width] = level
    return np.array(
        [
            padded[top : top + 5, left : left + 5].ravel()
            for top in range(0, height, 5)
            for left in range(0, width, 5)
        ]
    )


def image_of(patches, rows):
    """The inverse for whole patches."""
    grid = patches.reshape(rows, -1, 5, 5)
    return np.ascontiguousarray(grid.swapaxes(1, 2).reshape(5 * rows, -1))


@pytest.mark.parametrize("size", [(25, 25), (50, 60), (47, 63), (180, 391)])
def test_agrees_with_numpy(size):
    level = np.random.default_rng(0).uniform(0, 1, size)
    expected = np.linalg.svd(patches_of(level), compute_uv=False)
    np.testing.assert_allclose(singular_values(level), expected, rtol=1e-12)


def test_one_patch_by_hand():
    # a single column of 25 ones: length 5, and nothing else
    np.testing.assert_allclose(singular_values(np.ones((5, 5))), [5] + [0] * 24, atol=1e-14)
    # two equal patches: sqrt(2) times as long; what is beyond the image counts as zeros
    values = singular_values(np.ones((3, 10)))
    np.testing.assert_allclose(values, [np.sqrt(30)] + [0] * 24, atol=1e-14)


def test_small_values_keep_their_digits():
    # known by construction, as with an orthonormal matrix on either side; over many chunks
    random = np.random.default_rng(1)
    expected = np.logspace(2.5, -2.5, 25)
    left = np.linalg.qr(random.normal(size=(6400, 25)))[0]
    right = np.linalg.qr(random.normal(size=(25, 25)))[0]
    level = image_of(left * expected @ right, rows=80)
    np.testing.assert_allclose(singular_values(level), expected, rtol=1e-10)
    # the shorter way, over the eigenvalues of a 25x25 matrix, would not do
    patches = patches_of(level)
    shorter = np.sqrt(np.abs(np.linalg.eigvalsh(patches.T @ patches)))[::-1]
    assert np.abs(shorter / expected - 1).max() > 1e-8
