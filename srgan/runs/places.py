"""The files and folders of a run are looked at before Keras, which takes seconds, is loaded."""

from __future__ import annotations

import math
from pathlib import Path

from sr_data.sources import SCALE, FolderSource, PairedFolder
from sr_program.errors import DataError, UsageError
from srgan.config import TrainingConfig
from srgan.runs.run_dir import CHECKPOINTS, generator_of


def check_places(config: TrainingConfig, scale: int) -> None:
    """Finds the mistakes in a command that need no network.

    Whether the images can be decoded, and the weights fit, is seen where they are used.

    Args:
        config: The run, checked.
        scale: The generator's enlargement.

    Raises:
        UsageError: The scale is none, or does not go with the crops or with `--val_dir`.
        DataError: A folder or a file is not there.
    """
    data, run = config.data, config.run
    if scale < 2 or not math.log2(scale).is_integer():
        raise UsageError(f"--scale must be 2, 4, 8, …, got {scale}")
    if data.crop_size % scale:
        raise UsageError(f"--crop_size must divide by the scale {scale}, got {data.crop_size}")
    if data.val_dir:
        check_scale_of_pairs(scale)
        PairedFolder(data.val_dir)
    kind, _, place = data.data.partition(":")
    if kind == "folder" and place:
        FolderSource(place)
    if list((Path(run.run_dir) / CHECKPOINTS).glob("*.npz")):
        return  # it goes on from there
    if run.init_run:
        generator_of(run.init_run)
    if run.init_generator and not Path(run.init_generator).is_file():
        raise DataError(f"{run.init_generator}: no such weights file")


def check_scale_of_pairs(scale: int) -> None:
    """Raises a UsageError where a generator does not enlarge 4x, as validation images want."""
    if scale != SCALE:
        raise UsageError(f"--val_dir needs --scale={SCALE}, got {scale}; leave one of them out")
