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
    assert len(Tiling().plan(128, 128, 60)) == 1


@pytest.mark.parametrize(
    ("overlap", "receptive_field", "expected"),
    [(None, 60, 12), (None, 9, 9), (None, 0, 0), (None, None, 12), (60, 60, 60), (0, 60, 0)],
)
def test_overlap(overlap: int | None, receptive_field: int | None, expected: int) -> None:
    plan = Tiling(overlap=overlap).plan(1080, 1920, receptive_field)
    first, second = max(plan.rows, plan.columns, key=len)[:2]
    assert first.read_end - first.write_end == expected
    assert second.write - second.read == expected


def test_full_hd_costs_less_than_a_quarter_more() -> None:
    plan = Tiling().plan(1080, 1920, 60)
    assert len(plan) * plan.tile_pixels < 1.25 * 1080 * 1920


@pytest.mark.parametrize("taken", [memory.TENSORFLOW, memory.OPENVINO])
def test_tiles_keep_to_the_memory(taken: memory.Footprint) -> None:
    for memory_mb in (1100, 1450, 3000):
        plan = Tiling(memory_mb=memory_mb).plan(3000, 4000, 60, taken)
        used = taken.program_bytes + plan.tile_pixels * taken.bytes_per_lr_pixel
        assert 0.85 * memory_mb * 1e6 < used <= memory_mb * 1e6


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--memory_mb=860 is too little"):
        Tiling(memory_mb=860).plan(500, 500, 60)
    with pytest.raises(UsageError, match="--memory_mb=310 is too little"):
        Tiling(memory_mb=310).plan(500, 500, 60, memory.OPENVINO)
    monkeypatch.setattr(memory, "available_bytes", lambda: 50_000_000)
    with pytest.raises(DataError, match="50 MB are free"):
        Tiling().plan(500, 500, 60)
    assert len(Tiling().plan(40, 40, 60)) == 1


@pytest.mark.parametrize("name", ["memory_mb", "overlap"])
def test_numbers_below_0(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 0, got -1"):
        Tiling(**{name: -1})  # pyright: ignore[reportArgumentType]
    assert tiling.DEFAULT_OVERLAP == 12
