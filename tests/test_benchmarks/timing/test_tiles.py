"""The parts of the tiles' benchmark that need no network."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing.tiles import (
    DEFAULTS,
    centre,
    differing,
    draw,
    fit,
    photo,
    summary,
    tiling_of,
)
from bigans.upscaler.tiles.tile_plan import plan_tiles


def test_the_photo_is_continued_by_its_mirror_image():
    image = photo(dataclasses.replace(DEFAULTS, width=500, height=310))
    assert image.shape == (310, 500, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image[:, 451:], image[:, 450:401:-1])


def test_differing_pixels_are_counted_once():
    first = np.zeros((4, 5, 3), np.uint8)
    second = first.copy()
    second[1, 2] = [1, 0, 3]
    second[3, 4, 0] = 2
    assert differing(first, second) == "2 of 20 pixels differ, by at most 3 grey levels"
    assert differing(second, first) == "2 of 20 pixels differ, by at most 3 grey levels"


def test_the_line():
    start, slope, explained = fit([10, 20, 40], [2.5, 3.5, 5.5])
    assert (start, slope, explained) == pytest.approx((1.5, 0.1, 1.0))
    assert fit([0, 1, 2], [0, 1, 0])[2] == pytest.approx(0)


def test_the_centre():
    image = np.arange(7 * 4 * 3).reshape(7, 4, 3)
    np.testing.assert_array_equal(centre(image, 5), image[1:6])


def test_the_summary_by_hand():
    plan = plan_tiles(40, 100, max_pixels=54 * 40, overlap=4)
    assert plan is not None
    lines = summary(plan, 4000, seconds=0.4, whole_seconds=80e-6)
    assert lines[2:] == [
        "| tiles | 2 of 54x40 |",
        "| computed pixels / pixels | 1.080 |",
        "| tiles, with merge and PNG, µs a LR pixel | 100.0 |",
        "| whole graph, µs a LR pixel | 80.0 |",
        "| overhead in time | 1.250 |",
    ]


def test_the_drawing(tmp_path: Path):
    draw(str(tmp_path / "line.svg"), [10, 20], [1.0, 2.0], (0.0, 0.1))
    assert "<svg" in (tmp_path / "line.svg").read_text()


def test_scratch_on_disk_spares_no_memory():
    config = dataclasses.replace(DEFAULTS, memory_mb=5000, overlap=7)
    for in_memory in (True, False):
        tiling = tiling_of(dataclasses.replace(config, scratch_in_memory=in_memory))
        assert (tiling.memory_mb, tiling.overlap) == (5000, 7)
        plan = tiling.plan(100, 100, None)
        assert (plan.spare_bytes > 0) == in_memory
    assert tiling_of(DEFAULTS).memory_mb is None and tiling_of(DEFAULTS).overlap is None
