"""Enlarges any number of photos, on this machine or on a cluster of Ray or Dask.

    python -m bigans.batch --input='photos/**/*.jpg' --output=OUT
    python -m bigans.batch --input=s3://photos/2024 --output=s3://large --engine=ray --address=auto
    python -m bigans.batch --input=photos.parquet --output=OUT --engine=dask --workers=8

The input is a pattern, a folder, @LIST (a file with one path a line), or a table (.parquet, .csv)
with a column named path; a column named xi, if there is one, gives the ξ of each photo. Results lie
in OUT in folders of the same names; none of the photos may lie there. The same command, given
again, does what is left: results that were made from the same photo, model and settings are kept.
OUT gets manifest.parquet, with a row for each result, and failed.jsonl, with a line for each photo
that failed.

Exit code: 0 every photo is done or listed as failed, 1 some were left, 2 the command is wrong.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from bigans.batch.settings import DEFAULTS, UNSET, BatchConfig
from bigans.models.names import (
    SERVER,
    of_pair,
    parse,
    require_model,
)
from bigans.upscaler.enlarging import Enlarging
from sr_images.limits import Limits
from sr_program import dataclass_flags, entry_point
from sr_program.engines.engine import Workers
from sr_program.errors import UsageError, in_one_line
from sr_program.flag_names import in_flags
from sr_program.machine.optional_packages import require_extra

if TYPE_CHECKING:
    from bigans.batch.running import Batch, Summary
    from bigans.upscaler.job import Job


def main(arguments: list[str]) -> int:
    """Does the batch that the command line describes; returns the exit code."""
    entry_point.refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    _check(config)
    where = config.where
    workers = Workers(
        engine=where.engine,
        address=where.address or None,
        number=where.workers,
        cpus=where.cpus_per_worker,
        gpus=where.gpus_per_worker,
    )
    require_extra("dask", only=("fsspec", "pyarrow", "tenacity"))
    entry_point.warnings_only()
    from absl import flags

    from bigans.batch.running import run
    from bigans.models.runtime import Computing

    # A mistyped name shall not wait for a cluster.
    job = _job(config)
    Computing(config.model.runtime, job.precision).check(job.model)  # pyright: ignore
    if config.photos.niqe:
        from bigans.batch.naturalness import Naturalness

        Naturalness(config.photos.niqe_parameters)

    def say(line: str) -> None:
        from tqdm import tqdm

        line = in_one_line(in_flags(line, flags.FLAGS))
        tqdm.write(f"bigans.batch: {line}", file=sys.stderr)

    summary = run(_batch(config, job, workers), say)
    print(_told(summary, config.photos.output))
    return 1 if summary.left else 0


def _check(config: BatchConfig) -> None:
    for name in ("input", "output"):
        if not getattr(config.photos, name):
            raise UsageError(f"--{name} is missing")
    for names in (("xi", "max_deviation"), ("tile_above", "memory_mb"), ("model", "server")):
        if len(dataclass_flags.given(*names)) == 2:
            raise UsageError(f"--{names[0]} and --{names[1]} exclude each other")
    least = {"max_failures": 0, "max_deviation": 0, "quality": 1, "tile_above": 1024, "overlap": 0}
    least |= {"max_pixels": 1, "max_frames": 1, "max_ratio": 1}
    everything = {
        name: value for part in dataclasses.asdict(config).values() for name, value in part.items()
    }
    for name in dataclass_flags.given(*least):
        if not everything[name] >= least[name]:
            raise UsageError(f"--{name} must be at least {least[name]}, got {everything[name]:g}")
    if re.search(r"[/\\\0]", config.photos.suffix):
        raise UsageError(f"--suffix={config.photos.suffix} is a part of a file name, no slashes")
    if config.photos.niqe_parameters and not config.photos.niqe:
        raise UsageError("--niqe_parameters has no effect without --niqe")
    require_model(parse(_model(config)))


def _model(config: BatchConfig) -> str:
    name = f"{SERVER}:{config.model.server}" if config.model.server else config.model.model
    return of_pair(name, config.model.weights, given=bool(dataclass_flags.given("weights")))


def _batch(config: BatchConfig, job: Job, workers: Workers) -> Batch:
    from bigans.batch.enlarging_worker import EnlargePhotos, ModelOrder
    from bigans.batch.running import Batch, result_names
    from bigans.batch.store import open_place

    # Workers may have other current folders.
    output = str(open_place(config.photos.output, "output"))
    name = parse(job.model)
    model = os.path.abspath(name.rest) if name.kind == "directory" else job.model
    load: Any = ModelOrder(
        name=model,
        runtime=config.model.runtime,  # pyright: ignore
        precision=job.precision,
        tile_above=_given(config.model.tile_above),
        tiling=job.tiling,
    )
    encoding = dataclasses.replace(job.order.encoding, settings=job.settings())
    return Batch(
        input=config.photos.input,
        output=output,
        make=EnlargePhotos(
            output=output,
            load=load,
            enlarging=job.enlarging,
            encoding=encoding,
            limits=job.limits,
            niqe=config.photos.niqe_parameters if config.photos.niqe else None,
        ),
        names=result_names(
            config.photos.suffix or f"_x{config.enlarging.scale}", f".{config.files.format}"
        ),
        workers=workers,
        max_failures=_given(config.photos.max_failures),
    )


def _given(number: Any) -> Any:
    return None if number == UNSET else number


def _job(config: BatchConfig) -> Job:
    """The same as for `python -m bigans`, so that results are the same."""
    from bigans.upscaler.job import Job
    from bigans.upscaler.planning.plan import Order
    from bigans.upscaler.tiles.tiling import Tiling
    from sr_images.encoding import Encoding

    files, how, model = config.files, config.enlarging, config.model
    choices: Any = {"strip": files.strip, "icc": files.icc}
    try:
        encoding = Encoding(format=files.format, quality=_given(files.quality), **choices)
        deviation = _given(how.max_deviation)
        return Job(
            photos=(),
            order=Order(output="", encoding=encoding),
            enlarging=Enlarging(
                xi=how.xi if deviation is None else None,
                max_deviation=deviation,
                scale=float(how.scale),
                consistent=how.consistent,
            ),
            tiling=Tiling(_given(model.memory_mb), _given(model.overlap)),
            limits=Limits(files.max_pixels, files.max_frames, files.max_ratio),
            model=_model(config),
            precision=model.precision or None,
            runtime=model.runtime,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _told(summary: Summary, output: str) -> str:
    parts = [f"{summary.done} done"]
    for number, name in (
        (summary.skipped, "as they were"),
        (summary.failed, "failed"),
        (summary.left, "left"),
        (summary.repeated, "handed out again"),
    ):
        if number:
            parts.append(f"{number} {name}")
    return f"{', '.join(parts)} -> {output}"


def cli_main() -> NoReturn:
    """Runs the program."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
