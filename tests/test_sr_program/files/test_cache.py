import os
from pathlib import Path

import platformdirs
import pytest

from sr_program.errors import DataError
from sr_program.files.cache import (
    cache_folder,
    keep_newest,
    mark_as_used,
    remove_leftovers,
    writing,
)


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "user"))
    monkeypatch.delenv("BIGANS_CACHE", raising=False)
    assert cache_folder() == tmp_path / "user"
    monkeypatch.setenv("BIGANS_CACHE", str(tmp_path / "variable"))
    assert cache_folder() == tmp_path / "variable"
    assert cache_folder(tmp_path / "given") == tmp_path / "given"


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = r"^[^\n]*file: cannot keep [^\n]*BIGANS_CACHE$"
    with pytest.raises(DataError, match=message), writing(tmp_path / "file"):
        raise AssertionError("nothing can be written here")


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abcd"]
    for age, path in enumerate(paths):
        path.mkdir()
        (path / "content").touch()
        os.utime(path, (1000 + age, 1000 + age))
    mark_as_used(paths[0])
    keep_newest(paths, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]
    keep_newest(paths[:1] + paths[3:], 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]


def test_halves_of_killed_processes_go(tmp_path: Path) -> None:
    for name in (".tmp-123-model", "model"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").touch()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
