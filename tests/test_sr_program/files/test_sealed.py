from collections.abc import Callable
from pathlib import Path

import pytest

from sr_program.files.sealed import HASHES, is_intact, seal


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(bytes(range(256)))
    (folder / "variables" / "data").write_bytes(bytes(100_000))
    seal(folder)
    return folder


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_intact(directory: Path) -> None:
    assert is_intact(directory)
    (directory / "variables" / "more").touch()
    assert is_intact(directory)


@pytest.mark.parametrize("damage", [_flip, _truncate, _empty, Path.unlink, _folder_instead])
@pytest.mark.parametrize("name", ["saved_model.pb", "variables/data", HASHES])
def test_damaged(directory: Path, damage: Callable[[Path], None], name: str) -> None:
    damage(directory / name)
    assert not is_intact(directory)


@pytest.mark.parametrize("text", ["[]", "3", "null", '{"saved_model.pb": 3}', "\0", '["a"]', "{}"])
def test_other_hashes(directory: Path, text: str) -> None:
    (directory / HASHES).write_text(text)
    assert not is_intact(directory)


def test_no_directory(tmp_path: Path) -> None:
    assert not is_intact(tmp_path / "missing")
    assert not is_intact(Path(__file__))
    (tmp_path / "empty").mkdir()
    assert not is_intact(tmp_path / "empty")
