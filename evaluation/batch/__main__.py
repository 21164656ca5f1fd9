"""Scores any number of images, on this machine or on a cluster of Ray or Dask.

    python -m evaluation.batch --input=RESULTS --metrics=niqe,ma --output=OUT
    python -m evaluation.batch --input='s3://bucket/**/*.png' --hr=Set14 --metrics=psnr,ssim,niqe \
        --output=OUT --engine=ray --address=auto

The input is as for bigans.batch. If --hr names a folder of originals (and their LR, as for
evaluation.run), each image is compared with the original of its name. A usual mark (_x4, _SR, …)
may follow the name. Values are bit for bit those of evaluation.run. OUT gets scores.csv,
manifest.parquet and failed.jsonl; the same command, given again, does what is left. The means are
printed.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from sr_program import dataclass_flags, entry_point
from sr_program.engines.engine import NAMES, Name, Workers
from sr_program.errors import DataError, UsageError, in_one_line
from sr_program.flag_names import in_flags
from sr_program.machine.optional_packages import require_extra
from sr_program.settings import setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bigans.batch.entries import Entry
    from evaluation.scoring.protocol import Instruments, Scores

SCORES = "scores.csv"


@dataclasses.dataclass(frozen=True)
class ScoringConfig:
    """What is measured of which images, and where."""

    input: str = setting("", "Pattern, folder, @LIST or table of images. Required.")
    output: str = setting("", "Folder of the scores, also s3://…. Required.")
    metrics: str = setting("niqe,ma,perceptual_index", "Names of measures, separated by commas.")
    hr: str = setting("", "Folder of the originals, for measures that compare with them.")
    niqe_parameters: str = setting("", "As for evaluation.run.")
    ma_model: str = setting("", "As for evaluation.run.")
    vgg_weights: str = setting("", "As for evaluation.run.")
    engine: Name = setting("local", "Processes of this machine, or workers of a cluster.", NAMES)
    address: str = setting("", "Address of the cluster; empty: one on this machine, for this run.")
    workers: int = setting(0, "Processes; 0: as many as there are cores.")
    max_failures: int = setting(
        -1, "Stop when more images than this fail; -1: when 100 have failed and none is done."
    )


DEFAULTS = ScoringConfig()


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def _main(positional: list[str]) -> int:
    entry_point.refuse_positional(positional)
    config = dataclass_flags.read(DEFAULTS)
    for name in ("input", "output"):
        if not getattr(config, name):
            raise UsageError(f"--{name} is missing")
    if config.max_failures < -1:
        raise UsageError(f"--max_failures must be at least -1, got {config.max_failures}")
    workers = Workers(engine=config.engine, address=config.address or None, number=config.workers)
    require_extra("dask", only=("fsspec", "pyarrow", "tenacity"))
    entry_point.warnings_only()
    from bigans.batch.running import Batch, run
    from bigans.batch.store import open_place
    from evaluation.batch.scoring_worker import ScoreImages, check_measures, originals

    measures = check_measures(config.metrics, bool(config.hr))
    if config.hr:
        originals(config.hr)
    batch = Batch(
        input=config.input,
        output=config.output,
        make=ScoreImages(
            output=str(open_place(config.output, "output")),
            measures=measures,
            instruments=_instruments(config, measures),
            hr=os.path.abspath(config.hr) if config.hr else "",
        ),
        names=_names,
        workers=workers,
        max_failures=None if config.max_failures == -1 else config.max_failures,
        unit="image",
        writes_pictures=False,
    )
    from absl import flags

    def say(line: str) -> None:
        sys.stderr.write(f"evaluation.batch: {in_one_line(in_flags(line, flags.FLAGS))}\n")

    summary = run(batch, say)
    _tell(config.output, measures)
    return 1 if summary.left else 0


def _names(entry: Entry) -> Iterator[str]:
    """An image is known by its own path."""
    number = 1
    yield entry.relative
    while True:
        number += 1
        yield f"{entry.relative} ({number})"


def _instruments(config: ScoringConfig, measures: tuple[str, ...]) -> Instruments:
    """What the measures need, and no more is looked for.

    Raises:
        DataError: It is not there.
    """
    from evaluation.scoring.instruments import find_instruments
    from evaluation.scoring.protocol import ALWAYS, Instruments

    if set(measures) <= set(ALWAYS):
        return Instruments()
    found = find_instruments(
        _absolute(config.niqe_parameters),
        _absolute(config.ma_model),
        _absolute(config.vgg_weights) if "structure_texture" in measures else "",
        lpips="lpips" in measures,
        stlpips="stlpips" in measures,
        wanted=measures,
    )
    for name in measures:
        if name in found.absent:
            raise DataError(f"{name} cannot be measured: {found.absent[name]}")
    return found


def _absolute(path: str) -> str:
    """For workers, which may have other current folders."""
    return os.path.abspath(path) if os.path.exists(path) else path


def _tell(output: str, measures: tuple[str, ...]) -> None:
    """Writes scores.csv from the manifest, and prints the means."""
    from bigans.batch.manifest import rows_of
    from bigans.batch.store import open_place
    from evaluation.scoring.protocol import Scores, set_means

    place = open_place(output, "output")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["image", *measures])
    scores = []
    for row in rows_of(place):
        values = row["values"]
        # repr: reading gives the same number again
        writer.writerow(
            [row["output"], *(repr(values[n]) if n in values else "" for n in measures)]
        )
        scores.append(Scores({name: values[name] for name in measures if name in values}))
    (place / SCORES).write(text.getvalue().encode())
    means = set_means(scores)
    print(f"{len(scores)} images: {', '.join(_mean(n, v, scores) for n, v in means.items())}")


def _mean(name: str, value: float, scores: Sequence[Scores]) -> str:
    """A mean, with the number of its images where some could not be measured."""
    count = sum(name in score.values for score in scores)
    return f"{name} {value:.4f}{'' if count == len(scores) else f' ({count} images)'}"


if __name__ == "__main__":
    cli_main()
