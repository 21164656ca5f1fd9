"""`-` stands for standard input and output, of any format, and a broken pipe ends quietly."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PICTURE = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "flags", "written"),
    [
        ("PNG", [], "PNG"),
        ("JPEG", [], "JPEG"),
        ("WEBP", ["--format=png"], "PNG"),
        ("JPEG2000", [], "PNG"),  # it is read, not written
        ("PNG", ["--format=tif"], "TIFF"),
    ],
)
def test_through(pipe, tmp_path: Path, kind: str, flags: list[str], written: str) -> None:
    done = pipe("-", "--output=-", *flags, content=encoded(kind))
    assert (done.returncode, done.stderr) == (0, b"")
    result = Image.open(io.BytesIO(done.stdout))
    assert (result.format, result.size) == (written, (32, 24))
    if kind == "PNG":
        np.testing.assert_array_equal(result, PICTURE.repeat(4, 0).repeat(4, 1))
    assert list(tmp_path.iterdir()) == []


def test_into_a_file_and_a_folder(pipe, tmp_path: Path) -> None:
    assert pipe("-", "-o", "big.jpg", content=encoded("PNG")).returncode == 0
    assert Image.open(tmp_path / "big.jpg").size == (32, 24)
    assert pipe("-", "-o", "out/", content=encoded("PNG")).returncode == 0
    assert Image.open(tmp_path / "out" / "stdin_x4.png").size == (32, 24)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded("PNG")[:60], "standard input: is damaged"),
        (b"", "standard input: is not an image"),
        (b"no picture", "standard input: is not an image"),
    ],
)
def test_what_is_no_picture(pipe, tmp_path: Path, content: bytes, message: str) -> None:
    done = pipe("-", "--output=-", content=content)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"bigans: {message}")
    assert done.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "a.png", "--output=-"], "--output=- takes one photo"),
        ([".", "--output=-"], "--output=- takes one photo"),
    ],
)
def test_a_wrong_command(pipe, arguments: list[str], message: str) -> None:
    done = pipe(*arguments, content=encoded("PNG"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode() and done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full: run it on Linux")
def test_a_full_disk(pipe, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = pipe("-", "--output=-", content=encoded("PNG"), stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"bigans: standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes of POSIX: run it on Linux")
def test_nobody_reads(start, photo: Path) -> None:
    reader = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)
    assert reader.stdin is not None
    process = start("noise.png", "--output=-", stdout=reader.stdin)
    reader.stdin.close()
    reader.wait()
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (1, "")
    assert [path.name for path in photo.parent.iterdir()] == ["noise.png"]
