"""Where a result cannot be written: one line that names it, and nothing half is left."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sr_images.encoders import plain_file
from sr_images.image_io import write_rgb
from sr_images.strip_writer import write_strips
from sr_program.files import atomic_write

NAMES = ("n.png", "n.jpg", "n.webp", "n.bmp", "n.tif")
NOISE = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)

# Lets no file grow beyond 96 kB, as a disk that is nearly full: the same call of the system fails.
LIMITED = """
import resource, sys
import numpy as np
from sr_images.image_io import write_rgb
from sr_images.strip_writer import write_strips

picture = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (96_000, 96_000))
for name in sys.argv[1:]:
    for write in (
        lambda: write_rgb(name, picture),
        lambda: write_strips(name, iter([picture[:99], picture[99:]]), 360, 480),
    ):
        try:
            write()
        except OSError as error:
            print(f"{error.filename}: {error.strerror}")
"""


def test_every_writer_names_the_file(tmp_path: Path, subprocess_environment) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *NAMES],
        cwd=tmp_path,
        env=subprocess_environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = [f"{name}: {os.strerror(errno.EFBIG)}" for name in NAMES for _ in range(2)]
    assert done.stdout.splitlines() == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(run, photo: Path, small_disk: Path, name: str) -> None:
    done = run("noise.png", f"--output=small/{name}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f": small/{name}: No space left on device\n")
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_in_tiles(run, photo: Path, small_disk: Path) -> None:
    done = run("noise.png", "--output=small/n.png", TILES=1)
    assert done.returncode == 1
    assert done.stderr.endswith(": small/n.png: No space left on device\n")
    assert done.stderr.count("\n") == 1
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("moment", ["the last bytes", "the flush", "the rename"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_full_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, name: str
) -> None:
    (tmp_path / name).write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if moment == "the last bytes":
        monkeypatch.setattr(plain_file._FileWithoutNumber, "write", full)
    elif moment == "the flush":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError) as caught:
        write_rgb(tmp_path / name, NOISE)
    assert (caught.value.filename, caught.value.errno) == (str(tmp_path / name), errno.ENOSPC)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"


@pytest.mark.parametrize(("name", "tiles"), [("n.png", {}), *((n, {"TILES": 1}) for n in NAMES)])
def test_a_read_only_folder(run, photo: Path, read_only_folder: Path, name: str, tiles) -> None:
    done = run("noise.png", f"--output=ro/{name}", COMPUTED="computed", **tiles)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f": ro/{name}: " in done.stderr
    assert not photo.with_name("computed").exists()


def test_a_read_only_folder_for_new_folders(run, photo: Path, read_only_folder: Path) -> None:
    done = run("noise.png", "--output=ro/new/", COMPUTED="computed")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert ": ro/new: " in done.stderr
    assert not photo.with_name("computed").exists()


def test_the_folder_vanishes(run, photo: Path) -> None:
    # When it is there before anything is computed, and not when the result is written.
    first = "import shutil; program._load = lambda tiling: (shutil.rmtree('out'), load(tiling))[1]"
    done = run("noise.png", "--output=out/n.jpg", FIRST=first)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert ": out: no such directory" in done.stderr
    assert [path.name for path in photo.parent.iterdir()] == ["noise.png"]


def test_it_vanishes_while_the_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        pytest.raises(FileNotFoundError) as caught,
        atomic_write.atomic_file(tmp_path / "out" / "n.png") as temporary,
    ):
        temporary.write_bytes(b"new")
        shutil.rmtree(tmp_path / "out")
    assert caught.value.filename == str(tmp_path / "out" / "n.png")


def test_a_folder_of_the_results_name(run, photo: Path) -> None:
    (photo.parent / "out" / "noise_x4.png").mkdir(parents=True)
    done = run("noise.png", "--output=out", COMPUTED="computed")
    assert done.returncode == 1
    assert done.stderr.endswith(": out/noise_x4.png: Is a directory\n")
    assert done.stderr.count("\n") == 1
    assert not photo.with_name("computed").exists()


@pytest.mark.parametrize("output", ["file/", "file/n.png", "file/new/n.png", "file/new/"])
def test_a_file_where_a_folder_is_expected(run, photo: Path, output: str) -> None:
    (photo.parent / "file").touch()
    done = run("noise.png", f"--output={output}", COMPUTED="computed")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "file" in done.stderr and "name a folder as --output" in done.stderr
    assert not photo.with_name("computed").exists()


@pytest.mark.parametrize("write", ["write_rgb", "write_strips"])
def test_a_long_name(tmp_path: Path, write: str) -> None:
    path = tmp_path / f"{'ä' * 125}.png"  # 254 bytes of the 255 that most file systems admit
    if write == "write_rgb":
        write_rgb(path, NOISE)
    else:
        write_strips(path, iter([NOISE]), *NOISE.shape[:2])
    assert list(tmp_path.iterdir()) == [path]
