"""What ends a program from outside leaves nothing half done behind, as Ctrl-C does."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from sr_images.image_io import read_rgb

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="needs signals: run it on Linux or macOS"
)

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


def wait_for(folder: Path, pattern: str) -> Path:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = list(folder.glob(pattern))
        if found:
            return found[0]
        time.sleep(0.02)
    pytest.fail(f"nothing like {pattern} in {folder}")


@pytest.mark.parametrize("number", list(CODES))
@pytest.mark.parametrize("name", ["n.png", "n.tif"])
def test_in_tiles(start, photo: Path, number: signal.Signals, name: str) -> None:
    process = start("noise.png", f"--output=out/{name}", TILES=1, SECONDS=1)
    wait_for(photo.parent / "out", f".part-*{name}")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == CODES[number]
    assert errors.count("\n") == 1 and WORDS[number] in errors
    assert list((photo.parent / "out").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_while_a_whole_photo_is_written(start, photo: Path, number: signal.Signals) -> None:
    # The result is complete: writing is not broken off once it is computed.
    first = (
        "from sr_program.files import atomic_write as a;"
        "a._flush_to_disk = lambda path: time.sleep(2)"
    )
    process = start("noise.png", "--output=out/n.png", FIRST=first)
    wait_for(photo.parent / "out", ".part-*")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == CODES[number], errors
    assert [path.name for path in (photo.parent / "out").iterdir()] == ["n.png"]
    assert read_rgb(photo.parent / "out" / "n.png").shape == (800, 960, 3)


def test_sent_twice(start, photo: Path) -> None:
    process = start("noise.png", "--output=out/n.png", TILES=1, SECONDS=1)
    wait_for(photo.parent / "out", ".part-*")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors.count("\n") == 1
    assert list((photo.parent / "out").iterdir()) == []


def test_nohup_is_respected(start, photo: Path) -> None:
    first = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    process = start("noise.png", "--output=out/n.png", TILES=1, SECONDS=0.2, FIRST=first)
    wait_for(photo.parent / "out", ".part-*")
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert [path.name for path in (photo.parent / "out").iterdir()] == ["n.png"]


def test_what_kill_9_left_is_removed_by_the_next_run(start, run, photo: Path) -> None:
    out = photo.parent / "out"
    killed = start("noise.png", "--output=out/killed.png", TILES=1, SECONDS=1)
    left = wait_for(out, ".part-*killed.png")
    alive = start("noise.png", "--output=out/alive.png", TILES=1, SECONDS=1)
    being_written = wait_for(out, ".part-*alive.png")
    assert left.exists()  # both run
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert left.exists()
    (out / ".tmp-0123456789ab-of another program.png").touch()
    alive.send_signal(signal.SIGSTOP)
    try:
        assert run("noise.png", "--output=out/n.png").returncode == 0
        assert not left.exists() and being_written.exists()
    finally:
        alive.send_signal(signal.SIGCONT)
    _, errors = alive.communicate(timeout=120)
    assert (alive.returncode, errors) == (0, "")
    assert sorted(os.listdir(out)) == [
        ".tmp-0123456789ab-of another program.png",
        "alive.png",
        "n.png",
    ]
