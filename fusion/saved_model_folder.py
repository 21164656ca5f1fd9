"""Where in a directory a SavedModel lies."""

from __future__ import annotations

import os
from pathlib import Path

from sr_program.errors import DataError
from sr_program.files.versions import latest_version

# What an export calls the first version of a model.
VERSION = "1"


def find_saved_model(directory: str | os.PathLike[str]) -> Path:
    """The SavedModel in a directory: the directory itself, or its latest numbered version.

    Raises:
        DataError: There is none.
    """
    root = Path(directory)
    if root.is_file():
        raise DataError(
            f"{root}: no such directory, but a file; name the directory of an exported SavedModel. "
            "fusion.export makes one of an ONNX file and a second generator"
        )
    if not root.is_dir():
        raise DataError(f"{root}: no such directory; name the directory of an exported SavedModel")
    found = latest_version(root, "saved_model.pb")
    if found is None:
        raise DataError(
            f"{root}: no SavedModel (no saved_model.pb here, nor in a numbered version such as "
            f"{root / VERSION}); {_hint(root)}"
        )
    return found


def find_generator(path: str | os.PathLike[str]) -> Path:
    """The SavedModel in a directory, or an ONNX file itself.

    Raises:
        DataError: There is none.
    """
    file = Path(path)
    if file.suffix.lower() != ".onnx":
        return find_saved_model(file)
    if not file.is_file():
        raise DataError(f"{file}: no such file")
    return file


def _hint(root: Path) -> str:
    """What to do about a directory without a model: wp_srgan.export makes a folder a stage."""
    inside = [path for path in sorted(root.glob("*/")) if latest_version(path, "saved_model.pb")]
    if inside:
        return f"name {' or '.join(map(str, inside[:2]))}"
    return "export one with mr_srgan.export or wp_srgan.export"
