import math

import numpy as np
import pytest

from evaluation.perception_distortion.choice import (
    PAPER_POSITION,
    Choice,
    xi_at_position,
    xi_for_rmse,
)

GRID = np.array([0, 0.5, 1])
RISING = np.array([100.0, 144.0, 196.0])  # RMSE 10, 12, 14


def test_the_papers_position() -> None:
    # (248.6929 - 129.0496) / (265.0384 - 129.0496), the squares of Table 2
    assert pytest.approx(119.6433 / 135.9888, abs=1e-9) == PAPER_POSITION
    assert f"{PAPER_POSITION:.0%}" == "88%"


@pytest.mark.parametrize(
    ("target", "xi"),
    [
        (10, 0),
        (11, 0.5 * 21 / 44),  # 121 lies 21 of 44 above 100
        (12, 0.5),
        (13, 0.5 + 0.5 * 25 / 52),  # 169 lies 25 of 52 above 144
    ],
)
def test_xi_for_an_rmse(target: float, xi: float) -> None:
    found = xi_for_rmse(GRID, RISING, target)
    assert found is not None
    assert found.xi == pytest.approx(xi, abs=1e-12) and found.rmse == target


def test_a_target_that_every_xi_meets() -> None:
    for target in (14, 20):
        assert xi_for_rmse(GRID, RISING, target) == Choice(1.0, 14.0)


def test_a_target_that_none_meets() -> None:
    assert xi_for_rmse(GRID, RISING, 9.99) is None
    assert xi_for_rmse(GRID, np.full(3, np.nan), 12) is None


def test_the_largest_xi_where_the_curve_turns() -> None:
    """A little of the vivid image may lower the error of the faithful one."""
    found = xi_for_rmse(GRID, np.array([100.0, 64.0, 164.0]), 8.0)
    assert found == Choice(0.5, 8.0)
    found = xi_for_rmse(GRID, np.array([100.0, 64.0, 164.0]), 10.0)
    assert found is not None and found.xi == pytest.approx(0.5 + 0.5 * 36 / 100)
    hump = xi_for_rmse(np.linspace(0, 1, 5), np.array([81.0, 121, 64, 196, 225]), 9.0)
    assert hump is not None and hump.xi == pytest.approx(0.5 + 0.25 * 17 / 132)


def test_xi_at_a_position() -> None:
    found = xi_at_position(GRID, RISING, 0.5)  # 148: 4 of 52 above 144
    assert found is not None
    assert found.xi == pytest.approx(0.5 + 0.5 * 4 / 52)
    assert found.rmse == pytest.approx(math.sqrt(148))
    paper = xi_at_position(GRID, RISING)
    assert paper == xi_at_position(GRID, RISING, PAPER_POSITION)
    assert paper is not None
    assert paper.rmse**2 == pytest.approx(100 + 96 * PAPER_POSITION)


def test_no_position_between_equal_generators() -> None:
    assert xi_at_position(GRID, np.array([100.0, 90, 100])) is None
    assert xi_at_position(GRID, RISING[::-1]) is None
    assert xi_at_position(GRID, np.full(3, np.nan)) is None
