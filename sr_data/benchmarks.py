"""The benchmarks of super-resolution: where each lies, how it is paired.

In a data folder, or in its `benchmark/` or `benchmarks/`, each set has a folder of its own, in one
of these layouts. Upper and lower case and punctuation of folder names do not matter.

- `HR/` beside `LR_x4/`, `LRx4/`, `LR/X4/` or `LR/`
- `HR/` beside `LR_bicubic/X4/`, LR files named `*x4.png` (EDSR's)
- `GTmod12/` beside `LRbicx4/` (BasicSR's)
- `Original/` beside `4x_downsampled/` (PIRM's)
- `image_SRF_4/`, or no subfolder, with `*_HR.png` and `*_LR.png` (SelfExSR's)
- HR images alone, with or without an `HR/` around them: their LR is made as MATLAB's `imresize`
  makes it, which gives the LR files of Set5, Set14 and BSD100 exactly
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_data.pairs import ImagePair, check_names, pair_files, pairs_to_make, unpaired
from sr_data.sources import FolderSource
from sr_program.errors import DataError, UsageError

BENCHMARKS = ("Set5", "Set14", "BSD100", "Urban100", "Manga109", "PIRM_val")

# Other names of the sets and of their folders, best first. (PIRM_Val_set of the challenge is
# another set, whose HR was never published; it is passed over because it has no HR.)
_ALIASES = {
    "BSD100": ("B100", "BSDS100"),
    "PIRM_val": (
        "PIRM_valset_10_100",
        "PIRM_Self-Val_set",
        "PIRM/PIRM_Self-Val_set",
        "self_validation_HR",
        "PIRM_self_validation",
        "PIRM_valset",
        "PIRM",
    ),
}
_PARENTS = ("", "benchmark", "benchmarks")

# (HR folder, LR folder) inside of a set's folder, first match first
_LAYOUTS = (
    ("HR", "LR_x4"),
    ("HR", "LR_bicubic/X4"),
    ("HR", "LR/X4"),
    ("HR", "LR"),
    ("GTmod12", "LRbicx4"),
    ("Original", "4x_downsampled"),
)
_HR_FOLDERS = tuple(dict.fromkeys(hr for hr, _ in _LAYOUTS))
_BOTH_IN_ONE = "image_SRF_4"


@dataclass(frozen=True, eq=False)
class BenchmarkImage:
    """One image of a benchmark.

    Attributes:
        name: stem of its HR file without `_HR`.
        hr: uint8 [4h, 4w, 3], RGB, 0..255; cropped at the right and bottom to a multiple of 4.
        lr: uint8 [h, w, 3], RGB, 0..255.
        is_gray: the HR file has a single channel, which `hr` repeats three times.
    """

    name: str
    hr: NDArray[np.uint8]
    lr: NDArray[np.uint8]
    is_gray: bool


class Benchmark:
    """The images of a set in the order of their files, each decoded at access.

    Files are paired by name as `pairs.pair_files` says. What is wrong with one image (HR or LR
    missing, damaged, of sizes that do not fit) is told when that image is accessed, so that the
    others can still be used.

    Attributes:
        name: one of `BENCHMARKS`, or the name of another set.
    """

    def __init__(self, name: str, pairs: Sequence[ImagePair]):
        """Takes the files of a set.

        Raises:
            DataError: two files stand for one image.
        """
        self.name = name
        self._pairs = tuple(pairs)
        check_names(self._pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images, in order, all different."""
        return tuple(pair.name for pair in self._pairs)

    def __len__(self) -> int:
        """Number of images, those that cannot be used included."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> BenchmarkImage:
        """One image.

        Raises:
            DataError: HR or LR is missing or cannot be used, or HR is not 4 times LR.
        """
        pair = self._pairs[index]
        hr, lr = pair.read()
        return BenchmarkImage(pair.name, hr, lr, pair.is_gray())

    def __iter__(self) -> Iterator[BenchmarkImage]:
        """The images in order; ends with a `DataError` at the first that cannot be used."""
        return (self[index] for index in range(len(self)))


def open_benchmark(name: str, data_dir: str | os.PathLike[str]) -> Benchmark:
    """Lists and pairs the files of a set.

    Args:
        name: one of `BENCHMARKS` in upper or lower case, a usual other name of it (B100), or the
            name of any other folder with one of the layouts above.
        data_dir: the folder that holds the sets.

    Raises:
        UsageError: the name is empty.
        DataError: the set's folder is missing or empty, or of another layout.
    """
    if not _plain(name):
        raise UsageError(f"{name!r} names no benchmark; use {', '.join(BENCHMARKS)} or a folder")
    errors = []
    for folder in benchmark_folders(name, data_dir):
        try:
            return Benchmark(_known_name(name) or Path(name).name, _pairs_in(folder))
        except DataError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    if not Path(data_dir).is_dir():
        raise DataError(f"{data_dir}: no such folder; name the folder that holds {name}")
    raise DataError(
        f"{Path(data_dir, name)}: no such folder; put the images of {name} there, "
        "in HR and LR_x4 or HR alone"
    )


def benchmark_folders(name: str, data_dir: str | os.PathLike[str]) -> list[Path]:
    """Existing folders that a set may lie in, likeliest first; their contents are not looked at."""
    known = _known_name(name)
    spellings = (name, known, *_ALIASES.get(known, ())) if known else (name,)
    found = [Path(data_dir, name)] if Path(data_dir, name).is_dir() else []
    for parent in _PARENTS:
        for spelling in spellings:
            found += _subfolders(Path(data_dir, parent), spelling)
    return list(dict.fromkeys(found))


def _known_name(name: str) -> str | None:
    for known in BENCHMARKS:
        if _plain(name) in map(_plain, (known, *_ALIASES.get(known, ()))):
            return known
    return None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _subfolders(folder: Path, relative: str) -> list[Path]:
    """Folders at a relative path; case and punctuation count only for which one comes first."""
    found = [folder]
    for part in relative.split("/"):
        found = [
            child
            for parent in found
            for child in sorted(_visible_folders(parent), key=lambda child: child.name != part)
            if _plain(part) and _plain(child.name) == _plain(part)
        ]
    return found


def _visible_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    children = (child for child in folder.iterdir() if not child.name.startswith("."))
    return sorted(child for child in children if child.is_dir())


def _pairs_in(folder: Path) -> list[ImagePair]:
    for layout in _LAYOUTS:
        hr, lr = (next(iter(_subfolders(folder, name)), None) for name in layout)
        if hr and lr:
            return _all_pairs(hr, _images(hr), lr, _images(lr))
    both_in_one = _subfolders(folder, _BOTH_IN_ONE)
    if both_in_one or _holds_images(folder):
        return _pairs_of_one_folder(both_in_one[0] if both_in_one else folder)
    return _pairs_of_hr_alone(folder)


def _pairs_of_hr_alone(folder: Path) -> list[ImagePair]:
    subfolders = _visible_folders(folder)
    hr = [one for one in subfolders if _plain(one.name) in map(_plain, _HR_FOLDERS)]
    if not hr:
        expected = f"{', '.join(' + '.join(layout) for layout in _LAYOUTS)} or {_BOTH_IN_ONE}"
        raise DataError(f"{folder}: holds no images; expected HR images or {expected}")
    # Beside other folders, one of which may hold LR images under another name, to make LR would
    # be a guess.
    if len(subfolders) > 1:
        expected = " or ".join(lr for name, lr in _LAYOUTS if _plain(name) == _plain(hr[0].name))
        raise DataError(f"{hr[0]}: has no {expected} beside it; add the LR images in that place")
    return pairs_to_make(_images(hr[0]))


def _pairs_of_one_folder(folder: Path) -> list[ImagePair]:
    paths = _images(folder)
    lr = [path for path in paths if path.stem.endswith("_LR")]
    if not lr:
        return pairs_to_make(paths)
    # SelfExSR keeps the results of several methods beside *_HR and *_LR
    hr = [path for path in paths if path.stem.endswith("_HR")]
    return _all_pairs(folder, hr or [path for path in paths if path not in lr], folder, lr)


def _all_pairs(
    hr: Path, hr_paths: Sequence[Path], lr: Path, lr_paths: Sequence[Path]
) -> list[ImagePair]:
    pairs = pair_files(hr_paths, lr_paths, lr)
    return [*pairs, *unpaired(pairs, lr_paths, hr)]


def _images(folder: Path) -> tuple[Path, ...]:
    return FolderSource(folder, recursive=False).paths


def _holds_images(folder: Path) -> bool:
    try:
        return bool(_images(folder))
    except DataError:
        return False
