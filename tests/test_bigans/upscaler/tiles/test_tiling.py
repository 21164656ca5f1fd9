import math
from typing import Any

import numpy as np
import pytest

from bigans import Tiling
from bigans.models import memory
from bigans.upscaler.tiles import tiling
from sr_program.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 GB."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 64_000_000_000)


def test_small_photos_are_one_tile() -> None:
    assert Tiling().plan(128, 128, 60).is_whole


@pytest.mark.parametrize(
    ("overlap", "radius", "expected"),
    [(None, 60, 12), (None, 9, 9), (None, 0, 0), (None, None, 12), (60, 60, 60), (0, 60, 0)],
)
def test_overlap(overlap: int | None, radius: int | None, expected: int) -> None:
    plan = Tiling(overlap=overlap).plan(1080, 1920, radius).tiles
    first, second = max(plan.rows, plan.columns, key=len)[:2]
    assert first.read_end - first.write_end == expected
    assert second.write - second.read == expected


def test_full_hd_costs_less_than_a_quarter_more() -> None:
    plan = Tiling().plan(1080, 1920, 60).tiles
    assert len(plan) * plan.tile_pixels < 1.25 * 1080 * 1920


@pytest.mark.parametrize("taken", [memory.TENSORFLOW, memory.OPENVINO])
def test_tiles_keep_to_the_memory(taken: memory.Footprint) -> None:
    for memory_mb in (1100, 1450, 3000):
        plan = Tiling(memory_mb=memory_mb).plan(3000, 4000, 60, taken).tiles
        used = taken.program_bytes + plan.tile_pixels * taken.bytes_per_lr_pixel
        assert 0.85 * memory_mb * 1e6 < used <= memory_mb * 1e6


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="^memory_mb=860 is too little"):
        Tiling(memory_mb=860).plan(500, 500, 60)
    with pytest.raises(UsageError, match="^memory_mb=310 is too little"):
        Tiling(memory_mb=310).plan(500, 500, 60, memory.OPENVINO)
    monkeypatch.setattr(memory, "available_bytes", lambda: 50_000_000)
    with pytest.raises(DataError, match="50 MB are free"):
        Tiling().plan(500, 500, 60)
    assert Tiling().plan(40, 40, 60).is_whole


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memory_mb": -1}, "memory_mb must be more than 0, got -1"),
        ({"memory_mb": 0}, "memory_mb must be more than 0, got 0"),
        ({"memory_mb": -math.inf}, "memory_mb must be more than 0, got -inf"),
        ({"memory_mb": math.nan}, "memory_mb=nan is not a number"),
        ({"memory_mb": "lots"}, "memory_mb=lots is not a number"),
        ({"memory_mb": 1e308}, r"memory_mb=1e\+308 is more than any machine has; inf is no limit"),
        ({"overlap": -1}, "overlap must be at least 0, got -1"),
        ({"overlap": math.inf}, "overlap must be a whole number, got inf"),
        ({"overlap": math.nan}, "overlap must be a whole number, got nan"),
        ({"overlap": 2.5}, "overlap must be a whole number, got 2.5"),
    ],
)
def test_numbers_that_nothing_can_be_cut_by(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tiling(**settings)


def test_no_limit() -> None:
    plan = Tiling(memory_mb=math.inf).plan(20_000, 30_000, 60)
    assert plan.is_whole and plan.photos_at_once > 1
    assert plan.spare_bytes > 1e12
    assert Tiling(memory_mb=np.float32(1e4)).plan(500, 500, 60).is_whole  # pyright: ignore


def test_what_a_tile_leaves() -> None:
    plan = Tiling(memory_mb=1100).plan(3000, 4000, 60)
    used = memory.TENSORFLOW.program_bytes + plan.spare_bytes
    used += plan.tiles.tile_pixels * memory.TENSORFLOW.bytes_per_lr_pixel
    assert used == 1_100_000_000
    assert tiling.DEFAULT_OVERLAP == 12
