"""TensorFlow Datasets builder of RAISE, one config for each list that its site offers."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from sr_data.pairs import ImagePair
from sr_data.sources import FolderSource
from sr_program.errors import DataError

_ID_COLUMN = "File"


@dataclass(eq=False)
class RaiseConfig(tfds.core.BuilderConfig):
    """A subset.

    Attributes:
        list_name: name of the CSV file that lists it.
    """

    list_name: str = ""


def _config(subset: str, photos: str) -> RaiseConfig:
    list_name = f"RAISE_{subset}.csv"
    return RaiseConfig(
        name=f"raise_{subset}",
        description=f"The photos that {list_name} lists: {photos}.",
        list_name=list_name,
    )


class Builder(tfds.core.GeneratorBasedBuilder):
    """HR photos of RAISE with their 4x smaller LR images, in one split `train`.

    The photos stand in the order of the list.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Get a list from http://loki.disi.unitn.it/RAISE/download.html (RAISE_1k.csv, RAISE_2k.csv,
    RAISE_4k.csv, RAISE_6k.csv or RAISE_all.csv) and the photos that it names, and put both into the
    manual folder. Photos may lie in folders of any name, as the TIFF files of the site or as 8-bit
    TIFF or PNG files made from its NEF files; they are found by the id in the list's column File:
    r000da54f.TIF, r000da54f.png. A list may be shortened: its lines say which photos are wanted.
    """

    BUILDER_CONFIGS = [
        _config("1k", "1000 photos"),
        _config("2k", "2000 photos"),
        _config("4k", "4000 photos"),
        _config("6k", "6000 photos"),
        _config("all", "all 8156 photos"),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "hr": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                    "lr": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                    "name": tfds.features.Text(),
                }
            ),
            supervised_keys=("lr", "hr"),
            homepage="http://loki.disi.unitn.it/RAISE/",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        list_path = _find_list(folder, self.builder_config.list_name)
        pairs = _find_photos(folder, list_path, _read_list(list_path))
        return {"train": self._generate_examples(pairs)}

    def _generate_examples(self, pairs: list[ImagePair]) -> Iterator[tuple[str, dict[str, Any]]]:
        for pair in pairs:
            hr, lr = pair.read()
            yield pair.name, {"hr": hr, "lr": lr, "name": pair.name}


def _find_list(folder: Path, name: str) -> Path:
    found = [path for path in folder.rglob("*.[cC][sS][vV]") if path.name.lower() == name.lower()]
    if not found:
        others = [one.name for one in Builder.BUILDER_CONFIGS if list(folder.rglob(one.list_name))]
        # `tfds build` without --config makes all of them.
        hint = f", or build what is there by --config={others[0]}" if others else ""
        raise DataError(
            f"{folder / name}: is missing; get it from "
            f"http://loki.disi.unitn.it/RAISE/download.html{hint}"
        )
    return min(found)


def _read_list(path: Path) -> list[str]:
    """The ids of the photos, in order."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            ids = [(row.get(_ID_COLUMN) or "").strip() for row in csv.DictReader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is no CSV file ({error}); get it from RAISE's site") from error
    ids = [one for one in ids if one]
    if not ids:
        raise DataError(
            f"{path}: names no photo in a column {_ID_COLUMN!r}; get it from RAISE's site"
        )
    (twice, count), *_ = Counter(ids).most_common(1)
    if count > 1:
        raise DataError(f"{path}: names {twice} {count} times; leave one of the lines")
    return ids


def _find_photos(folder: Path, list_path: Path, ids: list[str]) -> list[ImagePair]:
    paths: dict[str, Path] = {}
    wanted = {one.lower() for one in ids}
    for path in FolderSource(folder).paths:
        other = paths.setdefault(path.stem.lower(), path)
        if other is not path and path.stem.lower() in wanted:
            raise DataError(f"{path}: is the same photo as {other}; remove one of them")
    missing = [one for one in ids if one.lower() not in paths]
    if missing:
        raise DataError(
            f"{list_path}: {len(missing)} of its {len(ids)} photos are missing in {folder}, "
            f"{missing[0]} for one; add their TIFF files, or 8-bit TIFF or PNG files made from "
            "their NEF files, or shorten the list"
        )
    return [ImagePair(one, paths[one.lower()]) for one in ids]
