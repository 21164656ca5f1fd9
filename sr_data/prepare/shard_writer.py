"""Makes one shard of a prepared set: a few photos, one after the other."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_data.pairs import SCALE
from sr_data.prepare.array_records import RecordWriter, new_file
from sr_data.prepare.tile_manifest import (
    SHARDS,
    Photo,
    Shard,
    Skipped,
    TileSettings,
    read_shard_entry,
    write_shard_entry,
)
from sr_data.prepare.tile_record import encode_tile
from sr_data.prepared import PreparedSource
from sr_data.sources import ImageSource, open_source
from sr_images.bicubic import bicubic_downscale
from sr_program.errors import DataError
from sr_program.files.hashes import file_sha256


@dataclass(frozen=True)
class ShardJob:
    """One shard to make; small, and whole in itself, because it goes to another process.

    Attributes:
        data: the source, as `open_source` takes it.
        first: number of the shard's first photo in the source.
        names: of the shard's photos.
        directory: folder of the prepared set.
        number: of the shard.
        settings: of the set.
    """

    data: str
    first: int
    names: tuple[str, ...]
    directory: Path
    number: int
    settings: TileSettings

    @property
    def file(self) -> str:
        """Name of the shard's file."""
        return f"{self.number:05d}.array_record"


@dataclass(frozen=True)
class ShardResult:
    """A shard that is there.

    Attributes:
        shard: what it holds.
        made: whether it was made now; else it was there already.
        replaced: whether a damaged file was in its place.
    """

    shard: Shard
    made: bool
    replaced: bool


def ensure_shard(job: ShardJob) -> ShardResult:
    """Makes a shard, if it is not there with the checksum that it was written with.

    At most one photo is in memory.

    Raises:
        DataError: the source has changed, or the package array-record is missing.
        OSError: the shard cannot be written.
    """
    noted = read_shard_entry(job.directory, job.file)
    if noted is not None and noted.is_whole(job.directory):
        return ShardResult(noted, made=False, replaced=False)
    shard = _make(job)
    write_shard_entry(job.directory, shard)
    return ShardResult(shard, made=True, replaced=noted is not None)


def _make(job: ShardJob) -> Shard:
    source = _opened(job.data)
    if source.names[job.first : job.first + len(job.names)] != job.names:
        raise DataError(f"{job.data}: its photos have changed meanwhile; prepare them again")
    path = job.directory / SHARDS / job.file
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    with new_file(path, job.settings.compression) as writer:
        for index, name in enumerate(job.names, job.first):
            try:
                hr = _read(source, index)
            except DataError as error:
                skipped.append(Skipped(name, str(error)))
            else:
                photos.append(_write_photo(writer, len(photos), name, hr, job.settings))
    return Shard(job.file, path.stat().st_size, file_sha256(path), tuple(photos), tuple(skipped))


# once a process: a source lists thousands of files
@functools.lru_cache(maxsize=1)
def _opened(data: str) -> ImageSource:
    source = open_source(data)
    assert not isinstance(source, PreparedSource)
    return source


def _read(source: ImageSource, index: int) -> NDArray[np.uint8]:
    """A photo, cropped at the right and at the bottom to a multiple of the scale."""
    hr = source[index]
    height, width = (size // SCALE * SCALE for size in hr.shape[:2])
    if min(height, width) == 0:
        raise DataError(f"{source.names[index]}: is smaller than {SCALE}x{SCALE} pixels")
    return np.ascontiguousarray(hr[:height, :width])


def _write_photo(
    writer: RecordWriter, number: int, name: str, hr: NDArray[np.uint8], settings: TileSettings
) -> Photo:
    lr = bicubic_downscale(hr, SCALE)
    photo = Photo(name, hr.shape[0], hr.shape[1])
    flat = []
    for tile, (top, left, bottom, right) in enumerate(photo.grid(settings).boxes()):
        tile_hr = hr[SCALE * top : SCALE * bottom, SCALE * left : SCALE * right]
        writer.write(encode_tile(number, tile, tile_hr, lr[top:bottom, left:right]))
        if settings.min_std and is_flat(tile_hr, settings.min_std):
            flat.append(tile)
    return Photo(name, photo.height, photo.width, tuple(flat))


def is_flat(tile: NDArray[np.uint8], min_std: float) -> bool:
    """Whether the standard deviation of all grey levels is below a bound.

    The sums are whole numbers: the answer does not depend on the machine.
    """
    count, total = tile.size, int(tile.sum(dtype=np.int64))
    squares = int(np.square(tile, dtype=np.uint32).sum(dtype=np.int64))
    return count * squares - total * total < (min_std * count) ** 2
