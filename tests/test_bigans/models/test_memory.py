from pathlib import Path
from types import SimpleNamespace

import pytest

from bigans.models import memory
from sr_program.errors import DataError, UsageError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with 1000 bytes available; control group files go into the folder."""
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    return tmp_path


def limit(folder: Path, maximum: str, current: int, cached: int) -> None:
    (folder / "memory.max").write_text(f"{maximum}\n")
    (folder / "memory.current").write_text(f"{current}\n")
    (folder / "memory.stat").write_text(f"anon 7\ninactive_file {cached}\nslab 3\n")


def test_of_a_machine(machine: Path) -> None:
    assert memory.available_bytes() == 1000


@pytest.mark.parametrize(
    ("maximum", "current", "cached", "available"),
    [("700", 300, 50, 450), ("max", 300, 50, 1000), ("5000", 300, 0, 1000), ("100", 300, 50, 0)],
)
def test_of_a_container(
    machine: Path, maximum: str, current: int, cached: int, available: int
) -> None:
    limit(machine, maximum, current, cached)
    assert memory.available_bytes() == available


def test_damaged_control_group_files(machine: Path) -> None:
    limit(machine, "700", 300, 50)
    (machine / "memory.stat").write_text("anon 7\n")
    assert memory.available_bytes() == 1000


def test_the_real_machine_has_memory() -> None:
    assert 1e6 < memory.available_bytes() < 1e15


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 GB."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 64_000_000_000)


TAKEN = memory.Footprint(program_bytes=900_000_000, bytes_per_lr_pixel=20_000)


@pytest.mark.parametrize(
    ("num_pixels", "total_mb"),
    [(100, 1450), (960 * 540, 1450), (1920 * 1080, 2344.16), (4000 * 3000, 2700)],
)
def test_a_large_photo_gets_more(free: None, num_pixels: int, total_mb: float) -> None:
    assert memory.pixels_at_once(num_pixels, None, TAKEN) == int((total_mb - 900) * 50)


def test_no_more_than_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 2_000_000)
    assert memory.pixels_at_once(10_000, None, TAKEN) == 80
    # Whoever names a number means it.
    assert memory.pixels_at_once(10_000, 1000, TAKEN) == 5000


def test_less_than_the_program(free: None) -> None:
    assert memory.pixels_at_once(10_000, 300, TAKEN) == 0


def test_what_a_tile_leaves(free: None) -> None:
    assert memory.spare_bytes(5000, 10_000, 1100, TAKEN) == 100_000_000
    assert memory.spare_bytes(50_000, 10_000, 1100, TAKEN) == 0
    assert memory.spare_bytes(1000, 960 * 540, None, TAKEN) == 530_000_000


def test_openvino_takes_less(free: None) -> None:
    first, second = (
        memory.pixels_at_once(10_000, 1000, taken) for taken in (memory.TENSORFLOW, memory.OPENVINO)
    )
    assert 0 < first < second


def test_refusals_say_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 30_000_000)
    by_flag, by_machine = (memory.refusal(3136, mb, TAKEN) for mb in (910, None))
    assert isinstance(by_flag, UsageError)
    assert "--memory_mb=910 is too little: 963 are needed" in str(by_flag)
    assert isinstance(by_machine, DataError)
    assert "needs 63 MB of memory, 30 MB are free" in str(by_machine)
