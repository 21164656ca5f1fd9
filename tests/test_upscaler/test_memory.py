from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.errors import DataError
from upscaler import memory


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


def test_the_limit_is_inclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 12 * memory.BYTES_PER_LR_PIXEL)
    memory.require_memory(12, width=4, height=3)
    with pytest.raises(DataError, match="4x3 pixels needs about .* GB are free"):
        memory.require_memory(13, width=4, height=3)
