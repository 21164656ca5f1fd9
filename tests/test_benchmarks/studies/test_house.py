import sys
from pathlib import Path

import pytest

from benchmarks.studies.house import holds_code, loaded_modules
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
    assert loaded_modules(drawn, photo, []) == whole
    assert loaded_modules(drawn, photo, ["--memory_mb=1000"]) == [*whole, "bigans/tiles.py"]
    assert not (tmp_path / "result.png").exists()


def test_a_program_that_fails(drawn: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    with pytest.raises(DataError, match=r"enlarging a photo failed: FileNotFoundError.*missing"):
        loaded_modules(drawn, missing, [])
    assert "bigans.reader" not in sys.modules
