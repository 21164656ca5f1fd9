import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_data.prepare.tile_grid import Box, TileGrid

LENGTHS = st.integers(1, 40)


def test_tiles_are_numbered_row_by_row():
    grid = TileGrid(height=5, width=7, side=3)
    assert (grid.rows, grid.columns, len(grid)) == (2, 3, 6)
    assert grid.boxes() == [
        Box(0, 0, 3, 3),
        Box(0, 3, 3, 6),
        Box(0, 6, 3, 7),
        Box(3, 0, 5, 3),
        Box(3, 3, 5, 6),
        Box(3, 6, 5, 7),
    ]


@given(height=LENGTHS, width=LENGTHS, side=LENGTHS)
def test_every_pixel_lies_in_one_tile(height, width, side):
    count = np.zeros((height, width), int)
    for top, left, bottom, right in TileGrid(height, width, side).boxes():
        assert 0 < bottom - top <= side and 0 < right - left <= side
        count[top:bottom, left:right] += 1
    assert (count == 1).all()


@given(st.data(), LENGTHS, LENGTHS, LENGTHS)
def test_touched_tiles_are_those_that_share_a_pixel(data, height, width, side):
    grid = TileGrid(height, width, side)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    right = data.draw(st.integers(left + 1, width))
    owner = np.zeros((height, width), int)
    for tile, box in enumerate(grid.boxes()):
        owner[box.top : box.bottom, box.left : box.right] = tile
    expected = np.unique(owner[top:bottom, left:right]).tolist()
    assert list(grid.touched_by(Box(top, left, bottom, right))) == expected


@pytest.mark.parametrize("side", [1, 4, 100])
def test_one_tile_when_the_photo_is_smaller(side):
    assert TileGrid(1, 1, side).boxes() == [Box(0, 0, 1, 1)]
