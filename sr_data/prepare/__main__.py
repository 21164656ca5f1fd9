"""Cuts photos into tiles for training on sets that do not fit into memory.

    python -m sr_data.prepare --data=folder:PHOTOS --output=DIR
    python -m mr_srgan.train --data=prepared:DIR ...

Each tile is stored with its LR pixels, made from the whole photo by MATLAB's bicubic: training
sees the same crops as from the photos themselves. DIR takes 3.2 bytes a pixel, or about 2 with
--compression=zstd. A photo that cannot be read is named and left out. A preparation that was
stopped continues when the same command is given again. That also verifies the checksums of what is
there, and makes damaged files anew. --verify only verifies.
"""

import dataclasses
import os
import sys
from typing import NoReturn

from sr_data.prepare.preparation import Outcome, damaged_shards, prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_program import dataclass_flags, entry_point
from sr_program.engines.engine import NAMES, Name, Workers
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """What to prepare, and where."""

    data: str = setting("", "The photos: folder:DIR or tfds:NAME[/CONFIG][:SPLIT]. Required.")
    output: str = setting("", "Folder of the prepared set. Required.")
    workers: int = setting(
        0, "Processes, each of which holds one decoded photo at a time; 0: one for each core."
    )
    engine: Name = setting(
        "local", "Processes of this machine, or workers of a cluster of Dask or Ray.", NAMES
    )
    address: str = setting(
        "",
        "Address of the cluster: auto or HOST:PORT (Ray), tcp://HOST:PORT (Dask). All its machines "
        "must see the photos and --output. Empty: one on this machine.",
    )
    verify: bool = setting(False, "Only compare the files of --output with their checksums.")


DEFAULTS, SETTINGS = PrepareConfig(), TileSettings()
_MOST_NAMED = 20


def main(arguments: list[str]) -> int:
    """Prepares or verifies a set as the flags say; returns the exit code."""
    entry_point.refuse_positional(arguments)
    config, settings = dataclass_flags.read(DEFAULTS), dataclass_flags.read(SETTINGS)
    if not config.output:
        raise UsageError("--output is required: the folder of the prepared set")
    if config.verify:
        return _verify(config.output)
    if not config.data:
        raise UsageError("--data is required: folder:DIR or tfds:NAME, the photos")
    if config.workers < 0:
        raise UsageError(f"--workers must be at least 0, got {config.workers}")
    # Each holds one photo at a time.
    workers = Workers(
        engine=config.engine, address=config.address or None, number=config.workers, calls=1
    )
    cluster = None if config.engine == "local" else workers
    outcome = prepare(config.data, config.output, settings, config.workers or _cores(), cluster)
    _report(outcome, config.output)
    return 0


def _verify(output: str) -> int:
    damaged = damaged_shards(output)
    if damaged:
        raise DataError(
            f"{output}: damaged or missing: {_listed(damaged)}; "
            "run the preparation again with the same flags, it makes them anew"
        )
    print(f"{output}: all files are as they were written")
    return 0


def _report(outcome: Outcome, output: str) -> None:
    for file in outcome.replaced:
        sys.stderr.write(f"sr_data.prepare: {file} was damaged and has been made anew\n")
    for skipped in outcome.skipped[:_MOST_NAMED]:
        sys.stderr.write(f"sr_data.prepare: left out: {skipped.reason}\n")
    if len(outcome.skipped) > _MOST_NAMED:
        more = len(outcome.skipped) - _MOST_NAMED
        sys.stderr.write(f"sr_data.prepare: and {more} more, see manifest.json\n")
    print(
        f"{outcome.photos} photos in {outcome.tiles} tiles, {outcome.size / 1e9:.2f} GB; "
        f"train with --data=prepared:{output}"
    )


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cli_main() -> NoReturn:
    """Runs the program."""
    dataclass_flags.define(DEFAULTS, SETTINGS)
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
