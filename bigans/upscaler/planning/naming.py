"""The names of the results of several photos: none twice, and none that asks to rename a photo."""

from __future__ import annotations

import collections
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bigans.upscaler.planning.identity import ignores_case, name_key
from bigans.upscaler.planning.photos import Photo

_Key = Callable[[Path], str]


class Named(NamedTuple):
    """The results of some photos.

    Attributes:
        results: Their files, in the order of the photos.
        notes: What a person should know of the names, a line each.
    """

    results: list[Path]
    notes: list[str]


def name_results(photos: Sequence[Photo], output: Path, suffix: str, extension: str) -> Named:
    """Names a result for each photo.

        cat.png                       out/cat_x4.png
        cat.png, cat.jpg              out/cat_png_x4.png, out/cat_jpg_x4.png
        cam1/1.png, cam2/1.png        out/cam1/1_x4.png, out/cam2/1_x4.png

    A number stands before the suffix where those are taken, too. The names depend on the photos
    alone, not on what the output folder holds.

    Args:
        photos: Each once.
        output: The folder of the results.
        suffix: What follows the stem of a photo, as "_x4".
        extension: Of the results, as ".png".
    """
    case_ignored = ignores_case(output)

    def key(path: Path) -> str:
        return name_key(path, case_ignored)

    def named(folder: Path, stem: str) -> Path:
        return output / folder / f"{stem}{suffix}{extension}"

    def all_named(folders: Sequence[Path]) -> list[Path]:
        return [named(folder, one.path.stem) for one, folder in zip(photos, folders, strict=True)]

    folders = [photo.folder for photo in photos]
    results = all_named(folders)
    notes: list[str] = []
    apart = [group for group in _clashes(photos, results, key) if _of_several_folders(group)]
    if apart:
        folders = _below_common_root(photos)
        results = all_named(folders)
        first, second = (photo.path for photo in apart[0][:2])
        notes.append(
            f"{first} and {second}: results would have one name; all keep their folders in {output}"
        )
    clashing = {photo for group in _clashes(photos, results, key) for photo in group}
    pairs = list(zip(photos, results, strict=True))
    taken = {key(path) for photo, path in pairs if photo not in clashing}
    for i, photo in enumerate(photos):
        if photo in clashing:
            names = (named(folders[i], stem) for stem in _other_stems(photo.path))
            results[i] = next(name for name in names if key(name) not in taken)
            taken.add(key(results[i]))
    return Named(results, notes + _told(photos, results, clashing))


def _clashes(photos: Sequence[Photo], results: Sequence[Path], key: _Key) -> list[list[Photo]]:
    groups: dict[str, list[Photo]] = collections.defaultdict(list)
    for photo, result in zip(photos, results, strict=True):
        groups[key(result)].append(photo)
    return [group for group in groups.values() if len(group) > 1]


def _of_several_folders(group: Sequence[Photo]) -> bool:
    return len({os.path.abspath(photo.path.parent) for photo in group}) > 1


def _below_common_root(photos: Sequence[Photo]) -> list[Path]:
    """The folder of each photo inside of the one that holds them all."""
    parents = [os.path.abspath(photo.path.parent) for photo in photos]
    try:
        root = os.path.commonpath(parents)
    except ValueError:  # several drives
        return [photo.folder for photo in photos]
    return [Path(os.path.relpath(parent, root)) for parent in parents]


def _other_stems(path: Path) -> itertools.chain[str]:
    tagged = f"{path.stem}_{path.suffix[1:]}" if path.suffix[1:] else path.stem
    return itertools.chain([tagged], (f"{tagged}_{number}" for number in itertools.count(2)))


def _told(photos: Sequence[Photo], results: Sequence[Path], clashing: set[Photo]) -> list[str]:
    renamed = [
        f"{photo.path} -> {result.name}"
        for photo, result in zip(photos, results, strict=True)
        if photo in clashing
    ]
    if not renamed:
        return []
    more = f" and {len(renamed) - 3} more" if len(renamed) > 3 else ""
    return [f"photos whose results would have one name: {', '.join(renamed[:3])}{more}"]
