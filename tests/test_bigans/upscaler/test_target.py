from typing import Any

import pytest

from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.target import target_of
from sr_program.errors import DataError


@pytest.mark.parametrize(
    ("asked", "size", "passes", "is_reduced"),
    [
        ({}, (40, 52), 1, False),
        ({"scale": 1}, (10, 13), 1, True),
        ({"scale": 1.5}, (15, 20), 1, True),  # ceil(19.5)
        ({"scale": 1.1}, (11, 15), 1, True),  # 1.1 * 10 is 11.000000000000002
        ({"scale": 2}, (20, 26), 1, True),
        ({"scale": 4.01}, (41, 53), 2, True),
        ({"scale": 8}, (80, 104), 2, True),
        ({"scale": 16}, (160, 208), 2, False),
        ({"size": (52, 40)}, (40, 52), 1, False),
        ({"size": (13, 10)}, (10, 13), 1, True),
        ({"size": (14, 160)}, (160, 14), 2, True),
    ],
)
def test_the_way_to_a_size(asked: Any, size: Any, passes: int, is_reduced: bool) -> None:
    target = target_of((10, 13), Enlarging(**asked), 4)
    assert (target.size, target.passes, target.is_reduced) == (size, passes, is_reduced)
    assert target.enlarged == (10 * 4**passes, 13 * 4**passes)
    if "size" in asked:
        assert target.factors == (size[0] / 10, size[1] / 13)


@pytest.mark.parametrize("size", [(12, 10), (13, 9), (13, 161), (209, 160)])
def test_a_size_that_cannot_be_made(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=r"has 13x10 pixels.*ask for 13x10 to 208x160"):
        target_of((10, 13), Enlarging(size=size), 4)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"scale": 0.99}, "scale must lie between 1 and 16"),
        ({"scale": 16.5}, "scale must lie between 1 and 16"),
        ({"scale": float("nan")}, "scale must lie"),
        ({"size": (0, 5)}, "size must be two whole numbers"),
        ({"xi": 1.5}, "xi must lie"),
        ({"xi": float("nan")}, "xi must lie"),
        ({"max_deviation": -1}, "max_deviation must be at least 0"),
        ({"max_deviation": 3, "consistent": True}, "exclude each other"),
    ],
)
def test_what_no_photo_can_be_enlarged_by(asked: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Enlarging(**asked)
