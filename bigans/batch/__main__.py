"""Enlarges any number of photos, on this machine or on a cluster of Ray or Dask.

    python -m bigans.batch --input='photos/**/*.jpg' --output=OUT
    python -m bigans.batch --input=s3://photos/2024 --output=s3://large --engine=ray --address=auto
    python -m bigans.batch --input=photos.parquet --output=OUT --engine=dask --workers=8

The input is a pattern, a folder, @LIST with a path a line, or a table (.parquet, .csv) with a
column named path and, if it has one, xi of each photo. Results lie in OUT in folders of the same
names. The same command again does what is left: photos that are there, of the same photo, model and
settings, are kept. OUT gets manifest.parquet, a row a result, and failed.jsonl, a line a photo that
failed.

Exit code: 0 every photo is done or listed as failed, 1 some were left, 2 the command is wrong.
"""

import dataclasses
import math
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from absl import flags

from bigans.models.names import (
    MODEL_HELP,
    RUNTIME_HELP,
    RUNTIMES,
    SERVER,
    parse,
    require_model,
)
from bigans.upscaler.enlarging import Enlarging
from sr_images.formats import WRITABLE
from sr_images.limits import Limits
from sr_program import entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.engines.engine import NAMES, Workers
from sr_program.errors import UsageError
from sr_program.flag_names import in_flags
from sr_program.help_page import put_under
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.precision import PRECISIONS

if TYPE_CHECKING:
    from bigans.batch.running import Batch, Summary
    from bigans.upscaler.job import Job

_LIMITS = Limits()
_SCALES = ("1.5", "2", "3", "4", "8")

_INPUT = flags.DEFINE_string("input", None, "Pattern, folder, @LIST or table of photos. Required.")
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder of the results, also s3://…, gs://…. Required.", short_name="o"
)
_MAX_FAILURES = flags.DEFINE_integer(
    "max_failures",
    None,
    "Stops when more photos have failed. If left out: when 100 have failed and none is done.",
    lower_bound=0,
)
_ENGINE: Any = flags.DEFINE_enum(
    "engine", "local", NAMES, "Processes of this machine, or workers of Dask or Ray."
)
_ADDRESS = flags.DEFINE_string(
    "address",
    None,
    "Of the cluster: auto or HOST:PORT (Ray), tcp://HOST:PORT (Dask); if left out, one is started "
    "on this machine for this run.",
)
_WORKERS = flags.DEFINE_integer(
    "workers", 0, "Processes, each of which loads the model; 0: as there are cores or GPUs.", 0
)
_CPUS = flags.DEFINE_integer("cpus_per_worker", 1, "Cores that each computes on.", 1)
_GPUS = flags.DEFINE_float("gpus_per_worker", 0, "GPUs of each (Ray); 1: a worker a device.", 0)
_XI = flags.DEFINE_float(
    "xi",
    None,
    f"How far from the faithful image (0) to the vivid one (1); {DEFAULT_XI} if left out.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_MAX_DEVIATION = flags.DEFINE_float(
    "max_deviation", None, "Instead of --xi, in grey levels; see bigans --help.", lower_bound=0.0
)
_SCALE = flags.DEFINE_enum("scale", "4", _SCALES, "How many times larger the result is.")
_CONSISTENT = flags.DEFINE_bool(
    "consistent", False, "Whether the result, reduced again, gives the photo within 1 grey level."
)
_FORMAT: Any = flags.DEFINE_enum(
    "format",
    "png",
    [suffix[1:] for suffix in WRITABLE],
    "Of the results.",
    case_sensitive=False,
)
_QUALITY = flags.DEFINE_integer(
    "quality", None, "Of JPEG (95 if left out), WebP (lossless), AVIF, HEIC and JPEG XL.", 1, 100
)
_STRIP: Any = flags.DEFINE_enum(
    "strip", "none", ("none", "gps", "all"), "Which metadata are left out: the place, or all."
)
_ICC: Any = flags.DEFINE_enum(
    "icc", "keep", ("keep", "convert"), "Keeps colour profiles, or converts the pixels to sRGB."
)
_SUFFIX = flags.DEFINE_string(
    "suffix", None, "End of the results' names; _x4 if left out, _x2 for --scale=2."
)
_MODEL: Any = flags.DEFINE_string("model", "pretrained", MODEL_HELP)
_SERVER = flags.DEFINE_string(
    "server", None, "HOST:PORT of a model server that computes in place of the workers."
)
_RUNTIME: Any = flags.DEFINE_enum("runtime", "tensorflow", RUNTIMES, RUNTIME_HELP)
_PRECISION = flags.DEFINE_enum(
    "precision", None, PRECISIONS, "What the model computes in; see bigans --help."
)
_TILE_ABOVE = flags.DEFINE_integer(
    "tile_above",
    None,
    "Pixels; larger photos are enlarged in tiles of at most so many. If left out, memory decides.",
    lower_bound=1024,
)
_MEMORY_MB = flags.DEFINE_float(
    "memory_mb", None, "Memory of each worker, in 10^6 bytes; see bigans --help."
)
_OVERLAP = flags.DEFINE_integer(
    "overlap", None, "Pixels that a tile sees beyond its own; see bigans --help.", lower_bound=0
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", _LIMITS.max_pixels, "Photos with more are refused.", lower_bound=1
)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames", _LIMITS.max_frames, "Animations and documents with more are refused.", 1
)
_MAX_RATIO = flags.DEFINE_float(
    "max_ratio", _LIMITS.max_ratio, "Files that become larger by more when decoded are refused.", 1
)

for _heading, _names in {
    "photos and results": "input output suffix max_failures",
    "workers": "engine address workers cpus_per_worker gpus_per_worker",
    "files": "format quality strip icc max_pixels max_frames max_ratio",
    "how they are enlarged": "xi max_deviation scale consistent",
    "model and memory": "model server runtime precision tile_above memory_mb overlap",
}.items():
    for _name in _names.split():
        put_under(_heading, _name)


def main(arguments: list[str]) -> int:
    """Does the batch that the command line describes; returns the exit code."""
    entry_point.refuse_positional(arguments)
    _check_flags()
    workers = Workers(
        engine=_ENGINE.value,
        address=_ADDRESS.value or None,
        number=_WORKERS.value,
        cpus=_CPUS.value,
        gpus=_GPUS.value,
    )
    require_extra("dask", only=("fsspec", "pyarrow", "tenacity"))
    entry_point.warnings_only()
    from bigans.batch.running import run
    from bigans.models.runtime import check_model

    # A mistyped name shall not wait for a cluster.
    check_model(_model(), _RUNTIME.value, _PRECISION.value)

    def say(line: str) -> None:
        from tqdm import tqdm

        tqdm.write(f"bigans.batch: {in_flags(line, flags.FLAGS)}", file=sys.stderr)

    summary = run(_batch(workers), say)
    print(_told(summary))
    return 1 if summary.left else 0


def _check_flags() -> None:
    for flag in (_INPUT, _OUTPUT):
        if not flag.value:
            raise UsageError(f"--{flag.name} is missing")
    for first, second in ((_XI, _MAX_DEVIATION), (_TILE_ABOVE, _MEMORY_MB)):
        if first.value is not None and second.value is not None:
            raise UsageError(f"--{first.name} and --{second.name} exclude each other")
    if _SERVER.value and flags.FLAGS["model"].present:
        raise UsageError("--model and --server exclude each other")
    for flag in (_XI, _MAX_DEVIATION, _MAX_RATIO, _GPUS):
        if flag.value is not None and math.isnan(flag.value):
            raise UsageError(f"--{flag.name} is not a number")
    if re.search(r"[/\\\0]", _SUFFIX.value or ""):
        raise UsageError(f"--suffix={_SUFFIX.value} is a part of a file name, without slashes")
    require_model(parse(_model()))


def _model() -> str:
    return f"{SERVER}:{_SERVER.value}" if _SERVER.value else _MODEL.value


def _batch(workers: Workers) -> "Batch":
    from bigans.batch.enlarging_worker import EnlargePhotos, ModelOrder
    from bigans.batch.running import Batch, result_names
    from bigans.batch.store import open_place

    job = _job()
    # Workers may have other current folders.
    output = str(open_place(_OUTPUT.value or "", "output"))
    name = parse(job.model)
    model = os.path.abspath(name.rest) if name.kind == "directory" else job.model
    encoding = dataclasses.replace(job.order.encoding, settings=job.settings())
    suffix = f"_x{_SCALE.value}" if _SUFFIX.value is None else _SUFFIX.value
    return Batch(
        input=_INPUT.value or "",
        output=output,
        make=EnlargePhotos(
            output=output,
            load=ModelOrder(
                name=model,
                runtime=_RUNTIME.value,
                precision=_PRECISION.value,
                tile_above=_TILE_ABOVE.value,
                tiling=job.tiling,
            ),
            enlarging=job.enlarging,
            encoding=encoding,
            limits=job.limits,
        ),
        names=result_names(suffix, f".{_FORMAT.value.lower()}"),
        workers=workers,
        max_failures=_MAX_FAILURES.value,
    )


def _job() -> "Job":
    """The same as for `python -m bigans`, so that results are the same."""
    from bigans.upscaler.job import Job
    from bigans.upscaler.planning.plan import Order
    from bigans.upscaler.tiles.tiling import Tiling
    from sr_images.encoding import Encoding

    try:
        return Job(
            photos=(),
            order=Order(
                output="",
                encoding=Encoding(
                    format=_FORMAT.value,
                    quality=_QUALITY.value,
                    strip=_STRIP.value,
                    icc=_ICC.value,
                ),
            ),
            enlarging=Enlarging(
                xi=_XI.value,
                max_deviation=_MAX_DEVIATION.value,
                scale=float(_SCALE.value or "4"),
                consistent=_CONSISTENT.value,
            ),
            tiling=Tiling(_MEMORY_MB.value, _OVERLAP.value),
            limits=Limits(_MAX_PIXELS.value, _MAX_FRAMES.value, _MAX_RATIO.value),
            model=_model(),
            precision=_PRECISION.value,
            runtime=_RUNTIME.value,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _told(summary: "Summary") -> str:
    parts = [f"{summary.done} done"]
    for number, name in (
        (summary.skipped, "as they were"),
        (summary.failed, "failed"),
        (summary.left, "left"),
        (summary.repeated, "handed out again"),
    ):
        if number:
            parts.append(f"{number} {name}")
    return f"{', '.join(parts)} -> {_OUTPUT.value}"


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
