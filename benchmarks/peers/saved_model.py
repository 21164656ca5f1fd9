"""A peer's network in ncnn's files as a SavedModel, which `fusion.export` takes as a generator.

python -m benchmarks.peers.saved_model --param=spanx4_ch52.param --output=models/span
python -m fusion.export --faithful=models/span --vivid=models/wp_srgan/stage2 --output=models/fused

The network takes and gives RGB in [0, 1].
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NoReturn

import tensorflow as tf

from benchmarks.peers.ncnn_network import NcnnNetwork
from fusion.saved_model_folder import VERSION
from sr_program import dataclass_flags, entry_point
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class SavedModelConfig:
    """What is written where to."""

    param: str = setting("", "The .param file of the network; the .bin lies beside it. Required.")
    output: str = setting("", "Folder of the model; it goes to OUTPUT/1. Required.")


DEFAULTS = SavedModelConfig()


def write_saved_model(config: SavedModelConfig) -> Path:
    """Writes the model, complete or not at all.

    Raises:
        UsageError: A flag is missing.
        DataError: The network cannot be read, or the model exists.
    """
    for name in vars(config):
        if not getattr(config, name):
            raise UsageError(f"--{name} is required")
    target = Path(config.output) / VERSION
    if target.exists():
        raise DataError(f"{target}: exists already; choose another --output")
    module = tf.Module()
    images = tf.TensorSpec([None, None, None, 3], tf.float32, name="image")
    function = tf.function(NcnnNetwork(Path(config.param)).run, input_signature=[images])
    module.run = function  # pyright: ignore[reportAttributeAccessIssue]
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_directory(target) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=function)
    return target


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def _main(arguments: list[str]) -> None:
    entry_point.refuse_positional(arguments)
    entry_point.warnings_only()
    print(write_saved_model(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
