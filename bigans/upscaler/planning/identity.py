"""What a name stands for: one file may have several, by links and on disks that ignore case."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path


def identity(path: Path) -> tuple[int, int] | None:
    """What two names of one file have in common; None if there is no file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def is_special(path: Path) -> bool:
    """Whether a name is that of a pipe, a socket or a device: to open it may take for ever."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def ignores_case(folder: Path) -> bool:
    """Whether names in a folder that differ in case only are one file; it need not exist yet."""
    for place in (folder, *folder.absolute().parents):
        name = place.name
        if name.swapcase() != name and place.exists():
            return identity(place.with_name(name.swapcase())) == identity(place)
    return False


def name_key(path: Path, case_ignored: bool) -> str:
    """Equal for names that a disk takes for one.

    Args:
        path: A file that need not exist.
        case_ignored: Whether the disk ignores case, and the form of accents as well then.
    """
    text = os.path.normpath(path)
    return unicodedata.normalize("NFC", text).casefold() if case_ignored else os.path.normcase(text)
