"""Directories of numbered versions, as model servers watch them."""

from __future__ import annotations

from pathlib import Path


def latest_version(root: Path, file_name: str) -> Path | None:
    """The directory of a model: the given one, or its latest numbered version.

    Args:
        root: A directory.
        file_name: What a directory of a model holds.

    Returns:
        The directory that holds the file; None if there is none.
    """
    if (root / file_name).is_file():
        return root
    versions = [path for path in root.glob("*") if path.name.isdecimal()]
    models = [path for path in versions if (path / file_name).is_file()]
    return max(models, key=lambda path: int(path.name), default=None)
