"""Photos that `python -m sr_data.prepare` has cut into tiles, read crop by crop.

Nothing but the manifest is kept in memory: a crop is put together from the tiles that it touches.
They hold every pixel of the photo, and LR pixels made from the whole photo, so that crops of any
size are the same as those cut from the photo itself.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_data.pairs import SCALE
from sr_data.prepare.array_records import RecordReader
from sr_data.prepare.tile_grid import Box
from sr_data.prepare.tile_manifest import SHARDS, Manifest, Photo, Shard, read_manifest
from sr_data.prepare.tile_record import decode_tile
from sr_program.errors import DataError, reason


class PreparedSource:
    """The photos of a prepared set, in the order of the source that they were prepared from.

    Attributes:
        directory: the set's folder.
        skipped_corrupt: names of photos that could not be used when the set was prepared.
    """

    def __init__(self, directory: str | os.PathLike[str]):
        """Reads the manifest, and makes sure that the files are there in their sizes.

        Their checksums are left to `python -m sr_data.prepare --verify`; what is read is checked
        by ArrayRecord.

        Raises:
            DataError: the folder holds no complete set, or a file is missing or cut off.
        """
        self.directory = Path(directory)
        manifest = read_manifest(self.directory)
        _check_sizes(self.directory, manifest)
        self._settings = manifest.settings
        self._photos = [photo for shard in manifest.shards for photo in shard.photos]
        self._places = [place for shard in manifest.shards for place in _places(shard, manifest)]
        self.skipped_corrupt = [one.name for shard in manifest.shards for one in shard.skipped]
        self._reader = RecordReader()

    def __str__(self) -> str:
        """The text that `--data` takes."""
        return f"prepared:{self.directory}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the photos, in order."""
        return tuple(photo.name for photo in self._photos)

    def __len__(self) -> int:
        """Number of photos."""
        return len(self._photos)

    def smaller_than(self, crop_size: int) -> list[str]:
        """Names of the photos that have no crop of a size, in HR pixels."""
        return [one.name for one in self._photos if min(one.height, one.width) < crop_size]

    def fields(self, side: int) -> NDArray[np.int64]:
        """Where crops of a size may begin.

        Args:
            side: of the crops, LR pixels.

        Returns:
            int64 [fields, 5]: rectangles of LR positions that do not overlap, each as (number of
                the
            photo, first row, first column, rows, columns). A photo without flat tiles has one.
        """
        found = []
        for number, photo in enumerate(self._photos):
            rows, columns = photo.height // SCALE - side + 1, photo.width // SCALE - side + 1
            if min(rows, columns) < 1:
                continue
            if photo.flat:
                found += self._fields_of_tiles(number, photo, rows, columns)
            else:
                found.append((number, 0, 0, rows, columns))
        return np.array(found, np.int64).reshape(-1, 5)

    def _fields_of_tiles(
        self, number: int, photo: Photo, rows: int, columns: int
    ) -> list[tuple[int, int, int, int, int]]:
        flat = set(photo.flat)
        found = []
        for tile, (top, left, bottom, right) in enumerate(photo.grid(self._settings).boxes()):
            size = min(bottom, rows) - top, min(right, columns) - left
            if tile not in flat and min(size) > 0:
                found.append((number, top, left, *size))
        return found

    def size(self, photo: int) -> tuple[int, int]:
        """Rows and columns of a photo, LR pixels."""
        return self._photos[photo].height // SCALE, self._photos[photo].width // SCALE

    def cut(
        self, photo: int, row: int, column: int, side: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """One crop; only the tiles that it touches are read.

        Args:
            photo: number of the photo.
            row: first row, LR pixels.
            column: first column, LR pixels.
            side: LR pixels.

        Returns:
            (hr, lr): uint8 [4 * side, 4 * side, 3] and [side, side, 3], RGB.

        Raises:
            DataError: a file is damaged or missing, or the package array-record is.
        """
        hr = np.empty((SCALE * side, SCALE * side, 3), np.uint8)
        lr = np.empty((side, side, 3), np.uint8)
        crop = Box(row, column, row + side, column + side)
        grid = self._photos[photo].grid(self._settings)
        for tile in grid.touched_by(crop):
            box = grid.box(tile)
            top, left = max(box.top, crop.top), max(box.left, crop.left)
            shared = Box(top, left, min(box.bottom, crop.bottom), min(box.right, crop.right))
            tile_hr, tile_lr = self._tile(photo, tile, box)
            lr[_inside(shared, crop)] = tile_lr[_inside(shared, box)]
            hr[_inside(shared, crop, SCALE)] = tile_hr[_inside(shared, box, SCALE)]
        return hr, lr

    def learned(self, photo: int, row: int, column: int, side: int) -> NDArray[np.uint8]:
        """What a generator learns in a crop: HR, as `cut` gives it."""
        return self.cut(photo, row, column, side)[0]

    def _tile(self, photo: int, tile: int, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        file, number, first, records = self._places[photo]
        path = self.directory / SHARDS / file
        try:
            record = self._reader.read(path, first + tile, records)
            return decode_tile(record, number, tile, box.bottom - box.top, box.right - box.left)
        except DataError:
            raise
        except OSError as error:
            raise DataError(f"{path}: {reason(error)}; {_REMEDY}") from error
        except ValueError as error:
            raise DataError(f"{path}: {reason(error)}; {_REMEDY}") from error


_REMEDY = "run the preparation again with the same flags, it makes damaged files anew"


def _check_sizes(directory: Path, manifest: Manifest) -> None:
    for shard in manifest.shards:
        path = directory / SHARDS / shard.file
        if not path.is_file():
            raise DataError(f"{path}: is missing; {_REMEDY}")
        if path.stat().st_size != shard.size:
            raise DataError(f"{path}: has not the {shard.size} bytes that it had; {_REMEDY}")


def _places(shard: Shard, manifest: Manifest) -> list[tuple[str, int, int, int]]:
    """For each photo: file, number in the file, first record, and the records of the file."""
    counts = [len(photo.grid(manifest.settings)) for photo in shard.photos]
    firsts = np.cumsum([0, *counts]).tolist()
    return [(shard.file, number, first, firsts[-1]) for number, first in enumerate(firsts[:-1])]


def _inside(part: Box, whole: Box, scale: int = 1) -> tuple[slice, slice]:
    """Where a rectangle lies in an array that holds another one."""
    return (
        slice(scale * (part.top - whole.top), scale * (part.bottom - whole.top)),
        slice(scale * (part.left - whole.left), scale * (part.right - whole.left)),
    )
