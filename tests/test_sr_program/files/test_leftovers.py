import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr_program.files import leftovers
from sr_program.files.leftovers import PREFIX, locked_file, remove_leftovers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs flock")

WRITER = """
import os, signal, sys
from pathlib import Path
from sr_program.files.leftovers import locked_file
with locked_file(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_only_files_of_dead_writers_are_removed(tmp_path: Path, subprocess_environment) -> None:
    others = [tmp_path / name for name in ("photo.png", ".tmp-0123456789ab-x.png", ".hidden")]
    for path in others:
        path.touch()
    path = tmp_path / f"{PREFIX}0-photo.png"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        env=subprocess_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "ready\n"
        remove_leftovers(tmp_path)
        assert path.exists()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.wait(timeout=60) == -9
    assert path.exists()
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == set(others)


def test_a_file_that_is_taken_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may clean up between the making of a file and its lock."""
    path = tmp_path / f"{PREFIX}0-photo.png"
    real, calls = leftovers.fcntl.flock, []  # pyright: ignore[reportOptionalMemberAccess]

    def flock(descriptor: int, operation: int) -> None:
        if not calls:
            path.unlink()
        calls.append(operation)
        real(descriptor, operation)

    monkeypatch.setattr(leftovers.fcntl, "flock", flock)
    with locked_file(path):
        assert path.exists() and len(calls) == 2
        remove_leftovers(tmp_path)
        assert path.exists()


def test_where_files_cannot_be_locked_they_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: int) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(leftovers.fcntl, "flock", flock)
    path = tmp_path / f"{PREFIX}0-photo.png"
    with locked_file(path):
        remove_leftovers(tmp_path)
        assert path.exists()


def test_without_locks_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "fcntl", None)
    path = tmp_path / f"{PREFIX}0-photo.png"
    with locked_file(path):
        assert not path.exists()
    path.touch()
    remove_leftovers(tmp_path)
    assert path.exists()


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "missing")
