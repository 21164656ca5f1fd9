"""Which photos a command line names: files, and folders that stand for the pictures inside."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bigans.upscaler.planning.identity import identity, is_special
from bigans.upscaler.planning.own_results import own_results
from bigans.upscaler.planning.picture_files import can_be_read, looks_like_a_picture
from sr_program.errors import UsageError, reason

# Names of files that a line shows before it counts the others.
_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photo to enlarge.

    Attributes:
        path: Its file.
        folder: Where it lies inside of the folder that was named; the result's sub folder.
    """

    path: Path
    folder: Path = Path()


@dataclasses.dataclass
class Found:
    """What the arguments of a command line stand for.

    Attributes:
        photos: In the order of the arguments, and by their paths in a folder; each file once.
        notes: What was left out, a line a folder.
        problems: Folders that cannot be read or hold no picture, a line each.
    """

    photos: list[Photo] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)


def find_photos(
    arguments: Sequence[str], *, recursive: bool = False, suffix: str = "_x4", output: str = ""
) -> Found:
    """Finds the photos.

    A file is taken whatever its name, whether it exists or not: reading tells. Of a folder, what
    can be read is taken, by its suffix or by its content; hidden files and folders are not looked
    at, and neither is the folder of the results, if it lies inside. Results of this program beside
    their photo are left out.

    Args:
        arguments: Files and folders.
        recursive: Whether folders stand for what their sub folders hold, too.
        suffix: That results have in their names.
        output: The folder of the results.

    Raises:
        UsageError: A name is empty, as that of an unset variable of a shell.
    """
    found = Found()
    for argument in arguments:
        if not argument:
            raise UsageError("the name of a photo is empty; name a file or a folder")
        path = Path(argument)
        if path.is_dir():
            _add_folder(found, path, recursive, suffix, identity(Path(output)))
        elif is_special(path):
            found.problems.append(
                f"{path}: is a pipe or a device; give its content on standard input, as -"
            )
        else:
            found.photos.append(Photo(path))
    found.photos = _each_once(found)
    return found


def _each_once(found: Found) -> list[Photo]:
    """A file that several names lead to is a photo once: the first."""
    kept: dict[object, Photo] = {}
    for photo in found.photos:
        first = kept.setdefault(identity(photo.path) or photo.path, photo)
        if os.path.abspath(first.path) != os.path.abspath(photo.path):
            found.notes.append(f"{photo.path} is {first.path}, which is taken once")
    return list(kept.values())


@dataclasses.dataclass
class _Folder:
    """The pictures of one folder, sub folders not included."""

    photos: list[Path]
    own: list[Path]
    left_out: list[Path]


def _add_folder(
    found: Found, root: Path, recursive: bool, suffix: str, output: tuple[int, int] | None
) -> None:
    photos: list[Photo] = []
    left_out: list[str] = []
    num_own = num_inside = 0
    folders_left: set[str] = set()

    def failed(error: OSError) -> None:
        found.problems.append(f"{error.filename}: {reason(error)}")

    for folder, files in _walk(root, failed, output):
        inside = folder.relative_to(root)
        pictures = _pictures(folder, files, suffix)
        if recursive or folder == root:
            photos += [Photo(path, inside) for path in pictures.photos]
            left_out += [str(path.relative_to(root)) for path in pictures.left_out]
            num_own += len(pictures.own)
        elif pictures.photos or pictures.left_out:
            num_inside += len(pictures.photos) + len(pictures.left_out)
            folders_left.add(inside.parts[0])
    found.photos += photos
    all_pictures = len(photos) + len(left_out) + num_inside
    parts = _shown(left_out, len(folders_left), num_own)
    if parts:
        counted = f"{len(photos)} of {all_pictures} pictures taken"
        hint = "; recursive=true takes them" if folders_left and not photos else ""
        found.notes.append(f"{root}: {counted}; {' and '.join(parts)} left out{hint}")
    if not photos and not found.problems:
        found.problems.append(f"{root}: holds no image that can be read")


def _walk(
    root: Path, failed: object, output: tuple[int, int] | None
) -> Iterator[tuple[Path, list[str]]]:
    """Folders with the names of their files, sorted; neither hidden ones nor that of the output."""
    for folder, names, files in os.walk(root, onerror=failed):  # pyright: ignore
        here = Path(folder)
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".") and (output is None or identity(here / name) != output)
        )
        yield (
            here,
            sorted(name for name in files if not (name.startswith(".") or is_special(here / name))),
        )


def _pictures(folder: Path, names: Sequence[str], suffix: str) -> _Folder:
    paths = [folder / name for name in names]
    readable = [path for path in paths if can_be_read(path)]
    own = own_results(readable, suffix)
    others = [path for path in paths if path not in set(readable) and looks_like_a_picture(path)]
    return _Folder([path for path in readable if path not in own], sorted(own), others)


def _shown(names: Sequence[str], num_folders: int, num_own: int) -> list[str]:
    parts = list(names[:_SHOWN])
    if len(names) > _SHOWN:
        parts.append(f"{len(names) - _SHOWN} more")
    joined = [", ".join(parts)] if parts else []
    if num_folders:
        joined.append(f"{num_folders} folder{'s' * (num_folders > 1)}")
    if num_own:
        joined.append(f"{num_own} result{'s' * (num_own > 1)} of this program")
    return joined
