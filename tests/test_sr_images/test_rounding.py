from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_images.rounding import grey_levels, round_half_up


def half_up(value: float) -> int:
    """Python's decimal arithmetic; halves of negative numbers go up too."""
    decimal = Decimal(value)
    floor = decimal.to_integral_value(ROUND_FLOOR)
    return int(floor + (decimal - floor).to_integral_value(ROUND_HALF_UP))


@pytest.fixture(params=["numpy", "keras.ops", "tensorflow"])
def xp(request):
    return pytest.importorskip(request.param)


@given(st.floats(-1e5, 1e5, width=32) | st.integers(-600, 600).map(lambda k: k / 2))
def test_rounds_like_decimal_arithmetic(value):
    for dtype in (np.float32, np.float64):
        assert round_half_up(np.array(value, dtype), np) == half_up(float(dtype(value)))


def test_is_exact_beside_a_half():
    for dtype in (np.float32, np.float64):
        half = dtype(0.5)
        values = np.array([np.nextafter(half, dtype(0)), half, np.nextafter(half, dtype(1))])
        np.testing.assert_array_equal(round_half_up(values, np), [0, 1, 1])


def test_all_engines_agree(xp):
    values = np.array([-1.5, -0.5, 0.49999997, 0.5, 1.5, 2.5, 254.5, 255.4], np.float32)
    result = np.asarray(round_half_up(xp.asarray(values) if xp is np else xp.stack(values), xp))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, [-1, 0, 0, 1, 2, 3, 255, 255])


def test_grey_levels_are_clipped(xp):
    values = np.array([-3.0, -0.2, 0.5, 10.5, 11.5, 254.5, 255.5, 1e9], np.float32)
    result = np.asarray(grey_levels(xp.asarray(values) if xp is np else xp.stack(values), xp))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, [0, 0, 1, 11, 12, 255, 255, 255])


@given(st.floats(0, 255, width=32), st.floats(0, 255, width=32))
def test_values_within_one_level_stay_within_one_level(a, b):
    """What round-half-to-even breaks, and what the fusion's bound needs."""
    distance = abs(Decimal(a) - Decimal(b))
    levels = round_half_up(np.array([a, b], np.float32), np)
    if distance <= 1:
        assert abs(levels[0] - levels[1]) <= 1
