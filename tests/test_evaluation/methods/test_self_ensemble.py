import itertools

import numpy as np
import pytest

from evaluation.methods.self_ensemble import self_ensemble


def photo(height: int = 3, width: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def nearest(image: np.ndarray) -> np.ndarray:
    return np.kron(image, np.ones((4, 4, 1))).astype(np.float32)


def test_what_does_not_depend_on_the_direction_stays() -> None:
    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        return {"sr": nearest(image), "inverted": 255 - nearest(image)}

    result = self_ensemble(run, photo())
    assert result["sr"].dtype == np.float32
    np.testing.assert_array_equal(result["sr"], nearest(photo()))
    np.testing.assert_array_equal(result["inverted"], 255 - nearest(photo()))


def test_the_model_sees_each_of_eight_directions_once() -> None:
    seen = []

    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        assert image.flags.c_contiguous
        seen.append(image)
        return {"sr": nearest(image)}

    self_ensemble(run, photo())
    image = photo()
    expected = {
        (flip(side, axes).shape, flip(side, axes).tobytes())
        for side in (image, image.transpose(1, 0, 2))
        for axes in itertools.product([1, -1], repeat=2)
    }
    assert len(seen) == 8
    assert {(one.shape, one.tobytes()) for one in seen} == expected


def flip(image: np.ndarray, steps: tuple[int, ...]) -> np.ndarray:
    return image[:: steps[0], :: steps[1]]


def test_the_mean_of_what_each_direction_gives() -> None:
    """A model that marks its upper left corner: each corner of the result gets two of eight."""

    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        sr = np.zeros((4 * image.shape[0], 4 * image.shape[1], 3), np.float32)
        sr[0, 0] = 8.0
        sr[0, 1] = 1.0  # not rounded: an eighth of a level is left of it
        return {"sr": sr}

    expected = np.zeros((12, 20, 3))
    expected[[0, 0, -1, -1], [0, -1, 0, -1]] = 2
    # beside and below each corner: once from either mirrored half
    expected[[0, 0, -1, -1], [1, -2, 1, -2]] = 1 / 8
    expected[[1, 1, -2, -2], [0, -1, 0, -1]] = 1 / 8
    np.testing.assert_array_equal(self_ensemble(run, photo())["sr"], expected)


@pytest.mark.parametrize("size", [(4, 4), (1, 6)])
def test_sizes(size: tuple[int, int]) -> None:
    image = photo(*size)
    result = self_ensemble(lambda turned: {"sr": nearest(turned)}, image)
    np.testing.assert_array_equal(result["sr"], nearest(image))
