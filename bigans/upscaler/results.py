"""Which photos a command line names and where the result of each goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sr_data.sources import FolderSource
from sr_images.image_io import IMAGE_SUFFIXES
from sr_program.errors import UsageError


class Task(NamedTuple):
    """A photo and the file that its enlargement is written to."""

    photo: Path
    result: Path


def plan(arguments: Sequence[str], output: str) -> list[Task]:
    """Pairs every photo with a result.

    Args:
        arguments: Files, and folders that stand for the photos directly inside of them.
        output: One photo: a file name, or a folder (it exists, ends in a slash or has no suffix).
            Several photos: a folder. In a folder, results are named STEM_x4.png.

    Raises:
        UsageError: One file for several photos, a suffix that cannot be written, two photos with
            the same result, or a result that would overwrite a photo.
        DataError: A folder holds no photo.
    """
    photos = [photo for argument in arguments for photo in _photos(Path(argument))]
    if _is_folder(output, len(photos)):
        tasks = [Task(photo, Path(output) / f"{photo.stem}_x4.png") for photo in photos]
    elif len(photos) > 1:
        raise UsageError(f"--output={output} is one file, for {len(photos)} photos; name a folder")
    else:
        tasks = [Task(photos[0], _writable(Path(output)))]
    _refuse_collisions(tasks)
    _refuse_overwriting(tasks)
    return tasks


def _photos(path: Path) -> Sequence[Path]:
    return FolderSource(path, recursive=False).paths if path.is_dir() else [path]


def _is_folder(output: str, num_photos: int) -> bool:
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return True
    if path.exists():
        return False
    suffix = path.suffix.lower()
    return suffix not in IMAGE_SUFFIXES and (num_photos > 1 or not suffix)


def _writable(path: Path) -> Path:
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise UsageError(
            f"--output={path}: cannot write this format, use one of {', '.join(IMAGE_SUFFIXES)}, "
            "or end the name of a folder with a slash"
        )
    return path


def _refuse_collisions(tasks: Sequence[Task]) -> None:
    photo_of: dict[str, Path] = {}
    for photo, result in tasks:
        other = photo_of.setdefault(os.path.normcase(result), photo)
        if other is not photo:
            raise UsageError(f"{other} and {photo} would both be written to {result}; rename one")


def _refuse_overwriting(tasks: Sequence[Task]) -> None:
    # By identity, not by name: links and file systems that ignore case give a file several names.
    photos = {_identity(photo) for photo, _ in tasks} - {None}
    for _, result in tasks:
        if _identity(result) in photos:
            raise UsageError(f"{result} is one of the photos; name another --output")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
