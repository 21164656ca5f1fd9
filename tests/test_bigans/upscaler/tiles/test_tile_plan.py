import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigans.upscaler.tiles.tile_plan import SMALLEST_CORE, Span, Tile, plan_tiles, smallest_tile

LENGTHS = st.integers(1, 400)
OVERLAPS = st.integers(0, 70)
PIXELS = st.integers(1, 60_000)


def test_two_by_one_by_hand():
    # 100 columns in two tiles of 4 + 46 + 4, the first without overlap at its left.
    plan = plan_tiles(40, 100, max_pixels=54 * 40, overlap=4)
    assert plan is not None
    assert list(plan.tiles()) == [
        Tile(Span(0, 40, 0, 40), Span(0, 54, 0, 50)),
        Tile(Span(0, 40, 0, 40), Span(46, 100, 50, 100)),
    ]
    assert plan.tile_pixels == 54 * 40


def test_the_last_tile_is_shifted_inwards():
    plan = plan_tiles(1, 101, max_pixels=54 + 1, overlap=4)
    assert plan is not None
    # 101 - 8 columns in two: 47 each, and a column of the second tile is not needed.
    assert plan.columns == [Span(0, 55, 0, 51), Span(46, 101, 51, 101)]


@given(LENGTHS, LENGTHS, PIXELS, OVERLAPS)
def test_every_pixel_is_written_once_by_tiles_of_one_size(height, width, max_pixels, overlap):
    plan = plan_tiles(height, width, max_pixels, overlap)
    if plan is None:
        return
    count = np.zeros((height, width), int)
    sizes = set()
    for rows, columns in plan.tiles():
        count[rows.write : rows.write_end, columns.write : columns.write_end] += 1
        sizes.add((rows.read_end - rows.read, columns.read_end - columns.read))
        for span, length in ((rows, height), (columns, width)):
            assert 0 <= span.read <= span.write < span.write_end <= span.read_end <= length
            assert span.write - span.read >= overlap or span.read == 0
            assert span.read_end - span.write_end >= overlap or span.read_end == length
    assert (count == 1).all()
    assert len(sizes) == 1
    assert plan.tile_pixels == np.prod(sizes.pop()) <= max_pixels
    assert len(plan) == len(list(plan.tiles()))


@given(LENGTHS, LENGTHS, OVERLAPS)
def test_there_is_a_plan_from_the_smallest_tile_on(height, width, overlap):
    least = smallest_tile(height, width, overlap)
    assert plan_tiles(height, width, least, overlap) is not None
    assert plan_tiles(height, width, least - 1, overlap) is None


@given(LENGTHS, LENGTHS, OVERLAPS)
def test_a_photo_that_fits_is_one_tile(height, width, overlap):
    plan = plan_tiles(height, width, height * width, overlap)
    assert plan is not None
    assert list(plan.tiles()) == [Tile(Span(0, height, 0, height), Span(0, width, 0, width))]


@pytest.mark.parametrize(("height", "width"), [(540, 960), (1080, 1920), (3000, 4000), (97, 3001)])
def test_no_other_grid_computes_less(height, width):
    overlap, max_pixels = 12, 30_000
    plan = plan_tiles(height, width, max_pixels, overlap)
    assert plan is not None
    costs = []
    for down in range(1, height // SMALLEST_CORE):
        for across in range(1, width // SMALLEST_CORE):
            tile = [
                length if count == 1 else -(-(length - 2 * overlap) // count) + 2 * overlap
                for length, count in ((height, down), (width, across))
            ]
            if tile[0] * tile[1] <= max_pixels:
                costs.append(down * tile[0] * across * tile[1])
    assert len(plan) * plan.tile_pixels == min(costs)
