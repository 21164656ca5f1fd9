import sys
from pathlib import Path

import pytest

from benchmarks.studies.photo_walk import holds_code, walk
from sr_program.errors import DataError


@pytest.mark.parametrize(
    ("code", "expected"),
    [('"""A docstring."""\n', False), ("", False), ('"""A docstring."""\nX = 1\n', True)],
)
def test_what_holds_code(tmp_path: Path, code: str, expected: bool) -> None:
    path = tmp_path / "__init__.py"
    path.write_text(code, encoding="utf-8")
    assert holds_code(path) == expected


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A program that copies the photo, and loads another module for tiles."""
    tree = tmp_path / "tree"
    (tree / "bigans").mkdir(parents=True)
    (tree / "bigans" / "__init__.py").write_text('"""Nothing."""\n', encoding="utf-8")
    for name in ("reader", "tiles", "unused"):
        (tree / "bigans" / f"{name}.py").write_text("X = 1\n", encoding="utf-8")
    (tree / "bigans" / "__main__.py").write_text(
        "import pathlib, sys, bigans.reader\n"
        "photo, output, *flags = sys.argv[1:]\n"
        "if flags:\n    import bigans.tiles\n"
        "content = pathlib.Path(photo).read_bytes()\n"
        "pathlib.Path(output.removeprefix('--output=')).write_bytes(content)\n"
        "sys.exit(0)\n",
        encoding="utf-8",
    )
    return tree


def test_modules_of_a_run(drawn: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.touch()
    whole = ["bigans/__main__.py", "bigans/reader.py"]
    assert walk(drawn, photo, []).loaded == whole
    assert walk(drawn, photo, ["--memory_mb=1000"]).loaded == [*whole, "bigans/tiles.py"]
    assert not (tmp_path / "result.png").exists()


def test_a_program_that_fails(drawn: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    with pytest.raises(DataError, match=r"enlarging a photo failed: FileNotFoundError.*missing"):
        walk(drawn, missing, [])
    assert "bigans.reader" not in sys.modules


_PASSES_IT_ON = """
import sys
import numpy as np
from bigans import asks, pieces, takes, told, untouched

def main():
    photo, output = sys.argv[1], sys.argv[2].removeprefix("--output=")
    told.told(photo)
    untouched.untouched("another.png", np.zeros([8, 8, 4]), np.zeros([9, 7, 3])[:2, :2])
    takes.takes({"image": np.zeros([1, 8, 8, 3])})
    asks.asks(pieces.Picture())
    for piece in pieces.pieces():
        del piece
    open(output, "w").close()

main()
sys.exit(0)
"""


def test_who_holds_the_photo(tmp_path: Path) -> None:
    program = tmp_path / "tree" / "bigans"
    program.mkdir(parents=True)
    modules = {
        "__main__": _PASSES_IT_ON,
        "told": "def told(name):\n    return 1\n",
        "untouched": "def untouched(name, *arrays):\n    return 1\n",
        "takes": "def takes(images):\n    return 1\n",
        "asks": "def asks(picture):\n    return 1\n",
        "pieces": "import numpy\ndef pieces():\n    yield numpy.zeros([8, 9, 3])\n"
        "class Picture:\n    pixels = numpy.zeros([8, 9, 3])\n",
    }
    for name, code in modules.items():
        (program / f"{name}.py").write_text(code, encoding="utf-8")
    photo = tmp_path / "photo.png"
    photo.touch()
    found = walk(tmp_path / "tree", photo, [])
    assert found.pixels == [f"bigans/{name}.py" for name in ("asks", "pieces", "takes")]
    named = [f"bigans/{name}.py" for name in ("__main__", "asks", "pieces", "takes", "told")]
    assert found.holding == named
