"""Keys' kernel against the properties that define it."""

from fractions import Fraction

import numpy as np
import pytest

from sr_images.keys_kernel import keys_kernel

SHIFTS = [Fraction(n, 16) for n in range(17)]


def test_it_interpolates() -> None:
    values = [keys_kernel(Fraction(distance)) for distance in range(5)]
    assert values == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("shift", SHIFTS)
def test_polynomials_up_to_the_second_degree_are_kept(shift: Fraction) -> None:
    # What fixes a = -1/2 among the cubic kernels: with another a the squares are not kept.
    weights = {n: keys_kernel(abs(shift - n)) for n in range(-2, 4)}
    for degree in range(3):
        assert sum(weight * n**degree for n, weight in weights.items()) == shift**degree


def test_floats_are_the_fractions_rounded() -> None:
    fractions = [Fraction(n, 8) for n in range(21)]
    expected = [float(keys_kernel(x)) for x in fractions]
    # Eighths have so few bits that nothing is rounded on the way.
    found = keys_kernel(np.array(fractions, np.float64))
    assert found.dtype == np.float64
    assert found.tolist() == expected
