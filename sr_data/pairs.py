"""Which LR file belongs to which HR file, and the two as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absl import logging
from numpy.typing import NDArray

from sr_images.bicubic import bicubic_downscale
from sr_images.fidelity import psnr
from sr_images.image_io import is_gray, read_rgb
from sr_program.errors import DataError

SCALE = 4  # HR pixels for each LR pixel
# what LR files may have after the name of their HR file
_LR_MARKS = ("", "_LR", f"x{SCALE}", f"_x{SCALE}", f"_LR_x{SCALE}")

# PSNR, dB, of LR and the reduced HR image: blur, noise and JPEG leave more than this
_DOUBTFUL = 25
# the LR files that this process has compared
_COMPARED: set[Path] = set()


@dataclass(frozen=True)
class ImagePair:
    """The files of one image; nothing is decoded before `read`.

    Attributes:
        name: stem of the HR file without `_HR`.
        hr: the HR file, None if it is missing.
        lr: the LR file, None if LR is to be made from HR.
        problem: why the pair cannot be read, one line; empty if nothing is known against it.
    """

    name: str
    hr: Path | None
    lr: Path | None = None
    problem: str = ""

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Decodes the pair, HR cropped at the right and bottom to a multiple of 4.

        Without an LR file, LR is made from the cropped HR by `bicubic_downscale`.

        Returns:
            (hr, lr): uint8 [4h, 4w, 3] and uint8 [h, w, 3], RGB, 0..255.

        Raises:
            DataError: a file is missing or cannot be used, or HR is not 4 times LR.
        """
        path = self._hr_file()
        whole = read_rgb(path)
        height, width = (size // SCALE * SCALE for size in whole.shape[:2])
        if min(height, width) == 0:
            raise DataError(f"{path}: is smaller than {SCALE}x{SCALE} pixels; remove it")
        hr = whole[:height, :width]
        if self.lr is None:
            return hr, bicubic_downscale(hr, SCALE)
        lr = read_rgb(self.lr)
        if hr.shape != (SCALE * lr.shape[0], SCALE * lr.shape[1], 3):
            cropped = "" if hr.shape == whole.shape else f" (cropped to {width}x{height})"
            raise DataError(
                f"{self.lr}: is {lr.shape[1]}x{lr.shape[0]}, its HR image "
                f"{whole.shape[1]}x{whole.shape[0]}{cropped}; HR must be {SCALE} times LR"
            )
        _warn_of_doubt(self.lr, hr, lr)
        return hr, lr

    def is_gray(self) -> bool:
        """Whether the HR file is single-channel: then any channel of its RGB form is its own Y.

        Raises:
            DataError: the file is missing or no image.
        """
        return is_gray(self._hr_file())

    def _hr_file(self) -> Path:
        if self.hr is None or self.problem:
            raise DataError(self.problem or f"{self.name}: has no HR image; add it")
        return self.hr


def _warn_of_doubt(path: Path, hr: NDArray[np.uint8], lr: NDArray[np.uint8]) -> None:
    """Warns, once a file, of an LR image that can hardly come from its HR image."""
    if path in _COMPARED:
        return
    _COMPARED.add(path)
    distance = psnr(bicubic_downscale(hr, SCALE), lr, data_range=255)
    if distance < _DOUBTFUL:
        logging.warning(
            "%s: is %.1f dB from its HR image reduced to its size, and %d would be little; is it "
            "the same photo, with its colours in the order RGB?",
            path,
            distance,
            _DOUBTFUL,
        )


def pair_files(
    hr_paths: Iterable[Path], lr_paths: Iterable[Path], lr_directory: Path
) -> list[ImagePair]:
    """Finds the LR file of each HR file by its name.

    `a.png` or `a_HR.png` belongs to `a.png`, `a_LR.png`, `ax4.png`, `a_x4.png` or `a_LR_x4.png`;
    suffixes may differ.

    Args:
        hr_paths: the HR files.
        lr_paths: the LR files.
        lr_directory: where LR files are expected, for the message about a missing one.

    Returns:
        One pair an HR file, in order; those without an LR file, or with two that differ in their
        suffix alone, have a `problem`.
    """
    by_stem = files_by_stem(lr_paths)
    pairs = []
    for hr in hr_paths:
        name = _name(hr)
        stems = [hr.stem, *(name + mark for mark in _LR_MARKS)]
        found = next((by_stem[stem] for stem in stems if stem in by_stem), [])
        problem = named_alike(*found[:2]) if len(found) > 1 else ""
        if not found:
            problem = f"{hr}: has no partner in {lr_directory}; add it or remove this"
        pairs.append(ImagePair(name, hr, found[0] if found else None, problem))
    return pairs


def unpaired(
    pairs: Sequence[ImagePair], lr_paths: Iterable[Path], hr_directory: Path
) -> list[ImagePair]:
    """The LR files that no pair has, each as a pair with a `problem`."""
    taken = {pair.lr for pair in pairs}
    names = {pair.name for pair in pairs}
    found = []
    for lr in lr_paths:
        if lr not in taken:
            mark = max((mark for mark in _LR_MARKS if lr.stem.endswith(mark)), key=len)
            name = lr.stem.removesuffix(mark)
            name = lr.name if name in names else name
            names.add(name)
            problem = f"{lr}: has no HR image in {hr_directory}; add it or remove this"
            found.append(ImagePair(name, None, lr, problem))
    return found


def pairs_to_make(hr_paths: Iterable[Path]) -> list[ImagePair]:
    """Pairs of HR files whose LR is to be made."""
    return [ImagePair(_name(path), path) for path in hr_paths]


def files_by_stem(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Files of one folder by their names without suffix, in order."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.stem, []).append(path)
    return found


def named_alike(one: Path, other: Path) -> str:
    """What is wrong with two files that differ in their suffix alone: either could be meant."""
    return f"{one}: {other.name} has the same name; remove one of them"


def check_names(pairs: Iterable[ImagePair]) -> None:
    """Makes sure that each image has a name of its own.

    Raises:
        DataError: two files stand for one image.
    """
    seen: dict[str, ImagePair] = {}
    for pair in pairs:
        other = seen.setdefault(pair.name, pair)
        if other is not pair:
            raise DataError(f"{pair.hr}: is the same image as {other.hr}; remove one of them")


def _name(hr_path: Path) -> str:
    return hr_path.stem.removesuffix("_HR")
