import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bigans.upscaler.tiles import scratch
from bigans.upscaler.tiles.scratch import Scratch
from sr_program.errors import DataError


@pytest.mark.parametrize("memory", [0, 1])
def test_arrays_come_back_any_number_of_times(tmp_path: Path, memory: int) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.random(shape, np.float32) for shape in ((3, 5, 3), (1,), (2, 70, 3))]
    with Scratch(tmp_path, needed=1, memory=memory) as file:
        for array in arrays:
            file.append(written := array.copy())
            written.fill(-1)  # what is kept is a copy
        for _ in range(2):
            found = list(file.read())
            assert len(found) == len(arrays)
            for one, array in zip(found, arrays, strict=True):
                np.testing.assert_array_equal(one, array)


@pytest.mark.parametrize("memory", [0, 1])
def test_a_view_is_written_as_it_is_seen(tmp_path: Path, memory: int) -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    with Scratch(tmp_path, needed=1, memory=memory) as file:
        file.append(array[::2, 1:].T)
        (found,) = file.read()
    np.testing.assert_array_equal(found, array[::2, 1:].T)


@pytest.mark.skipif(sys.platform == "win32", reason="the file has a name there while it is open")
def test_the_file_has_no_name(tmp_path: Path) -> None:
    with Scratch(tmp_path, needed=1) as file:
        file.append(np.zeros(1000, np.float32))
        assert os.listdir(tmp_path) == []


def test_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Scratch(tmp_path, needed=1) as file:
        file.append(np.zeros(1000, np.float32))
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_too_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000_000})
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda _: usage)
    with Scratch(tmp_path, needed=1_000_000_000):
        pass
    with pytest.raises(DataError, match=r"2\.5 GB of scratch .* 1\.0 GB are free.*as scratch_dir"):
        Scratch(tmp_path, needed=2_500_000_000)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing: no scratch file can be made.*as scratch_dir"):
        Scratch(tmp_path / "missing", needed=1)


def test_without_a_file_where_memory_suffices(tmp_path: Path) -> None:
    with Scratch(tmp_path / "missing", needed=1000, memory=1000):
        pass
    with pytest.raises(DataError):
        Scratch(tmp_path / "missing", needed=1000, memory=999)
