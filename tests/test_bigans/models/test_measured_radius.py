import numpy as np
import pytest

from bigans.models.measured_radius import FARTHEST, measured_reach


def blurred(rows: int, columns: int, scale: int = 4):
    """Averages over (2·rows + 1) x (2·columns + 1) LR pixels, then repeats pixels."""

    def enlarge(image: np.ndarray) -> np.ndarray:
        padded = np.pad(image.astype(np.float32), ((rows, rows), (columns, columns), (0, 0)))
        total = np.zeros(image.shape, np.float32)
        for y in range(2 * rows + 1):
            for x in range(2 * columns + 1):
                total += padded[y : y + image.shape[0], x : x + image.shape[1]]
        return np.kron(total, np.ones((scale, scale, 1), np.float32))[None]

    return enlarge


@pytest.mark.parametrize(("rows", "columns", "reach"), [(0, 0, 0), (1, 0, 1), (0, 3, 3), (5, 2, 5)])
def test_blur(rows: int, columns: int, reach: int) -> None:
    assert measured_reach(blurred(rows, columns)) == reach
    assert measured_reach(blurred(rows, columns, scale=2)) == reach


def test_one_sided() -> None:
    def enlarge(image: np.ndarray) -> np.ndarray:
        return np.kron(np.roll(image, 7, axis=1), np.ones((4, 4, 1), np.float32))[None]

    # What leaves the image at its right comes back at its left.
    assert measured_reach(enlarge) == FARTHEST


def test_a_shift() -> None:
    def enlarge(image: np.ndarray) -> np.ndarray:
        shifted = np.pad(image, ((0, 0), (4, 0), (0, 0)))[:, :-4]
        return np.kron(shifted, np.ones((4, 4, 1), np.float32))[None]

    assert measured_reach(enlarge) == 4
