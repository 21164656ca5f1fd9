import numpy as np
import pytest
from skimage.metrics import structural_similarity

from evaluation.metrics.ma_parts.structural_term import structural_terms


def images(height, width, seed=0):
    random = np.random.default_rng(seed)
    first = random.normal(0, 30, (height, width))
    return [first, first + random.normal(0, 20, first.shape), random.normal(5, 9, first.shape)]


def structure_of_scikit_image(first, second):
    # so large a C1 that the luminance part is 1
    return structural_similarity(
        first,
        second,
        win_size=11,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        K1=1e9,
        K2=0.03,
    )


@pytest.mark.parametrize("size", [(11, 11), (12, 40), (73, 30), (74, 30), (75, 30), (150, 21)])
def test_agrees_with_scikit_image(size):
    pictures = images(*size)
    pairs = [(0, 1), (2, 0), (1, 2)]
    expected = [structure_of_scikit_image(pictures[i], pictures[j]) for i, j in pairs]
    np.testing.assert_allclose(structural_terms(pictures, pairs), expected, rtol=0, atol=1e-12)


def test_known_values():
    first, second, _ = images(30, 30)
    flat, other = np.full((30, 30), 3.0), np.full((30, 30), -200.0)
    pairs = [(0, 0), (2, 3), (0, 4)]
    same, flats, mirrored = structural_terms([first, second, flat, other, -first], pairs)
    assert same == pytest.approx(1, abs=1e-14)
    assert flats == pytest.approx(1, abs=1e-9)  # no luminance part
    assert -1 < mirrored < 0


def test_the_constant_by_hand():
    # one window over a single pixel of height h: with w the squared weight of the window's centre,
    # variance = h^2 (g - g^2), where g is the centre's weight; against a flat image covariance is 0
    axis = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    g = (axis[5] / axis.sum()) ** 2
    pixel = np.zeros((11, 11))
    pixel[5, 5] = 40
    c2 = 58.5225  # (0.03 * 255)^2
    expected = c2 / (1600 * (g - g**2) + c2)
    assert structural_terms([pixel, np.ones((11, 11))], [(0, 1)]) == [pytest.approx(expected)]
