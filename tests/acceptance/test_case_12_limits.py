"""What a small file may ask for has a limit, with a number to raise; others are not stopped."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def bomb(path: Path, width: int, height: int) -> None:
    """A black 1-bit PNG of any size, in a few kB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + -(-width // 8))) for _ in range(min(height, 2000)))
    content = chunk(b"IHDR", head) + chunk(b"IDAT", rows + packer.flush()) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    picture = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    picture.save(folder / "a.png")
    picture.save(folder / "z.png")
    bomb(folder / "bomb.png", 200_000, 200_000)
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in range(12)]
    frames[0].save(folder / "long.gif", save_all=True, append_images=frames[1:])
    return folder


def test_a_bomb_stops_nobody_else(run, photos: Path) -> None:
    done = run("in", "--output=out", "--max_frames=10")
    assert done.returncode == 1
    first, second, third = done.stderr.splitlines()
    assert first.startswith("bigans: in/bomb.png: ") and "--max_pixels=" in first
    assert second.startswith("bigans: in/long.gif: has 12 frames") and "--max_frames=10" in second
    assert third == "bigans: 2 of 4 photos failed"
    assert sorted(path.name for path in (photos.parent / "out").iterdir()) == [
        "a_x4.png", "z_x4.png",
    ]  # fmt: skip


def test_a_limit_may_be_lowered_and_raised(run, photos: Path) -> None:
    done = run("in/a.png", "--output=a.png", "--max_pixels=599")
    assert done.returncode == 1
    assert "30x20 pixels" in done.stderr and "--max_pixels=599" in done.stderr
    assert run("in/a.png", "--output=a.png", "--max_pixels=600").returncode == 0


@pytest.mark.parametrize("flag", ["--max_pixels=0", "--max_frames=x", "--max_ratio=-1"])
def test_a_limit_that_is_none(run, photos: Path, flag: str) -> None:
    done = run("in/a.png", "--output=a.png", flag)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
