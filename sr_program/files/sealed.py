"""Directories that are written once, with the hashes of their files beside them.

What is built or converted is used for years, on disks that fill up and fail. A damaged model may
still load and give wrong pictures.
"""

from __future__ import annotations

import json
from pathlib import Path

from sr_program.files.hashes import file_sha256

HASHES = "sha256.json"


def seal(directory: Path) -> None:
    """Writes the hashes of all files in a directory into its `sha256.json`.

    Raises:
        OSError: A file cannot be read or written.
    """
    text = json.dumps(_hashes(directory), indent=1)
    (directory / HASHES).write_text(text, encoding="utf-8")


def is_intact(directory: Path) -> bool:
    """Whether each file is there and as it was when the directory was sealed.

    Files that came later do not matter.
    """
    try:
        hashes = json.loads((directory / HASHES).read_text(encoding="utf-8"))
        found = {name: file_sha256(directory / name) for name in hashes}
        return bool(hashes) and found == hashes
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def _hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): file_sha256(path) for path in files}
