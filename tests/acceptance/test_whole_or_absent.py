"""Whatever happens to a run, every result is whole or absent, and the exit code tells."""

import json
import random
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from sr_images.image_io import write_rgb

NUM_PHOTOS = 6

# Lets no file grow beyond 24 kB, as a full disk would.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (24_000, 24_000))"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """in/0.png to in/5.png; the results of noise have 22 kB and more."""
    folder = tmp_path / "in"
    folder.mkdir()
    random_numbers = np.random.default_rng(1)
    for i in range(NUM_PHOTOS):
        picture = random_numbers.integers(0, 256, (40 + 20 * i, 60, 3), np.uint8)
        write_rgb(folder / f"{i}.png", picture)
    return folder


def check_results(photos: Path, out: Path) -> int:
    """Each result is that of its photo; returns how many there are."""
    results = [path for path in out.iterdir() if not path.name.startswith(".")]
    for path in results:
        photo = cv2.imread(str(photos / path.name.replace("_x4", "")))
        assert photo is not None
        expected = photo.repeat(4, axis=0).repeat(4, axis=1)
        np.testing.assert_array_equal(cv2.imread(str(path)), expected, str(path))
    return len(results)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX: run it on Linux")
def test_a_full_disk(run, photos: Path) -> None:
    done = run("in", "--output=out", "--report=report.json", FIRST=FULL)
    assert done.returncode == 1
    assert "File too large" in done.stderr and done.stderr.count("\n") == 1
    out = photos.parent / "out"
    num = check_results(photos, out)
    assert 0 < num < NUM_PHOTOS
    assert not list(out.glob(".*"))
    report = json.loads((photos.parent / "report.json").read_text())
    assert (report["done"], report["failed"]) == (num, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals: run it on Linux or macOS")
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments(start, run, photos: Path, seed: int) -> None:
    out = photos.parent / "out"
    arguments = ["in", "--output=out", "--exists=skip"]
    moments = random.Random(seed)
    process = start(*arguments, SECONDS=0.05)
    deadline = time.monotonic() + 60
    while not out.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 0.6))
    process.send_signal(moments.choice([signal.SIGKILL, signal.SIGTERM]))
    process.communicate(timeout=60)
    num = check_results(photos, out)
    assert num == NUM_PHOTOS or process.returncode != 0
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert check_results(photos, out) == NUM_PHOTOS
    assert not list(out.glob(".*"))


def test_two_at_once(start, photos: Path) -> None:
    processes = [start("in", "--output=out", "--exists=skip", SECONDS=0.02) for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    out = photos.parent / "out"
    assert check_results(photos, out) == NUM_PHOTOS
    assert not list(out.glob(".*"))


def test_a_read_only_folder(run, photos: Path, read_only_folder: Path) -> None:
    for place in ("ro", "ro/new"):
        done = run("in", f"--output={place}", "--report=report.json", COMPUTED="computed")
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1 and f": {place}" in done.stderr
    assert not (photos.parent / "computed").exists()


def test_a_report_that_cannot_be_written(run, photos: Path, read_only_folder: Path) -> None:
    done = run("in", "--output=out", "--report=ro/report.json", COMPUTED="computed")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and ": ro/report.json: " in done.stderr
    assert not (photos.parent / "computed").exists()
