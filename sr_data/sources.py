"""Collections of images on disk with random access."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cli.errors import DataError, UsageError
from sr_data.degradation import bicubic_downscale
from sr_data.image_io import IMAGE_SUFFIXES, is_gray, read_rgb

SCALE = 4  # HR pixels for each LR pixel of paired folders
# what LR files may have after the name of their HR file
_LR_MARKS = ("", "_LR", f"x{SCALE}", f"_x{SCALE}", f"_LR_x{SCALE}")


class ImageSource(Protocol):
    """What training needs of a collection of images."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name an image, in order."""
        ...

    def __len__(self) -> int:
        """Number of images."""
        ...

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Image uint8 [H, W, 3], RGB; `DataError` if it cannot be used."""
        ...


class FolderSource:
    """The image files of a folder, sorted by their path inside of it.

    Suffixes are those of `image_io.IMAGE_SUFFIXES`, in any case; hidden files and folders are
    ignored. An item is decoded at each access.
    """

    def __init__(self, directory: str | os.PathLike[str], recursive: bool = True):
        """Lists the files.

        Raises:
          DataError: the folder is missing or holds no image.
        """
        self.directory = Path(directory)
        self._paths = _image_files(self.directory, recursive)
        if not self._paths:
            raise DataError(
                f"{self.directory}: holds no image; expected files ending in "
                f"{', '.join(IMAGE_SUFFIXES)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Paths inside of the folder, with forward slashes."""
        return tuple(path.relative_to(self.directory).as_posix() for path in self._paths)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in the order of `names`."""
        return tuple(self._paths)

    def __len__(self) -> int:
        """Number of images."""
        return len(self._paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Image uint8 [H, W, 3], RGB; `DataError` if it cannot be used."""
        return read_rgb(self._paths[index])


def open_source(spec: str) -> FolderSource:
    """Opens the collection that a `--data` flag names: `folder:DIR`.

    Raises:
      UsageError: the text has another form.
      DataError: the folder is missing or holds no image.
    """
    kind, colon, place = spec.partition(":")
    if kind != "folder" or not colon or not place:
        raise UsageError(f"unknown image source {spec!r}; write folder:DIR")
    return FolderSource(place)


class PairedFolder:
    """High-resolution images with their 4x smaller counterparts, for validation.

    Either a folder with `HR/` and `LR_x4/`, whose files are paired by name (`a.png` or `a_HR.png`
    with `a.png`, `a_LR.png`, `ax4.png`, `a_x4.png` or `a_LR_x4.png`), or a folder of HR images:
    these are cropped at the right and bottom to a multiple of 4, and the LR images are made by
    `bicubic_downscale`.
    """

    def __init__(self, directory: str | os.PathLike[str]):
        """Lists and pairs the files.

        Raises:
          DataError: the folder is missing or empty, or an image has no partner.
        """
        self.directory = Path(directory)
        hr_directory, lr_directory = self.directory / "HR", self.directory / f"LR_x{SCALE}"
        paired = hr_directory.is_dir() and lr_directory.is_dir()
        if hr_directory.is_dir() != lr_directory.is_dir():
            missing = lr_directory if hr_directory.is_dir() else hr_directory
            raise DataError(f"{missing}: is missing; a paired folder holds HR and LR_x{SCALE}")
        self._hr = FolderSource(hr_directory if paired else self.directory, recursive=False)
        self._lr_paths = self._partners(lr_directory) if paired else None

    @property
    def names(self) -> tuple[str, ...]:
        """Stems of the HR files without `_HR`, in order."""
        return tuple(path.stem.removesuffix("_HR") for path in self._hr.paths)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._hr)

    def __getitem__(self, index: int) -> tuple[str, NDArray[np.uint8], NDArray[np.uint8]]:
        """One pair.

        Returns:
          (name, hr, lr) with uint8 [4h, 4w, 3] and uint8 [h, w, 3], RGB.

        Raises:
          DataError: an image cannot be used, or HR is not 4 times LR.
        """
        hr = self._hr[index]
        if self._lr_paths is None:
            height, width = (size // SCALE * SCALE for size in hr.shape[:2])
            if min(height, width) == 0:
                path = self._hr.paths[index]
                raise DataError(f"{path}: is smaller than {SCALE}x{SCALE} pixels; remove it")
            hr = hr[:height, :width]
            return self.names[index], hr, bicubic_downscale(hr, SCALE)
        lr = read_rgb(self._lr_paths[index])
        if hr.shape != (SCALE * lr.shape[0], SCALE * lr.shape[1], 3):
            raise DataError(
                f"{self._lr_paths[index]}: is {lr.shape[1]}x{lr.shape[0]}, its HR image "
                f"{hr.shape[1]}x{hr.shape[0]}; HR must be {SCALE} times LR"
            )
        return self.names[index], hr, lr

    def __iter__(self) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
        """The pairs in order."""
        return (self[index] for index in range(len(self)))

    def is_gray(self, index: int) -> bool:
        """Whether the HR file is single-channel: then any channel of its RGB form is its own Y."""
        return is_gray(self._hr.paths[index])

    def _partners(self, directory: Path) -> list[Path]:
        by_stem = {path.stem: path for path in FolderSource(directory, recursive=False).paths}
        partners = []
        for hr_path, name in zip(self._hr.paths, self.names, strict=True):
            stems = [hr_path.stem, *(name + mark for mark in _LR_MARKS)]
            stem = next((stem for stem in stems if stem in by_stem), None)
            if stem is None:
                raise DataError(f"{hr_path}: has no partner in {directory}; add it or remove this")
            partners.append(by_stem[stem])
        return partners


def _image_files(directory: Path, recursive: bool) -> list[Path]:
    if not directory.is_dir():
        raise DataError(f"{directory}: no such folder; name a folder of images")
    found = []
    for path in directory.rglob("*") if recursive else directory.iterdir():
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if not hidden and path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(directory).as_posix())
