"""Collections of images on disk with random access."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sr_data.pairs import SCALE, check_names, pair_files, pairs_to_make
from sr_data.prepared import PreparedSource
from sr_data.tfds_source import TfdsSource
from sr_images.image_io import IMAGE_SUFFIXES, read_rgb
from sr_program.errors import DataError, UsageError


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
        self._names = tuple(path.relative_to(self.directory).as_posix() for path in self._paths)

    def __str__(self) -> str:
        """The text that `--data` takes."""
        return f"folder:{self.directory}"

    @property
    def names(self) -> tuple[str, ...]:
        """Paths inside of the folder, with forward slashes."""
        return self._names

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


def open_source(spec: str) -> FolderSource | TfdsSource | PreparedSource:
    """Opens the collection that a `--data` flag names.

    Args:
        spec: `folder:DIR`, a folder of photos; `tfds:NAME[/CONFIG][:SPLIT]`, a TensorFlow data set,
            which is made if it is not there; `prepared:DIR`, what `python -m sr_data.prepare`
            wrote.

    Raises:
        UsageError: the text has another form, or TFDS does not know the name.
        DataError: the folder is missing or holds no image, or the set is not complete.
    """
    kind, _, place = spec.partition(":")
    if kind not in _KINDS or not place:
        forms = "folder:DIR, tfds:NAME[:SPLIT] or prepared:DIR"
        raise UsageError(f"unknown image source {spec!r}; write {forms}")
    return _KINDS[kind](place)


_KINDS = {"folder": FolderSource, "tfds": TfdsSource, "prepared": PreparedSource}


class PairedFolder:
    """High-resolution images with their 4x smaller counterparts, for validation.

    Either a folder with `HR/` and `LR_x4/`, whose files are paired by name (`pairs.pair_files`), or
    a folder of HR images, whose LR images are made by `bicubic_downscale`. HR is cropped at the
    right and bottom to a multiple of 4.
    """

    def __init__(self, directory: str | os.PathLike[str]):
        """Lists and pairs the files.

        Raises:
            DataError: the folder is missing or empty, an image has no partner, or two files have
                one name.
        """
        self.directory = Path(directory)
        hr_directory, lr_directory = self.directory / "HR", self.directory / f"LR_x{SCALE}"
        if hr_directory.is_dir() != lr_directory.is_dir():
            missing = lr_directory if hr_directory.is_dir() else hr_directory
            raise DataError(f"{missing}: is missing; a paired folder holds HR and LR_x{SCALE}")
        if hr_directory.is_dir():
            hr_paths, lr_paths = (
                FolderSource(one, recursive=False).paths for one in (hr_directory, lr_directory)
            )
            self._pairs = pair_files(hr_paths, lr_paths, lr_directory)
        else:
            self._pairs = pairs_to_make(FolderSource(self.directory, recursive=False).paths)
        check_names(self._pairs)
        for pair in self._pairs:
            if pair.problem:
                raise DataError(pair.problem)

    @property
    def names(self) -> tuple[str, ...]:
        """Stems of the HR files without `_HR`, in order."""
        return tuple(pair.name for pair in self._pairs)

    def fingerprint(self) -> str:
        """A hash of the names and the files: equal for equal images, wherever they lie."""
        digest = hashlib.sha256()
        for pair in self._pairs:
            for path in (pair.hr, pair.lr):
                content = b"" if path is None else hashlib.sha256(path.read_bytes()).digest()
                digest.update(repr((pair.name, content)).encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[str, NDArray[np.uint8], NDArray[np.uint8]]:
        """One pair.

        Returns:
            (name, hr, lr) with uint8 [4h, 4w, 3] and uint8 [h, w, 3], RGB.

        Raises:
            DataError: an image cannot be used, or HR is not 4 times LR.
        """
        return self._pairs[index].name, *self._pairs[index].read()

    def __iter__(self) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
        """The pairs in order."""
        return (self[index] for index in range(len(self)))

    def is_gray(self, index: int) -> bool:
        """Whether the HR file is single-channel: then any channel of its RGB form is its own Y."""
        return self._pairs[index].is_gray()


def _image_files(directory: Path, recursive: bool) -> list[Path]:
    if not directory.is_dir():
        raise DataError(f"{directory}: no such folder; name a folder of images")
    found = []
    for path in directory.rglob("*") if recursive else directory.iterdir():
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if not hidden and path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(directory).as_posix())
