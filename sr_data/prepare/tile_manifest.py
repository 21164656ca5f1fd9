"""What a prepared set holds: its settings, its photos, and a checksum for each of its files.

A prepared set is a folder:

    plan.json                   settings and photos, written first
    shards/00000.array_record   tiles of the first photos, see `tile_record`; 00001 and so on
    shards/00000.json           what that file holds, written when it is complete
    manifest.json               all of this in one, written last
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr_data.pairs import SCALE
from sr_data.prepare.tile_grid import TileGrid
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from sr_program.files.hashes import file_sha256
from sr_program.settings import setting

MANIFEST = "manifest.json"
PLAN = "plan.json"
SHARDS = "shards"
PREPARE = "python -m sr_data.prepare --data=folder:PHOTOS --output=DIR"
_FORMAT = "prepared set of sr_data, version 1"
# What to do about a damaged file. A folder without its plan counts as one of other files.
_MADE_ANEW = "delete it and prepare again"
_WITHOUT_PLAN = "give another --output, or delete the folder"


@dataclass(frozen=True)
class TileSettings:
    """How photos are cut and stored."""

    tile: int = setting(
        192,
        "Side of the tiles in HR pixels, a multiple of 4. A crop is put together from the tiles "
        "that it touches; larger tiles need fewer reads, of more bytes each.",
    )
    compression: str = setting(
        "none",
        "zstd takes about a third less space and five times as long to read.",
        ("none", "zstd"),
    )
    min_std: float = setting(
        0.0,
        "No crop begins in a tile whose grey levels have a smaller standard deviation than this: "
        "leaves out clear sky and the like; 0: none is left out.",
    )
    shard_size: int = setting(
        32, "Photos in each file. A preparation that is stopped goes on after the last whole file."
    )

    def check(self) -> None:
        """Raises a `UsageError` that names the first setting out of range."""
        if not SCALE <= self.tile <= 4096 or self.tile % SCALE:
            raise UsageError(f"--tile must be a multiple of {SCALE} up to 4096, got {self.tile}")
        if self.compression not in ("none", "zstd"):
            raise UsageError(f"--compression must be none or zstd, got {self.compression!r}")
        if not 0 <= self.min_std < 128:
            raise UsageError(f"--min_std must be in [0, 128) grey levels, got {self.min_std}")
        if self.shard_size < 1:
            raise UsageError(f"--shard_size must be at least 1, got {self.shard_size}")


@dataclass(frozen=True)
class Photo:
    """A photo in a shard.

    Attributes:
        name: as its source names it.
        height: of the stored photo in HR pixels, a multiple of 4.
        width: of the stored photo in HR pixels, a multiple of 4.
        flat: numbers of the tiles in which no crop begins.
    """

    name: str
    height: int
    width: int
    flat: tuple[int, ...] = ()

    def grid(self, settings: TileSettings) -> TileGrid:
        """Its tiles."""
        return TileGrid(self.height // SCALE, self.width // SCALE, settings.tile // SCALE)


@dataclass(frozen=True)
class Skipped:
    """A photo that could not be used."""

    name: str
    reason: str


@dataclass(frozen=True)
class Shard:
    """A file of tiles.

    Attributes:
        file: its name inside of `shards`.
        size: bytes.
        sha256: of its content, hexadecimal.
        photos: whose tiles it holds, photo after photo, row after row.
        skipped: photos that would be among them if they could be used.
    """

    file: str
    size: int
    sha256: str
    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...] = ()

    def is_whole(self, directory: Path) -> bool:
        """Whether the file is there with the content that it was written with; reads all of it."""
        path = directory / SHARDS / self.file
        return (
            path.is_file() and path.stat().st_size == self.size and file_sha256(path) == self.sha256
        )


@dataclass(frozen=True)
class Manifest:
    """A prepared set."""

    settings: TileSettings
    shards: tuple[Shard, ...]


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Writes `manifest.json`, whole or not at all."""
    _write(directory / MANIFEST, {"format": _FORMAT, **dataclasses.asdict(manifest)})


def read_manifest(directory: Path) -> Manifest:
    """Reads `manifest.json`.

    Raises:
        DataError: it is missing or damaged, or a preparation has not come to its end.
    """
    path = directory / MANIFEST
    if not path.is_file():
        if (directory / PLAN).is_file():
            raise DataError(f"{directory}: is not complete; run its preparation again to finish it")
        raise DataError(f"{directory}: holds no prepared photos; make them: {PREPARE}")
    content = _read(path)
    try:
        shards = tuple(_shard(shard) for shard in content["shards"])
        return Manifest(TileSettings(**content["settings"]), shards)
    except (KeyError, TypeError) as error:
        raise DataError(_damaged(path, error)) from error


def write_plan(
    directory: Path, settings: TileSettings, names: Sequence[str], sizes: Sequence[int]
) -> None:
    """Writes what is going to be prepared.

    Args:
        directory: the set's folder.
        settings: how photos are cut.
        names: of the photos.
        sizes: of their files in bytes; empty where they are no files.
    """
    _write(directory / PLAN, _plan(settings, names, sizes))


def check_plan(
    directory: Path, settings: TileSettings, names: Sequence[str], sizes: Sequence[int]
) -> None:
    """Makes sure that a folder was begun with the same settings and photos.

    Raises:
        DataError: it was not, or what tells of it is damaged.
    """
    begun, wanted = _read(directory / PLAN, _WITHOUT_PLAN), _plan(settings, names, sizes)
    if begun == wanted:
        return
    try:
        there = {name: begun["settings"][name] for name in wanted["settings"]}
        photos = {tuple(photo) for photo in begun["photos"]}
        others = photos ^ {tuple(photo) for photo in wanted["photos"]}
        changed = sorted(str(name) for name, _ in others)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(_damaged(directory / PLAN, error, _WITHOUT_PLAN)) from error
    other = "give another --output"
    for name, value in wanted["settings"].items():
        if there[name] != value:
            raise DataError(
                f"{directory}: was begun with --{name}={there[name]}, not {value}; {other}"
            )
    if not changed:
        raise DataError(f"{directory}: was begun with its photos in another order; {other}")
    raise DataError(
        f"{directory}: was begun with other photos, {changed[0]} is new, gone or changed; {other}"
    )


def _plan(settings: TileSettings, names: Sequence[str], sizes: Sequence[int]) -> dict[str, Any]:
    photos = [list(photo) for photo in zip(names, sizes or [0] * len(names), strict=True)]
    return {"format": _FORMAT, "settings": dataclasses.asdict(settings), "photos": photos}


def write_shard_entry(directory: Path, shard: Shard) -> None:
    """Notes that a shard is complete."""
    _write(_entry_path(directory, shard.file), dataclasses.asdict(shard))


def read_shard_entry(directory: Path, file: str) -> Shard | None:
    """What a complete shard holds; None if it is not complete, or its note is damaged."""
    try:
        return _shard(_read(_entry_path(directory, file)))
    except (DataError, KeyError, TypeError, OSError):
        return None


def _entry_path(directory: Path, file: str) -> Path:
    return (directory / SHARDS / file).with_suffix(".json")


def _shard(content: dict[str, Any]) -> Shard:
    photos = tuple(Photo(**{**photo, "flat": tuple(photo["flat"])}) for photo in content["photos"])
    skipped = tuple(Skipped(**photo) for photo in content["skipped"])
    return Shard(**{**content, "photos": photos, "skipped": skipped})


def _write(path: Path, content: dict[str, Any]) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _read(path: Path, remedy: str = _MADE_ANEW) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(_damaged(path, error, remedy)) from error
    if not isinstance(content, dict) or content.get("format", _FORMAT) != _FORMAT:
        raise DataError(f"{path}: is not of the kind {_FORMAT!r}; {remedy}")
    return content


def _damaged(path: Path, error: Exception, remedy: str = _MADE_ANEW) -> str:
    detail = " ".join(str(error).split())
    return f"{path}: is damaged ({type(error).__name__}: {detail}); {remedy}"
