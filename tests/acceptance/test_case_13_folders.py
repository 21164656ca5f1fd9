"""Of a folder all that can be read is taken, and what is left out is told in one line."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

HAS_HEIC = importlib.util.find_spec("pillow_heif") is not None
PICTURE = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """mixed/: 1.png, 2.avif, 3.jfif, 4.gif, 5.jp2, 6.dng, 7 (a PNG), notes.txt, sub/8.png."""
    folder = tmp_path / "mixed"
    (folder / "sub").mkdir(parents=True)
    picture = Image.fromarray(PICTURE)
    for name, kind in (
        ("1.png", "PNG"), ("2.avif", "AVIF"), ("3.jfif", "JPEG"), ("4.gif", "GIF"),
        ("5.jp2", "JPEG2000"), ("7", "PNG"), ("sub/8.png", "PNG"),
    ):  # fmt: skip
        picture.save(folder / name, kind)
    (folder / "6.dng").write_bytes(b"II*\0 raw")
    (folder / "notes.txt").write_text("none")
    (folder / ".hidden.png").write_bytes((folder / "1.png").read_bytes())
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_folder(run, mixed: Path) -> None:
    done = run("mixed", "-o", "out")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == ("bigans: mixed: 6 of 8 pictures taken; 6.dng and 1 folder left out\n")
    out = mixed.parent / "out"
    assert names(out) == [f"{name}_x4.png" for name in "123457"]
    for path in out.iterdir():
        found = cv2.imread(str(path))
        assert found is not None and found.shape == (24, 32, 3)


def test_with_sub_folders_and_their_structure(run, mixed: Path) -> None:
    (mixed / "sub" / "broken.png").write_bytes((mixed / "1.png").read_bytes()[:50])
    done = run("mixed", "--output=out", "--recursive", "--format=jpg", "--suffix=-big")
    assert done.returncode == 1
    first, second, third = done.stderr.splitlines()
    assert first == "bigans: mixed: 8 of 9 pictures taken; 6.dng left out"
    assert second.startswith("bigans: mixed/sub/broken.png: is damaged")
    assert third == "bigans: 1 of 8 photos failed"
    expected = [*(f"{name}-big.jpg" for name in "123457"), "sub", "sub/8-big.jpg"]
    out = mixed.parent / "out"
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*")) == expected


@pytest.mark.skipif(not HAS_HEIC, reason="needs the extra heic: pip install 'bi-gans-st[heic]'")
def test_heic(run, mixed: Path) -> None:
    import pillow_heif

    pillow_heif.from_pillow(Image.fromarray(PICTURE)).save(mixed / "9.heic")
    done = run("mixed", "--output=out", "--dry_run")
    assert done.returncode == 0
    assert "mixed/9.heic -> out/9_x4.png: 8x6 -> 32x24, whole" in done.stdout.splitlines()
    assert not (mixed.parent / "out").exists()


def test_a_preview(run, mixed: Path) -> None:
    before = sorted(mixed.parent.rglob("*"))
    done = run("mixed", "--output=out", "--dry_run", "--scale=1.5", COMPUTED="computed")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "mixed/1.png -> out/1_x1.5.png: 8x6 -> 12x9, whole"
    assert len(done.stdout.splitlines()) == 6
    assert sorted(mixed.parent.rglob("*")) == before
